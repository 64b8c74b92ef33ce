"""What a member account forwards to the hub: a superset of the detections that gives none of them away.

At most eight rules, and no event fits two of them: a second match would arrive, and cost, twice. They name event
sources and event names, and root where a detection asks for root; no other condition, no wildcard, no decoy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.compile_rule import ENVELOPES
from orgmon.detections.model import Detection, EventRule, Flow, LogSource, RuleState
from orgmon.detections.projection import Reach, reaches
from orgmon.detections.refusal import refusal
from orgmon.errors import DetectionError
from orgmon.eventpattern import MAX_LENGTH, parse

MAX_RULES = 8
"""Rules in every member account and Region."""

QUIET = frozenset(
    f"{service}.amazonaws.com"
    for service in (
        "access-analyzer",
        "cloudtrail",
        "config",
        "guardduty",
        "iam",
        "macie2",
        "organizations",
        "securityhub",
        "sso",
    )
)
"""Sources with few writes, which are forwarded whole: another detection about them then changes no member."""

ROOM = 1700
"""Characters for event names in a rule; the rest of it has room besides."""

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

    Raises DetectionError for a detection by events that asks for neither event source, event name nor root (it
    would forward every call of every account), and where the rules are too many or one is too long.
    """
    wanted = _Wanted()
    for detection in sorted(detections, key=lambda detection: detection.id):
        if Flow.EVENTS in detection.flows and detection.log_source is LogSource.CLOUDTRAIL:
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
        construct = "which events to forward: any source and any name"
        raise refusal(
            detection,
            InexpressibleError(Code.FORWARD, "eventName", construct, "an eventSource, or flow: metric"),
        )
    if reach.reads and reach.names is not None:
        wanted.reads |= reach.names
    if reach.hosts is None:
        wanted.everywhere |= reach.names or set()
    elif reach.names is None:
        (wanted.whole_with_reads if reach.reads else wanted.whole).update(reach.hosts)
    else:
        for host in reach.hosts:
            if host in QUIET and not reach.reads:
                wanted.whole.add(host)
            else:
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


def findings(detections: Iterable[Detection]) -> EventRule | None:
    """The rule of the security account for the findings of AWS's services, all of those that a detection is about.

    Findings are no records of calls: their events have a source and a type of their own. Members forward none of
    them, because the services' delegated administrator gets those of all accounts as well.
    """
    services = {
        detection.log_source
        for detection in detections
        if Flow.EVENTS in detection.flows and detection.log_source is not LogSource.CLOUDTRAIL
    }
    envelopes = [ENVELOPES[service] for service in sorted(services)]
    if not envelopes:
        return None
    pattern = {
        key: list(dict.fromkeys(text for envelope in envelopes for text in envelope[key]))
        for key in envelopes[0]
    }
    return EventRule("findings", pattern, RuleState.ENABLED)


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
    long = {host: parts for host in left if len(parts := _parts(left[host])) > 1}
    for host, parts in sorted(long.items()):
        for place, names in enumerate(parts, 1):
            yield _named_rule(wanted, f"{host.partition('.')[0]}-{place}", {host: names}, reads=False)
    rest = {host: names for host, names in left.items() if host not in long}
    for place, hosts in enumerate(_shared_out(rest, MAX_RULES - used - sum(map(len, long.values()))), 1):
        name = hosts[0].partition(".")[0] if len(hosts) == 1 else f"sources-{place}"
        yield _named_rule(wanted, name, {host: rest[host] for host in hosts}, reads=False)


def _parts(names: Iterable[str]) -> list[set[str]]:
    """The names of a source in parts of which each fits a rule. A source in parts shares its rules with no other."""
    parts: list[set[str]] = []
    for name in sorted(names):
        if not parts or _length(parts[-1]) + len(name) + 3 > ROOM:
            parts.append(set())
        parts[-1].add(name)
    return parts


def _shared_out(left: Mapping[str, set[str]], rules: int) -> list[tuple[str, ...]]:
    """The sources over so many rules, by length: a rule that names several forwards every name of each."""
    bins: list[list[str]] = [[] for _ in range(max(min(rules, len(left)), bool(left)))]
    for host in sorted(left, key=lambda host: (-_length(left[host]), host)):
        min(bins, key=lambda hosts: sum(_length(left[other]) for other in hosts)).append(host)
    return sorted(tuple(sorted(hosts)) for hosts in bins)


def _length(names: Iterable[str]) -> int:
    """The characters that names take in a pattern, with quotes and commas."""
    return sum(len(name) + 3 for name in names)


def _named_rule(wanted: _Wanted, name: str, hosts: Mapping[str, set[str]], *, reads: bool) -> EventRule:
    names: set[str] = set().union(*hosts.values())
    return _rule(name, _detail(wanted, sorted(hosts), sorted(names)), reads=reads)


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
    return EventRule(name, {**ENVELOPES[LogSource.CLOUDTRAIL], "detail": detail}, state)


def _check(rule: EventRule) -> None:
    if len(str(parse(rule.pattern))) > MAX_LENGTH:
        raise DetectionError(
            f"the forwarding rule {rule.name} is longer than {MAX_LENGTH} characters",
            "name fewer event names, or whole event sources",
        )
