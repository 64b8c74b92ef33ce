"""Every kind of test is known wherever kinds are told apart, and a new kind cannot be forgotten there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from orgmon.alerting import Severity
from orgmon.detections.codec import from_json, to_json
from orgmon.detections.codes import InexpressibleError
from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.condition import (
    Absent,
    All,
    Compares,
    Condition,
    Finds,
    Flag,
    Glob,
    Matches,
    Not,
    Placeholder,
    Present,
    Test,
    Within,
)
from orgmon.detections.fieldset import Anything, Atom, Block, Constant, Missing, Other, Range, Text, fieldset
from orgmon.detections.leaf_list import leaf_list
from orgmon.detections.model import Detection, Runbook, Scope
from orgmon.errors import DetectionError
from orgmon.replay.inline import inline
from orgmon.replay.scan import Rules, Scanner

FIELD = "requestParameters.x"
SAMPLES: tuple[Test, ...] = (
    Matches(FIELD, Glob(("a", "b"))),
    Finds(FIELD, "a+"),
    Flag(FIELD, True, text_too=True),
    Compares(FIELD, ">=", 3),
    Within(FIELD, "10.0.0.0/12"),
    Present(FIELD),
    Absent(FIELD),
    Placeholder(FIELD, ("a",), "names", ("",)),
)
every_kind = pytest.mark.parametrize("test", SAMPLES, ids=lambda test: type(test).__name__)


@dataclass(frozen=True)
class Longer:
    """A kind that nothing knows."""

    field: str
    length: int

    def holds(self, record: Mapping[str, Any]) -> bool:
        return len(record[self.field]) > self.length


def detection(condition: Condition) -> Detection:
    return Detection(
        "one",
        "One",
        "",
        Severity.LOW,
        All((Matches("eventName", Glob(("Go",))), condition)),
        Scope.REGIONAL,
        Runbook(""),
    )


def metric(condition: Condition) -> object:
    return metric_filters(detection(condition))


def rule(condition: Condition) -> object:
    return event_rules(detection(condition))


def replayed(condition: Condition) -> object:
    records = [{"eventName": "Go", "requestParameters": {"x": value}} for value in ("ab", True, 3, None)]
    return Scanner(Rules((detection(condition),))).document(json.dumps({"Records": records}).encode())


TOLD_APART: tuple[Callable[[Any], object], ...] = (
    metric,
    rule,
    replayed,
    lambda test: metric(Not(test)),
    lambda test: rule(Not(test)),
    lambda test: fieldset(test, negated=False),
    lambda test: fieldset(test, negated=True),
    lambda test: inline(test, "v", str),
)


def test_there_is_a_sample_of_every_kind() -> None:
    assert {type(test) for test in SAMPLES} == set(get_args(Test))


@every_kind
def test_every_kind_is_told_apart_or_refused(test: Test) -> None:
    for told_apart in TOLD_APART:
        with contextlib.suppress(InexpressibleError, DetectionError):
            told_apart(test)


@pytest.mark.parametrize("told_apart", TOLD_APART)
def test_a_kind_that_is_not_known_is_nowhere_taken_for_another(told_apart: Callable[[Any], object]) -> None:
    with pytest.raises(AssertionError):
        told_apart(Longer(FIELD, 3))


@every_kind
def test_every_kind_travels_as_json(test: Test) -> None:
    condition = All((test, Not(test)))
    assert from_json(json.loads(json.dumps(to_json(condition)))) == condition


def test_every_set_of_values_has_a_form_in_a_leaf_list() -> None:
    shape = Glob(("a", "b"))
    atoms = (
        Text(shape),
        Other(frozenset({shape})),
        Constant(None),
        Missing(),
        Anything(),
        Range((("<", 3),)),
        Block("10.0.0.0/12"),
    )
    assert {type(atom) for atom in atoms} == set(get_args(Atom))
    forms = [leaf_list(frozenset({atom})) for atom in atoms]
    assert all(len(form) == 1 for form in forms)
    assert len({json.dumps(form) for form in forms}) == len(atoms)
    unknown: Any = Longer(FIELD, 3)
    with pytest.raises(AssertionError, match="Longer"):
        leaf_list(frozenset({unknown}))
