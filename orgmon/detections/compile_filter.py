"""Detection to metric filter.

Nothing stands behind a metric filter that could look again, so the pattern is exact or refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.condition import (
    Absent,
    All,
    Compares,
    Condition,
    Either,
    Finds,
    Flag,
    Glob,
    Matches,
    Not,
    Placeholder,
    Present,
    Test,
    Within,
    negations_inward,
    tests_of,
)
from orgmon.detections.fields import Array, Kind, taken_type
from orgmon.detections.fieldset import kind_to_negate
from orgmon.detections.filter_values import regex, strings
from orgmon.detections.model import Detection, MetricFilter
from orgmon.detections.refusal import refusal, rejection
from orgmon.detections.secrecy import sealed
from orgmon.errors import PatternError
from orgmon.filterpattern import All as AllOf
from orgmon.filterpattern import Any as AnyOf
from orgmon.filterpattern import (
    AnyElement,
    Comparison,
    FilterPattern,
    Is,
    JsonSelectors,
    Member,
    NotExists,
    Number,
    Selector,
    Text,
)
from orgmon.filterpattern import Condition as PatternCondition

TRAIL_PREFIX = "$."
"""How selectors begin in the organization trail's log group: the log event is the record."""

MEMBER_PREFIX = "$.detail."
"""How selectors begin in a member's log group: the log event is EventBridge's envelope around the record."""


def metric_filters(detection: Detection, prefix: str = TRAIL_PREFIX) -> tuple[MetricFilter, ...]:
    """The detection as filter patterns for one and the same metric; more than one only where one is too long.

    An event can count in several of them. For an alarm on the first event that makes no difference; a detection
    with a threshold would count wrong and is refused (DetectionError).
    """
    try:
        texts = _texts(negations_inward(detection.condition), prefix, may_split=detection.threshold is None)
    except InexpressibleError as error:
        raise refusal(detection, error) from error
    except PatternError as error:
        raise rejection(detection, f" {error.what}", error.remedy, code=_code(error)) from error
    many = len(texts) > 1
    return tuple(
        MetricFilter(f"{detection.id}-{place}" if many else detection.id, text, detection.id)
        for place, text in enumerate(sealed(texts) if detection.is_secret else texts, 1)
    )


def _texts(condition: Condition, prefix: str, *, may_split: bool) -> tuple[str, ...]:
    try:
        return (str(FilterPattern(JsonSelectors(_pattern(condition, prefix)))),)
    except PatternError:
        halves = _halves(condition) if may_split else None
        if halves is None:
            raise
    return tuple(text for half in halves for text in _texts(half, prefix, may_split=True))


def _halves(condition: Condition) -> tuple[Condition, Condition] | None:
    """Two conditions of which one holds whenever this one does: the widest OR is cut in the middle."""
    if isinstance(condition, Either):
        parts = tuple(_flat(condition))
        if len(parts) == 1:
            return _halves(parts[0])
        middle = len(parts) // 2
        return Either(parts[:middle]), Either(parts[middle:])
    if not isinstance(condition, All):
        return None
    parts = tuple(_flat(condition))
    widths = [len(tuple(tests_of(part))) if isinstance(part, Either) else 0 for part in parts]
    place = widths.index(max(widths))
    inner = _halves(parts[place])
    if inner is None:
        return None
    before, after = parts[:place], parts[place + 1 :]
    return All((*before, inner[0], *after)), All((*before, inner[1], *after))


def _pattern(condition: Condition, prefix: str) -> PatternCondition:
    match condition:
        case Not(test):
            assert isinstance(test, Test)  # negations stand inward
            return _negated(test, _selector(test.field, prefix))
        case All(()) | Either(()):
            raise InexpressibleError(
                Code.CONSTANT, "condition", "a condition without a test", "a test on eventName"
            )
        case All():
            return _group(AllOf, _together(_flat(condition), prefix))
        case Either(parts):
            return _group(AnyOf, (_pattern(part, prefix) for part in parts))
        case _:
            return _positive(condition, _selector(condition.field, prefix))


def _flat(condition: All | Either) -> Iterator[Condition]:
    """The parts, with groups of the same kind inside opened."""
    for part in condition.parts:
        if isinstance(part, All | Either) and type(part) is type(condition) and part.parts:
            yield from _flat(part)
        else:
            yield part


def _together(parts: Iterable[Condition], prefix: str) -> Iterator[PatternCondition]:
    """The patterns of the parts; what a field must not be is said in one place, with its absence said once."""
    unwanted: dict[str, list[Glob]] = {}
    for part in parts:
        if isinstance(part, Not) and isinstance(part.part, Matches):
            unwanted.setdefault(part.part.field, []).append(part.part.glob)
        else:
            yield _pattern(part, prefix)
    for path, globs in unwanted.items():
        yield _differs(path, globs, _selector(path, prefix))


def _differs(path: str, globs: Sequence[Glob], at: Selector) -> PatternCondition:
    """The field has none of the shapes; ``!=`` is false where the field is missing, so that is said apart."""
    flags = (Is(at, True), Is(at, False)) if kind_to_negate(path) is Kind.OPEN else ()
    differs = [_group(AnyOf, [Comparison(at, "!=", text) for text in strings(path, glob)]) for glob in globs]
    return _group(AnyOf, [_group(AllOf, differs), *flags, NotExists(at), Is(at, None)])


def _group(kind: type[AllOf | AnyOf], parts: Iterable[PatternCondition]) -> PatternCondition:
    """The parts as a group, with groups of the same kind inside opened; a single part stands alone."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))
    return flat[0] if len(flat) == 1 else kind(flat)


def _selector(path: str, prefix: str) -> Selector:
    names = [*prefix.removeprefix("$.").split("."), *path.split(".")]
    steps: list[Member | AnyElement] = [Member(name) for name in names if name]
    array = taken_type(path).array
    if array is Array.VALUES:
        steps.append(AnyElement())
    elif array is Array.OBJECTS:
        steps.insert(-1, AnyElement())
    return Selector(tuple(steps))


def _positive(test: Test, at: Selector) -> PatternCondition:
    match test:
        case Matches(path, glob):
            return _group(AllOf, (Comparison(at, "=", text) for text in strings(path, glob)))
        case Finds():
            return Comparison(at, "=", regex(test))
        case Flag(_, wanted, text_too):
            words = (Comparison(at, "=", Text(str(wanted).lower())),) if text_too else ()
            return _group(AnyOf, (*words, Is(at, wanted)))
        case Absent():
            return AnyOf((NotExists(at), Is(at, None)))
        case Present(path):
            return _group(AnyOf, (*_with_value(path, at), Is(at, None)))
        case Compares(_, operator, number):
            return Comparison(at, operator, Number(number))
        case Within(path, block):
            raise InexpressibleError(
                Code.FILTER_CIDR,
                path,
                f"the block {ipaddress.ip_network(block)} in a filter pattern, which compares text",
                "IPv4 blocks of /8, /16, /24, /32",
            )
        case Placeholder(path, name=name):
            raise InexpressibleError(
                Code.PLACEHOLDER, path, f"the placeholder %{name}%", "the same with values filled in"
            )
        case _:
            assert_never(test)


def _with_value(path: str, at: Selector) -> tuple[PatternCondition, ...]:
    """The field is there and not null."""
    kind = taken_type(path).kind
    flags: tuple[PatternCondition, ...] = () if kind is Kind.STRING else (Is(at, True), Is(at, False))
    text: tuple[PatternCondition, ...] = () if kind is Kind.BOOL else (Comparison(at, "=", Text("*")),)
    return (*text, *flags)


def _negated(test: Test, at: Selector) -> PatternCondition:
    kind = kind_to_negate(test.field)
    match test:
        case Present():
            return NotExists(at)
        case Absent(path):
            return _group(AnyOf, _with_value(path, at))
        case Matches(path, glob):
            return _differs(path, (glob,), at)
        case Finds() if kind is Kind.STRING:
            return AnyOf((Comparison(at, "!=", regex(test)), NotExists(at), Is(at, None)))
        case Flag(_, wanted, False):
            return AnyOf((Is(at, not wanted), NotExists(at), Is(at, None)))
        case Finds() | Flag() | Compares() | Within() | Placeholder():
            raise InexpressibleError(
                Code.NEGATION,
                test.field,
                f"the negation of {type(test).__name__.lower()} on {kind.value}",
                "the values that are wanted",
            )
        case _:
            assert_never(test)


def _code(error: PatternError) -> Code:
    return Code.REGEX if "regular expression" in error.what else Code.FILTER_LENGTH
