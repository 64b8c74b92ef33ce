"""Findings added up: by detection, flow, day, account and actor. Memory does not grow with the number of records.

It grows with accounts and days, as the table does. Parts of the input may come in any order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from orgmon.detections.model import Detection, Flow
from orgmon.replay.duplicates import Seen
from orgmon.replay.grouping import Groups
from orgmon.replay.scan import ACCOUNT, Findings, Hit, Rules
from orgmon.replay.timeline import Place
from orgmon.replay.visibility import Sight, has_rule, needed
from orgmon.replay.windows import Windows

ACTORS = 256
"""Actors counted for a detection at least; of more, the rarest are forgotten."""

EXAMPLES = 5
MINUTE = 60


class Frequent:
    """The most frequent texts, counted as the Space-Saving algorithm does (Metwally et al., 2005), many at a time.

    A count is never too low, and too high by at most the number of all texts divided by the capacity.
    """

    def __init__(self, capacity: int = ACTORS) -> None:
        self._capacity = capacity
        self._counts: dict[str, int] = {}
        self._floor = 0

    def add(self, text: str) -> None:
        """Count one. What is new may have been forgotten before, as often as the most frequent forgotten one."""
        counts = self._counts
        counts[text] = counts.get(text, self._floor) + 1
        if len(counts) > 2 * self._capacity:
            self._counts = dict(self.top(self._capacity))
            self._floor = max(count for name, count in counts.items() if name not in self._counts)

    def top(self, number: int) -> tuple[tuple[str, int], ...]:
        """The most frequent with their counts; equal ones by name."""
        return tuple(sorted(self._counts.items(), key=lambda counted: (-counted[1], counted[0]))[:number])


@dataclass
class Counts:
    """What is known of one detection. ``undelivered`` are hits that its event rules never get to see."""

    hits: int = 0
    undelivered: int = 0
    by_place: Counter[Place] = field(default_factory=Counter)
    first: str = ""
    last: str = ""
    actors: Frequent = field(default_factory=Frequent)
    alerts: Groups | Windows = field(default_factory=Groups)
    disagreements: Counter[Flow] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


class Tally:
    """Everything that was found so far."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.seen = Seen()
        self.total = Findings()
        self.counts = [Counts(alerts=_timeline(detection)) for detection in rules.detections]
        self._minutes: dict[str, int] = {}
        self._sights: dict[int, Sight] = {}

    def add(self, findings: Findings) -> None:
        """Take the findings in a part of the input."""
        self.total.add_extent(findings)
        for hit in findings.hits:
            if not hit.event_id or self.seen.is_new(hit.event_id):
                self._count(hit)
        for disagreement in findings.disagreements:
            counts = self.counts[disagreement.place]
            counts.disagreements[disagreement.flow] += 1
            if len(counts.examples) < EXAMPLES and disagreement.event_id not in counts.examples:
                counts.examples.append(disagreement.event_id)

    def _count(self, hit: Hit) -> None:
        _, time, account, actor, sight, places, groups = hit
        minute = self._minute(time)
        place = (account, minute // (24 * MINUTE))
        for index in places:
            counts = self.counts[index]
            counts.hits += 1
            counts.by_place[place] += 1
            counts.actors.add(actor)
            if not counts.first or time < counts.first:
                counts.first = time
            if time > counts.last:
                counts.last = time
            if sight < Sight.EVERY_RULE and sight < self._needed(index):
                counts.undelivered += 1
            if isinstance(counts.alerts, Windows):
                counts.alerts.add(groups.get(index, ()), minute)
            else:
                counts.alerts.add((account, actor), minute)

    def _needed(self, index: int) -> Sight:
        """The least sight with which a detection's rules see a record; worked out for those that need to know."""
        if index not in self._sights:
            detection = self.rules.detections[index]
            self._sights[index] = needed(detection) if has_rule(detection) else Sight.NOBODY
        return self._sights[index]

    def _minute(self, time: str) -> int:
        """Minutes since 1970; times of one minute are looked up."""
        key = time[:16]
        if key not in self._minutes:
            if len(self._minutes) > 10_000:
                self._minutes.clear()
            self._minutes[key] = _minute_of(time)
        return self._minutes[key]


def _minute_of(time: str) -> int:
    try:
        return int(datetime.fromisoformat(time).timestamp()) // MINUTE
    except ValueError:
        return 0


def _timeline(detection: Detection) -> Groups | Windows:
    limit = detection.threshold
    if limit is None:
        return Groups()
    account_at = limit.group_by.index(ACCOUNT) if ACCOUNT in limit.group_by else None
    return Windows(count=limit.count, minutes=max(limit.seconds // MINUTE, 1), account_at=account_at)
