"""Records through all detections: what was hit, by whom and where, as values that another process can send back."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orgmon.detections.model import Detection
from orgmon.detections.projection import EVENT_NAME
from orgmon.replay.anywhere import first_text
from orgmon.replay.matcher import Matcher, paths_of
from orgmon.replay.paths import Layout
from orgmon.replay.records import Batch, Reader, reader, records_of, records_of_lines
from orgmon.replay.verify import Disagreement, Verifier
from orgmon.replay.visibility import Sight, sight

TIME, ACCOUNT = "eventTime", "recipientAccountId"
FACTS = (
    "eventID",
    TIME,
    EVENT_NAME,
    "eventType",
    "eventCategory",
    ACCOUNT,
    "userIdentity.accountId",
    "userIdentity.arn",
    "userIdentity.invokedBy",
    "userIdentity.userName",
    "userIdentity.principalId",
    "userIdentity.type",
)
"""What is told of a hit; what an actor is called is the first of the last five that there is."""

Texts = tuple[str | None, ...]
Groups = dict[int, tuple[str, ...]]


class Hit(NamedTuple):
    """A record that detections take, these by their places. ``groups`` are the values that a threshold counts apart."""

    event_id: str
    time: str
    account: str
    actor: str
    sight: Sight
    places: tuple[int, ...]
    groups: Groups


@dataclass(frozen=True)
class Rules:
    """What is replayed: the detections, and the times (ISO 8601, UTC; empty for none) from and before which.

    ``verify`` also interprets what is made of the detections for AWS.
    """

    detections: tuple[Detection, ...]
    since: str = ""
    until: str = ""
    verify: bool = False

    @property
    def layout(self) -> Layout:
        """What has to be read of a record."""
        groups = {
            path
            for detection in self.detections
            if detection.threshold
            for path in detection.threshold.group_by
        }
        return Layout({*FACTS, *groups, *paths_of(detection.condition for detection in self.detections)})


@dataclass
class Findings:
    """What a part of the input holds. ``first`` and ``last`` are times of any record that was looked at.

    ``violations`` counts records by the path at which they are odd.
    """

    events: int = 0
    left_out: int = 0
    first: str = ""
    last: str = ""
    accounts: set[str] = field(default_factory=set)
    hits: list[Hit] = field(default_factory=list)
    violations: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Add those of another part."""
        self.add_extent(other)
        self.hits += other.hits
        self.disagreements += other.disagreements

    def add_extent(self, other: Findings) -> None:
        """Add what was looked at in another part, without what was found there."""
        self.events += other.events
        self.left_out += other.left_out
        self.first = min(filter(None, (self.first, other.first)), default="")
        self.last = max(self.last, other.last)
        self.accounts |= other.accounts
        self.violations.update(other.violations)


class Scanner:
    """Looks for the detections in records. ``fast`` asks for a way of reading.

    A forked process goes on with what was generated; what is sent to another process is generated there again, for
    the fastest way of reading that there is.
    """

    def __init__(self, rules: Rules, *, fast: bool | None = None) -> None:
        layout = rules.layout
        self._reader: Reader = reader(layout, fast=fast)
        self._matcher = Matcher(
            [detection.condition for detection in rules.detections], layout, self._reader.access
        )
        self._rules = rules
        self._facts, self._time = self._matcher.pluck(FACTS), self._matcher.pluck((TIME,))
        self._times, self._accounts = map(self._matcher.column, (TIME, ACCOUNT))
        self._verifier = Verifier(rules.detections) if rules.verify else None
        self._groups = {
            place: (detection.threshold.group_by, self._matcher.pluck(detection.threshold.group_by))
            for place, detection in enumerate(rules.detections)
            if detection.threshold and detection.threshold.group_by
        }

    def __reduce__(self) -> tuple[type[Scanner], tuple[Rules]]:
        return Scanner, (self._rules,)

    def document(self, data: bytes) -> Findings:
        """The findings in a whole file. Raises ValueError and ForeignError as ``Reader`` does."""
        if self._verifier:
            return self._verified(self._verifier, records_of(json.loads(data)))
        return self._scan(self._reader.document(data))

    def lines(self, data: bytes) -> Findings:
        """The findings in whole lines. Raises ValueError and ForeignError as ``Reader`` does."""
        if self._verifier:
            return self._verified(self._verifier, records_of_lines(data))
        return self._scan(self._reader.lines(data))

    def _verified(self, verifier: Verifier, records: Iterable[Any]) -> Findings:
        """Every record alone, what was found held against what goes to AWS."""
        findings = Findings()
        for record in records:
            alone = self._scan(self._reader.document(json.dumps({"Records": [record]}).encode()))
            if alone.events:
                places = alone.hits[0].places if alone.hits else ()
                alone.disagreements += verifier.check(record, places)
            findings.add(alone)
        return findings

    def _scan(self, batch: Batch) -> Findings:
        findings = Findings()
        self._typical(batch.typical, findings)
        for record in batch.odd:
            self._odd(record, findings)
        return findings

    def _typical(self, records: list[Any], findings: Findings) -> None:
        """Records of the expected shape, many at once: the path that has to be fast."""
        if self._rules.since or self._rules.until:
            kept = [record for record in records if self._is_in(*self._time(record))]
            findings.left_out += len(records) - len(kept)
            records = kept
        self._note(findings, len(records), self._times(records), self._accounts(records))
        self._matcher.sweep(records, functools.partial(self._take, findings))

    def _take(self, findings: Findings, record: Any, places: tuple[int, ...], odd: frozenset[str]) -> None:
        """Note what holds for a record of the expected shape, and what is odd in it nevertheless."""
        if places:
            groups = {place: self._groups[place][1](record) for place in places if place in self._groups}
            findings.hits.append(_hit(self._facts(record), places, groups))
        findings.violations.update(odd)

    def _odd(self, record: Mapping[str, Any], findings: Findings) -> None:
        """A record of another shape, by the meaning of the conditions themselves."""
        facts = _texts(record, FACTS)
        time, account = facts[1] or "", facts[5]
        if not self._is_in(time):
            findings.left_out += 1
            return
        self._note(findings, 1, [time] if time else [], [account] if account else [])
        places, odd = self._matcher.slow(record)
        findings.violations.update(odd)
        if places:
            groups = {
                place: _texts(record, self._groups[place][0]) for place in places if place in self._groups
            }
            findings.hits.append(_hit(facts, places, groups))

    def _is_in(self, time: object) -> bool:
        text = str(time or "")
        return self._rules.since <= text and (not self._rules.until or text < self._rules.until)

    @staticmethod
    def _note(findings: Findings, count: int, times: list[str], accounts: list[str]) -> None:
        findings.events += count
        if times:
            findings.first = min(min(times), findings.first or "9")
            findings.last = max(max(times), findings.last)
        findings.accounts.update(accounts)


def _texts(record: Mapping[str, Any], paths: Iterable[str]) -> Texts:
    """The first plain value at each path, as a text, or None."""
    return tuple(first_text(record, tuple(path.split("."))) for path in paths)


def _hit(facts: Texts, places: tuple[int, ...], groups: Mapping[int, Texts]) -> Hit:
    event_id, time, name, event_type, category, account, caller, arn, service, user, principal, kind = facts
    return Hit(
        printable(event_id or ""),
        printable(time or ""),
        printable(account or caller or ""),
        printable(arn or service or user or principal or kind or "unknown"),
        sight(name, event_type, category),
        places,
        {place: tuple(map(str, values)) for place, values in groups.items()} if groups else {},
    )


def printable(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON can hold and no output takes."""
    return text if text.isascii() else text.encode(errors="replace").decode()
