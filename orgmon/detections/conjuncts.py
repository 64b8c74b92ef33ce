"""A condition as alternatives, each a set of values for each field: the form that event patterns need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.condition import All, Condition, Either, Matches, Not, Test, negations_inward
from orgmon.detections.fields import Array, field_type
from orgmon.detections.fieldset import FieldSet, Text, fieldset
from orgmon.detections.meeting import meet

MAX_ALTERNATIVES = 200

Pending = dict[str, tuple[FieldSet, ...]]
"""For each field the sets that a value must all be in."""

Conjunct = Mapping[str, FieldSet]
"""For each field the one set that its value must be in."""


def conjuncts(condition: Condition, *, widened: bool = False) -> tuple[Conjunct, ...]:
    """The alternatives of the condition; none when it can never hold. An empty mapping always holds.

    Raises InexpressibleError where a field cannot be reduced to one leaf list. ``widened`` leaves such tests out
    instead: the result takes every record that the condition takes, and maybe others.
    """
    alternatives = _alternatives(negations_inward(condition), widened)
    reduced = (_reduced(pending, widened) for pending in alternatives)
    return tuple(_merged([conjunct for conjunct in reduced if conjunct is not None]))


def _alternatives(condition: Condition, widened: bool) -> list[Pending]:
    match condition:
        case Either(parts):
            return _one_field_united(
                [alternative for part in parts for alternative in _alternatives(part, widened)]
            )
        case All(parts):
            return _product([_alternatives(part, widened) for part in parts])
        case Not(test):
            assert isinstance(test, Test)  # negations stand inward
            return _of_test(test, widened, negated=True)
        case _:
            return _of_test(condition, widened, negated=False)


def _of_test(test: Test, widened: bool, *, negated: bool) -> list[Pending]:
    try:
        return [{test.field: (fieldset(test, negated=negated),)}]
    except InexpressibleError as error:
        if not widened or error.code is Code.PLACEHOLDER:
            raise
        return [{}]


def _product(factors: Sequence[list[Pending]]) -> list[Pending]:
    combinations: list[Pending] = [{}]
    for factor in factors:
        if len(combinations) * len(factor) > MAX_ALTERNATIVES:
            raise InexpressibleError(
                Code.EVENT_SIZE, "condition", "too many combinations of alternatives", "several smaller rules"
            )
        combinations = [_joined(left, right) for left in combinations for right in factor]
    return combinations


def _joined(left: Pending, right: Pending) -> Pending:
    joined = dict(left)
    for path, sets in right.items():
        joined[path] = joined.get(path, ()) + sets
    return joined


def _one_field_united(alternatives: list[Pending]) -> list[Pending]:
    """Alternatives over one and the same field as one alternative, before anything is multiplied out."""
    united: dict[str, FieldSet] = {}
    rest: list[Pending] = []
    for alternative in alternatives:
        if len(alternative) == 1 and len(next(iter(alternative.values()))) == 1:
            ((path, (values,)),) = alternative.items()
            united[path] = united.get(path, frozenset()) | values
        else:
            rest.append(alternative)
    single: list[Pending] = [{path: (values,)} for path, values in united.items()]
    return single + rest


def _reduced(pending: Pending, widened: bool) -> Conjunct | None:
    """One set a field, or None when a set is empty. Lists of plain strings go first: they decide most."""
    reduced: dict[str, FieldSet] = {}
    for path, sets in pending.items():
        first, *rest = sorted(sets, key=lambda values: (not is_plain(values), sorted(map(repr, values))))
        try:
            _check_array(path, sets, reduced)
        except InexpressibleError:
            if not widened:
                raise
            rest = []
            if any(_same_array(path, other) for other in reduced):
                continue
        for other in rest:
            first = _met(path, first, other, widened)
        if not first:
            return None
        reduced[path] = first
    return reduced


def _met(path: str, first: FieldSet, second: FieldSet, widened: bool) -> FieldSet:
    try:
        return meet(path, first, second)
    except InexpressibleError:
        if not widened:
            raise
        return first


def _same_array(path: str, other: str) -> bool:
    return path.rpartition(".")[0] == other.rpartition(".")[0]


def _check_array(path: str, sets: Sequence[FieldSet], others: Mapping[str, FieldSet]) -> None:
    kind = field_type(path)
    if kind is None or kind.array is Array.NO:
        return
    if len(set(sets)) > 1 or any(_same_array(path, other) for other in others):
        raise InexpressibleError(
            Code.ARRAY_PAIR, path, "two tests below one array", "one test: an element cannot be pinned"
        )


def is_plain(values: FieldSet) -> bool:
    """Whether the set is a list of strings."""
    return all(isinstance(atom, Text) and atom.glob.literal is not None for atom in values)


def _merged(alternatives: list[Conjunct]) -> list[Conjunct]:
    """Alternatives that differ in one field only become one; an alternative that is there twice stays once."""
    for place, first in enumerate(alternatives):
        for second in alternatives[place + 1 :]:
            merged = _merge(first, second)
            if merged is not None:
                rest = [other for other in alternatives if other is not first and other is not second]
                return _merged([*rest, merged])
    return alternatives


def _merge(first: Conjunct, second: Conjunct) -> Conjunct | None:
    if first.keys() != second.keys():
        return None
    different = [path for path in first if first[path] != second[path]]
    if len(different) > 1:
        return None
    return {path: values | second[path] for path, values in first.items()}


def only(condition: Condition, fields: frozenset[str]) -> Condition:
    """A wider condition that asks for nothing but these fields: every other test is taken to hold.

    So is a test that tells a secret: what members forward is made of this.
    """
    return _only(negations_inward(condition), fields)


def _only(condition: Condition, fields: frozenset[str]) -> Condition:
    match condition:
        case All(parts):
            return All(tuple(_only(part, fields) for part in parts))
        case Either(parts):
            return Either(tuple(_only(part, fields) for part in parts))
        case Not(test):
            assert isinstance(test, Test)  # negations stand inward
            return condition if _stays(test, fields) else All(())
        case _:
            return condition if _stays(condition, fields) else All(())


def _stays(test: Test, fields: frozenset[str]) -> bool:
    return test.field in fields and not (isinstance(test, Matches) and test.secret)
