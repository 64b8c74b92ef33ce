"""What a member account forwards to the hub: a superset of the detections that gives none of them away.

At most eight rules, and no event fits two of them: a second match would arrive, and cost, twice. They name event
sources and event names, and root where a detection asks for root; no other condition, no wildcard, no decoy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orgmon.detections.compile_rule import ENVELOPE
from orgmon.detections.model import Detection, EventRule, Flow, RuleState
from orgmon.detections.projection import Reach, reaches
from orgmon.detections.refusal import refusal
from orgmon.errors import DetectionError
from orgmon.eventpattern import MAX_LENGTH, parse

MAX_RULES = 8
"""Rules in every member account and Region."""

NOT_ROOT = [{"anything-but": ["Root"]}, {"exists": False}]


@dataclass
class _Wanted:
    """What the detections ask for, taken apart so that no event belongs to two parts."""

    root: bool = False
    everywhere: set[str] = field(default_factory=set)
    """Event names of any source."""
    whole: set[str] = field(default_factory=set)
    """Sources of which every name is wanted."""
    whole_with_reads: set[str] = field(default_factory=set)
    named: dict[str, set[str]] = field(default_factory=dict)
    """Event names by source."""
    reads: set[str] = field(default_factory=set)
    """The event names that need a rule which sees read-only calls."""


def forwarding(detections: Iterable[Detection]) -> tuple[EventRule, ...]:
    """The forwarding rules of a member account, in a fixed order.

    Raises DetectionError for a detection by events that asks for neither event source, event name nor root: it
    would forward every call of every account.
    """
    wanted = _Wanted()
    for detection in sorted(detections, key=lambda one: one.id):
        if Flow.EVENTS in detection.flows:
            for reach in reaches(detection.condition):
                _add(wanted, detection, reach)
    rules = tuple(_rules(wanted))
    if len(rules) > MAX_RULES:
        raise DetectionError(
            f"the detections need {len(rules)} forwarding rules, {MAX_RULES} are allowed", "use fewer"
        )
    for rule in rules:
        _check(rule)
    return rules


def _add(wanted: _Wanted, detection: Detection, reach: Reach) -> None:
    if reach.root:
        wanted.root = True
        return
    if reach.hosts is None and reach.names is None:
        raise refusal(
            detection,
            "eventName",
            "which events to forward: any source and any name",
            "an eventSource, or flows: [metrics]",
        )
    if reach.reads and reach.names is not None:
        wanted.reads |= reach.names
    if reach.hosts is None:
        wanted.everywhere |= reach.names or set()
    elif reach.names is None:
        (wanted.whole_with_reads if reach.reads else wanted.whole).update(reach.hosts)
    else:
        for host in reach.hosts:
            wanted.named.setdefault(host, set()).update(reach.names)


def _rules(wanted: _Wanted) -> Iterable[EventRule]:
    """The parts as rules. Order decides who gets an event that two parts ask for; the later part leaves it out."""
    if wanted.root:
        yield _rule("root", {"userIdentity": {"type": ["Root"]}}, reads=True)
    for reads in (False, True):
        names = sorted(name for name in wanted.everywhere if (name in wanted.reads) == reads)
        if names:
            yield _rule(_name("any-source", reads), _detail(wanted, None, names), reads=reads)
    yield from _whole_rules(wanted)
    yield from _named_rules(wanted)


def _whole_rules(wanted: _Wanted) -> Iterable[EventRule]:
    for reads, hosts in ((False, wanted.whole - wanted.whole_with_reads), (True, wanted.whole_with_reads)):
        left_out = wanted.everywhere | (set() if reads else {name for _, name in _named(wanted, reads=True)})
        if hosts:
            names = [{"anything-but": sorted(left_out)}] if left_out else None
            yield _rule(_name("whole-source", reads), _detail(wanted, sorted(hosts), names), reads=reads)


def _named(wanted: _Wanted, *, reads: bool) -> set[tuple[str, str]]:
    """The pairs of source and name that no rule above these takes."""
    taken = wanted.whole_with_reads if reads else wanted.whole_with_reads | wanted.whole
    return {
        (host, name)
        for host, names in wanted.named.items()
        for name in names - wanted.everywhere
        if host not in taken and (name in wanted.reads) == reads
    }


def _named_rules(wanted: _Wanted) -> Iterable[EventRule]:
    """Names by source: first what needs reads, all in one rule; then the rest, a rule a source while they last.

    The sources that are forwarded whole leave the names of the first rule to it, so it takes their part too.
    """
    reads = _named(wanted, reads=True)
    if reads:
        hosts = {host for host, _ in reads} | (wanted.whole - wanted.whole_with_reads)
        names = {name for _, name in reads}
        yield _named_rule(wanted, "reads", dict.fromkeys(hosts, names), reads=True)
    left: dict[str, set[str]] = {}
    for host, name in _named(wanted, reads=False):
        left.setdefault(host, set()).add(name)
    yield from _by_source(wanted, left)


def _by_source(wanted: _Wanted, left: Mapping[str, set[str]]) -> Iterable[EventRule]:
    used = wanted.root + 2 * bool(wanted.everywhere) + bool(wanted.whole) + bool(wanted.whole_with_reads) + 1
    hosts = sorted(left, key=lambda host: (-len(left[host]), host))
    alone, together = hosts, list[str]()
    if len(hosts) > MAX_RULES - used:
        alone, together = hosts[: MAX_RULES - used - 1], hosts[MAX_RULES - used - 1 :]
    for host in sorted(alone):
        yield _named_rule(wanted, host.partition(".")[0], {host: left[host]}, reads=False)
    if together:
        yield _named_rule(wanted, "others", {host: left[host] for host in together}, reads=False)


def _named_rule(wanted: _Wanted, name: str, hosts: Mapping[str, set[str]], *, reads: bool) -> EventRule:
    names = sorted({one for found in hosts.values() for one in found})
    return _rule(name, _detail(wanted, sorted(hosts), names), reads=reads)


def _detail(wanted: _Wanted, hosts: Sequence[str] | None, names: Sequence[Any] | None) -> dict[str, Any]:
    detail: dict[str, Any] = {}
    if names:
        detail["eventName"] = list(names)
    if hosts:
        detail["eventSource"] = list(hosts)
    if wanted.root:
        detail["userIdentity"] = {"type": NOT_ROOT}
    return detail


def _name(base: str, reads: bool) -> str:
    return f"{base}-reads" if reads else base


def _rule(name: str, detail: dict[str, Any], *, reads: bool) -> EventRule:
    state = RuleState.ENABLED_WITH_READS if reads else RuleState.ENABLED
    return EventRule(name, {**ENVELOPE, "detail": detail}, state)


def _check(rule: EventRule) -> None:
    if len(str(parse(rule.pattern))) > MAX_LENGTH:
        raise DetectionError(
            f"the forwarding rule {rule.name} is longer than {MAX_LENGTH} characters",
            "name fewer event names, or whole event sources",
        )
