"""Detection to rules of the hub's event bus.

A detection is one rule, its alternatives branches of ``$or``, so that an event fires once. It is split only where
EventBridge would refuse it: by different event names when it is too long, and by wildcards. Parts of the second
kind can both fire for a record that fits several wildcards; they carry the same detection, so whoever counts knows
them by detection and event id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orgmon.detections.conjuncts import Conjunct, conjuncts
from orgmon.detections.fieldset import FieldSet, InexpressibleError, leaf_list, meet, wildcards
from orgmon.detections.model import Detection, EventRule, Flow, RuleState
from orgmon.detections.refusal import refusal, rejection
from orgmon.errors import PatternError
from orgmon.eventpattern import MAX_LENGTH, parse
from orgmon.eventpattern.matchers import wildcard_complexity

ENVELOPE: Mapping[str, Any] = {
    "source": [{"prefix": "aws."}],
    "detail-type": [{"suffix": " via CloudTrail"}],
}
"""Pins a rule to AWS's own CloudTrail events; the suffix is right for both spellings of console sign-in."""

MAX_WILDCARDS = 2
"""Wildcards on one field of a rule; their complexity adds up, and AWS's limit is not published."""

MAX_COMPLEXITY = 9
"""What the wildcards of one field may cost together. AWS refuses from 11 or a little below."""


def event_rules(detection: Detection) -> tuple[EventRule, ...]:
    """The rules of the hub bus for a detection; none where it does not alert by events.

    A threshold needs memory, which a bus has not: such a detection has no rule. Raises DetectionError where event
    patterns cannot say it exactly.
    """
    if Flow.EVENTS not in detection.flows or detection.threshold is not None:
        return ()
    state = RuleState.ENABLED_WITH_READS if detection.needs_reads else RuleState.ENABLED
    try:
        groups = _groups(*_pieces(_satisfiable(detection)))
        patterns = [_checked(group) for group in groups]
    except InexpressibleError as error:
        raise refusal(detection, error.field, error.construct, error.nearest) from error
    except PatternError as error:
        raise rejection(detection, f" {error.what}", error.remedy) from error
    many = len(patterns) > 1
    return tuple(
        EventRule(f"{detection.id}-{place}" if many else detection.id, pattern, state, detection.id)
        for place, pattern in enumerate(patterns, 1)
    )


def _satisfiable(detection: Detection) -> tuple[Conjunct, ...]:
    found = conjuncts(detection.condition)
    if not found:
        raise InexpressibleError(
            "condition", "a condition that can never hold", "tests that do not contradict"
        )
    if not all(found):
        raise InexpressibleError("condition", "a condition that always holds", "a test on eventName")
    return found


def _pieces(alternatives: Sequence[Conjunct]) -> tuple[list[Conjunct], list[Conjunct]]:
    """The alternatives that stay whole, and the pieces of those with more wildcards on a field than a rule may have."""
    whole: list[Conjunct] = []
    pieces: list[Conjunct] = []
    for alternative in alternatives:
        cut: list[Conjunct] = [alternative]
        for path, values in alternative.items():
            parts = _cut(path, values)
            cut = [{**one, path: part} for one in cut for part in parts]
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
                path, "wildcards that are too complex for EventBridge", "prefixes or suffixes"
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
                "condition",
                f"an event pattern over {MAX_LENGTH} characters whose parts can fire together",
                "several rules with different event names",
            )


def _exclusive(one: Conjunct, other: Conjunct) -> bool:
    for path in one.keys() & other.keys():
        try:
            if not meet(path, one[path], other[path]):
                return True
        except InexpressibleError:
            continue
    return False


def _room(group: list[Conjunct], piece: Conjunct) -> bool:
    return _wildcards_fit([*group, piece]) and len(_text(_pattern([*group, piece]))) <= MAX_LENGTH


def _wildcards_fit(group: Sequence[Conjunct]) -> bool:
    different: dict[str, set[FieldSet]] = {}
    for conjunct in group:
        for path, values in conjunct.items():
            different.setdefault(path, set()).add(values)
    found = [[text for values in sets for text in wildcards(values)] for sets in different.values()]
    return all(_affordable(texts) for texts in found)


def _affordable(texts: Sequence[str]) -> bool:
    return len(texts) <= MAX_WILDCARDS and sum(map(wildcard_complexity, texts)) <= MAX_COMPLEXITY


def _pattern(group: Sequence[Conjunct]) -> dict[str, Any]:
    """One pattern: what all alternatives share stands outside of ``$or``, and no field stands in both places."""
    first, *rest = group
    shared = {
        path: values for path, values in first.items() if all(other.get(path) == values for other in rest)
    }
    branches = [{path: values for path, values in one.items() if path not in shared} for one in group]
    detail = _nested(shared)
    if rest and all(branches):
        detail["$or"] = [_nested(branch) for branch in branches]
    return {**ENVELOPE, "detail": detail}


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


def _checked(group: Sequence[Conjunct]) -> dict[str, Any]:
    """The group's pattern, read once more as EventBridge would."""
    pattern = _pattern(group)
    if len(_text(pattern)) > MAX_LENGTH:
        raise InexpressibleError(
            "condition", f"an event pattern over {MAX_LENGTH} characters", "several rules"
        )
    return parse(pattern).to_dict()
