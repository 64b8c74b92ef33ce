"""Records through all detections: what was hit, by whom and where, as values that another process can send back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orgmon.detections.model import Detection
from orgmon.replay.expressions import first
from orgmon.replay.matcher import Matcher, paths_of
from orgmon.replay.paths import Layout
from orgmon.replay.records import Odd, Reader, reader, records_of, records_of_lines
from orgmon.replay.verify import Disagreement, Verifier
from orgmon.replay.visibility import Sight, sight

TIME, NAME, ACCOUNT = "eventTime", "eventName", "recipientAccountId"
FACTS = (
    "eventID",
    TIME,
    NAME,
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

Facts = tuple[Any, ...]
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
        groups = {path for one in self.detections if one.threshold for path in one.threshold.group_by}
        return Layout({*FACTS, *groups, *paths_of(one.condition for one in self.detections)})


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


class Scanner:
    """Looks for the detections in records; made once in each process. ``fast`` asks for a way of reading."""

    def __init__(self, rules: Rules, *, fast: bool | None = None) -> None:
        layout = rules.layout
        self._reader: Reader = reader(layout, fast=fast)
        self._matcher = Matcher([one.condition for one in rules.detections], layout, self._reader.access)
        self._rules = rules
        self._facts = self._matcher.pluck(FACTS)
        self._names, self._times, self._accounts = map(self._matcher.column, (NAME, TIME, ACCOUNT))
        self._verifier = Verifier(rules.detections) if rules.verify else None
        self._groups = {
            place: (one.threshold.group_by, self._matcher.pluck(one.threshold.group_by))
            for place, one in enumerate(rules.detections)
            if one.threshold and one.threshold.group_by
        }

    def document(self, data: bytes) -> Findings:
        """The findings in a whole file. Raises ValueError and ForeignError as ``Reader`` does."""
        plain = (lambda: records_of(json.loads(data))) if self._verifier else None
        return self._scan(self._reader.document(data), plain)

    def lines(self, data: bytes) -> Findings:
        """The findings in whole lines. Raises ValueError and ForeignError as ``Reader`` does."""
        plain = (lambda: records_of_lines(data)) if self._verifier else None
        return self._scan(self._reader.lines(data), plain)

    def _scan(self, records: list[Any], plain: Callable[[], Any] | None) -> Findings:
        found = Findings()
        places = self._verified(records, plain(), found) if plain else None
        if places is None:
            odd = [record for record in records if record.__class__ is Odd]
            typical = [record for record in records if record.__class__ is not Odd] if odd else records
            self._typical(typical, found)
            for record in odd:
                self._odd(record.record, found)
        return found

    def _typical(self, records: list[Any], found: Findings) -> None:
        """Records of the expected shape, many at once: the path that has to be fast."""
        if self._rules.since or self._rules.until:
            kept = [
                record
                for record, time in zip(records, self._times(records), strict=True)
                if self._is_in(time)
            ]
            found.left_out += len(records) - len(kept)
            records = kept
        times = [time for time in self._times(records) if time]
        self._note(found, len(records), times, self._accounts(records))
        functions, odd = self._matcher.functions, self._matcher.odd
        for record, name in zip(records, self._names(records), strict=True):
            places = functions[name](record)
            if places:
                groups = {
                    place: pluck(record) for place, (_, pluck) in self._groups.items() if place in places
                }
                found.hits.append(_hit(self._facts(record), places, groups))
            if odd:
                found.violations.update(odd)
                odd.clear()

    def _odd(self, record: Mapping[str, Any], found: Findings) -> None:
        """A record of another shape, by the meaning of the conditions themselves."""
        facts = tuple(first(record, tuple(path.split("."))) for path in FACTS)
        time = facts[1] if isinstance(facts[1], str) else ""
        if not self._is_in(time):
            found.left_out += 1
            return
        self._note(found, 1, [time] if time else [], [facts[5]])
        places = self._matcher.slow(record)
        found.violations.update(self._matcher.odd)
        self._matcher.odd.clear()
        if places:
            groups = {
                place: tuple(first(record, tuple(path.split("."))) for path in paths)
                for place, (paths, _) in self._groups.items()
                if place in places
            }
            found.hits.append(_hit(facts, places, groups))

    def _is_in(self, time: object) -> bool:
        text = str(time or "")
        return self._rules.since <= text and (not self._rules.until or text < self._rules.until)

    @staticmethod
    def _note(found: Findings, count: int, times: list[str], accounts: list[Any]) -> None:
        found.events += count
        if times:
            found.first = min(min(times), found.first or "9")
            found.last = max(max(times), found.last)
        found.accounts.update({str(account) for account in set(accounts) if account})

    def _verified(self, records: list[Any], plain: Any, found: Findings) -> bool:
        """Every record alone, what was found held against what goes to AWS."""
        assert self._verifier
        for record, content in zip(records, plain, strict=True):
            alone = Findings()
            if record.__class__ is Odd:
                self._odd(record.record, alone)
            else:
                self._typical([record], alone)
            if alone.events:
                places = alone.hits[0].places if alone.hits else ()
                alone.disagreements += self._verifier.check(content, places)
            merge(found, alone)
        return True


def merge(into: Findings, other: Findings) -> None:
    """Add findings to others."""
    into.events += other.events
    into.left_out += other.left_out
    into.first = min(filter(None, (into.first, other.first)), default="")
    into.last = max(into.last, other.last)
    into.accounts |= other.accounts
    into.hits += other.hits
    into.violations.update(other.violations)
    into.disagreements += other.disagreements


def _hit(facts: Facts, places: tuple[int, ...], groups: Mapping[int, tuple[Any, ...]]) -> Hit:
    event_id, time, name, event_type, category, account, caller, *actors = facts
    return Hit(
        str(event_id or ""),
        str(time or ""),
        str(account or caller or ""),
        next((str(actor) for actor in actors if actor), "unknown"),
        sight(*(one if isinstance(one, str) else None for one in (name, event_type, category))),
        places,
        {place: tuple(map(str, values)) for place, values in groups.items()} if groups else {},
    )
