"""Detection to rules of the hub's event bus.

A detection is one rule, its alternatives branches of ``$or``, so that an event fires once. It is split only where
EventBridge would refuse it: into alternatives that exclude each other when it is too long, and by wildcards. Parts
of the second kind can both fire for a record that fits several wildcards; they carry the same detection, so whoever
counts knows them by detection and event id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.conjuncts import Conjunct, conjuncts
from orgmon.detections.fieldset import FieldSet, Text
from orgmon.detections.leaf_list import leaf_list, wildcards
from orgmon.detections.meeting import meet
from orgmon.detections.model import Detection, EventRule, Flow, LogSource, RuleState
from orgmon.detections.projection import EVENT_NAME, EVENT_SOURCE
from orgmon.detections.refusal import refusal, rejection
from orgmon.detections.secrecy import sealed
from orgmon.errors import PatternError
from orgmon.eventpattern import MAX_LENGTH, parse
from orgmon.eventpattern.matchers import wildcard_complexity

ENVELOPES: Mapping[LogSource, Mapping[str, Any]] = {
    LogSource.CLOUDTRAIL: {"source": [{"prefix": "aws."}], "detail-type": [{"suffix": " via CloudTrail"}]},
    LogSource.GUARDDUTY: {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]},
    LogSource.SECURITY_HUB: {
        "source": ["aws.securityhub"],
        "detail-type": ["Security Hub Findings - Imported"],
    },
    LogSource.SECURITY_HUB_V2: {"source": ["aws.securityhub"], "detail-type": ["Findings Imported V2"]},
}
"""Pins a rule to AWS's own events; CloudTrail's suffix is right for both spellings of console sign-in."""

_LONGEST = max(ENVELOPES.values(), key=lambda envelope: len(str(envelope)))

MAX_WILDCARDS = 2
"""Wildcards on one field of a rule; their complexity adds up, and AWS's limit is not published."""

MAX_COMPLEXITY = 9
"""What the wildcards of one field may cost together. AWS refuses from 11 or a little below."""


def event_rules(detection: Detection) -> tuple[EventRule, ...]:
    """The rules of the hub bus for a detection; none where it does not alert by events.

    A threshold needs memory, which a bus has not: such a detection has no rule. Where event patterns cannot say it
    exactly the rules are wider and marked ``recheck``: whoever takes their events looks again. Raises DetectionError
    where that does not do either: a secret would go to whoever looks again, or nothing of the condition would be left.
    """
    if Flow.EVENTS not in detection.flows or detection.threshold is not None:
        return ()
    try:
        return _rules(detection, conjuncts(detection.condition), recheck=False)
    except InexpressibleError as error:
        if detection.is_secret or error.code in (Code.PLACEHOLDER, Code.CONSTANT, Code.EVENT_SIZE):
            raise refusal(detection, error) from error
        exact = error
    try:
        return _rules(detection, _pinned(detection), recheck=True)
    except InexpressibleError as error:
        raise refusal(detection, exact) from error


def _pinned(detection: Detection) -> tuple[Conjunct, ...]:
    """Wider alternatives that still say which calls: a rule for all calls of a source would take too many."""
    alternatives = conjuncts(detection.condition, widened=True)
    if not all(
        any(_pins(alternative.get(path)) for path in (EVENT_NAME, EVENT_SOURCE))
        for alternative in alternatives
    ):
        raise InexpressibleError(Code.CONSTANT, "condition", "any call", "a test on eventName")
    return tuple(
        {path: values for path, values in alternative.items() if _costs_little(values)}
        for alternative in alternatives
    )


def _pins(values: FieldSet | None) -> bool:
    return values is not None and all(isinstance(atom, Text) and not atom.glob.takes_all for atom in values)


def _costs_little(values: FieldSet) -> bool:
    return all(_affordable([text]) for text in wildcards(values))


def _rules(detection: Detection, alternatives: Sequence[Conjunct], *, recheck: bool) -> tuple[EventRule, ...]:
    reads = detection.needs_reads and detection.log_source is LogSource.CLOUDTRAIL
    state = RuleState.ENABLED_WITH_READS if reads else RuleState.ENABLED
    groups = _groups(*_pieces(_satisfiable(alternatives)))
    try:
        patterns = [_checked(group, ENVELOPES[detection.log_source]) for group in groups]
    except PatternError as error:
        raise rejection(detection, f" {error.what}", error.remedy, code=Code.WILDCARDS) from error
    patterns = sealed(patterns) if detection.is_secret else patterns
    many = len(patterns) > 1
    return tuple(
        EventRule(f"{detection.id}-{place}" if many else detection.id, pattern, state, detection.id, recheck)
        for place, pattern in enumerate(patterns, 1)
    )


def _satisfiable(alternatives: Sequence[Conjunct]) -> Sequence[Conjunct]:
    if not alternatives:
        raise InexpressibleError(
            Code.CONSTANT, "condition", "a condition that can never hold", "tests that do not contradict"
        )
    if not all(alternatives):
        raise InexpressibleError(
            Code.CONSTANT, "condition", "a condition that always holds", "a test on eventName"
        )
    return alternatives


def _pieces(alternatives: Sequence[Conjunct]) -> tuple[list[Conjunct], list[Conjunct]]:
    """The alternatives that stay whole, and the pieces of those with more wildcards on a field than a rule may have."""
    whole: list[Conjunct] = []
    pieces: list[Conjunct] = []
    for alternative in alternatives:
        cut: list[Conjunct] = [alternative]
        for path, values in alternative.items():
            parts = _cut(path, values)
            cut = [{**piece, path: part} for piece in cut for part in parts]
        (whole if len(cut) == 1 else pieces).extend(cut)
    return whole, pieces


def _cut(path: str, values: FieldSet) -> list[FieldSet]:
    if _affordable(wildcards(values)):
        return [values]
    free = frozenset(atom for atom in values if not wildcards(frozenset({atom})))
    parts: list[FieldSet] = [free] if free else []
    for atom in sorted(values - free, key=repr):
        if not _affordable(wildcards(frozenset({atom}))):
            raise InexpressibleError(
                Code.WILDCARDS, path, "wildcards that are too complex for EventBridge", "prefixes or suffixes"
            )
        if parts and _affordable(wildcards(parts[-1] | {atom})):
            parts[-1] |= {atom}
        else:
            parts.append(frozenset({atom}))
    return parts


def _groups(whole: Sequence[Conjunct], pieces: Sequence[Conjunct]) -> list[list[Conjunct]]:
    """As few rules as fit: parts go together while length and wildcards allow it.

    Whole alternatives that do not fit together must exclude each other, or an event would fire twice.
    """
    groups: list[list[Conjunct]] = []
    for part in [*whole, *pieces]:
        roomy = next((group for group in groups if _room(group, part)), None)
        if roomy is not None:
            roomy.append(part)
            continue
        for group in groups:
            if part in whole and _wildcards_fit([*group, part]):
                _check_exclusive(part, group)
        groups.append([part])
    return groups


def _check_exclusive(piece: Conjunct, others: Sequence[Conjunct]) -> None:
    for other in others:
        if not _exclusive(piece, other):
            raise InexpressibleError(
                Code.EVENT_SIZE,
                "condition",
                f"an event pattern over {MAX_LENGTH} characters whose parts can fire together",
                "several rules with different event names",
            )


def _exclusive(first: Conjunct, second: Conjunct) -> bool:
    for path in first.keys() & second.keys():
        try:
            if not meet(path, first[path], second[path]):
                return True
        except InexpressibleError:
            continue
    return False


def _room(group: list[Conjunct], piece: Conjunct) -> bool:
    return _wildcards_fit([*group, piece]) and len(_text(_pattern([*group, piece], _LONGEST))) <= MAX_LENGTH


def _wildcards_fit(group: Sequence[Conjunct]) -> bool:
    different: dict[str, set[FieldSet]] = {}
    for conjunct in group:
        for path, values in conjunct.items():
            different.setdefault(path, set()).add(values)
    return all(
        _affordable([text for values in sets for text in wildcards(values)]) for sets in different.values()
    )


def _affordable(texts: Sequence[str]) -> bool:
    return len(texts) <= MAX_WILDCARDS and sum(map(wildcard_complexity, texts)) <= MAX_COMPLEXITY


def _pattern(group: Sequence[Conjunct], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """One pattern: what all alternatives share stands outside of ``$or``, and no field stands in both places."""
    first, *rest = group
    shared = {
        path: values for path, values in first.items() if all(other.get(path) == values for other in rest)
    }
    branches = [
        {path: values for path, values in conjunct.items() if path not in shared} for conjunct in group
    ]
    detail = _nested(shared)
    if rest and all(branches):
        detail["$or"] = [_nested(branch) for branch in branches]
    return {**envelope, "detail": detail}


def _nested(fields: Mapping[str, FieldSet]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path in sorted(fields):
        *above, name = path.split(".")
        place = document
        for level in above:
            place = place.setdefault(level, {})
        place[name] = leaf_list(fields[path])
    return document


def _text(pattern: Mapping[str, Any]) -> str:
    return json.dumps(pattern, separators=(",", ":"), ensure_ascii=False)


def _checked(group: Sequence[Conjunct], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The group's pattern, read once more as EventBridge would."""
    pattern = _pattern(group, envelope)
    if len(_text(pattern)) > MAX_LENGTH:
        raise InexpressibleError(
            Code.EVENT_SIZE, "condition", f"an event pattern over {MAX_LENGTH} characters", "several rules"
        )
    return parse(pattern).to_dict()
