"""A test of plain JSON of any shape: what differs by service, and is parsed only when a condition gets that far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from orgmon.detections.condition import Absent, Test, values_at
from orgmon.detections.fields import Array, field_type
from orgmon.replay.inline import inline
from orgmon.replay.paths import breaks


def first_text(value: Any, rest: tuple[str, ...]) -> str | None:
    """The first plain value that ``rest`` leads to, as a text, or None."""
    texts = (str(leaf) for leaf in values_at(value, rest) if isinstance(leaf, str | bool | int | float))
    return next(texts, None)


def anywhere(
    test: Test, rest: tuple[str, ...], missing: object, note: Callable[[str], None]
) -> Callable[[Any], bool]:
    """A test of the values that ``rest`` leads to, through plain JSON of any shape; odd types are noted."""
    fits, slow = _fits(test, missing), _of_any_shape(test, rest, missing, note)
    known = field_type(test.field)
    texts = str if known is None or known.array is Array.NO else None
    gone = isinstance(test, Absent)

    def holds(value: Any) -> bool:
        leaf = value
        for name in rest:
            if leaf.__class__ is not dict:
                return gone if leaf is missing or leaf is None else slow(value)
            leaf = leaf.get(name, missing)
        return gone if leaf is missing else fits(leaf) if leaf.__class__ is texts else slow(value)

    return holds


def _of_any_shape(
    test: Test, rest: tuple[str, ...], missing: object, note: Callable[[str], None]
) -> Callable[[Any], bool]:
    known = field_type(test.field)

    def seen(value: Any) -> Iterable[object]:
        if known is not None and breaks(known, value, rest):
            note(test.field)
        return values_at(value, rest)

    if isinstance(test, Absent):
        return lambda value: all(leaf is None for leaf in seen(value))
    fits = _fits(test, missing)
    return lambda value: any(fits(leaf) for leaf in seen(value))


def _fits(test: Test, missing: object) -> Callable[[Any], bool]:
    """The test of one value as a function of its own."""
    constants: dict[str, Any] = {"U": missing}

    def constant(value: object) -> str:
        constants[f"c{len(constants)}"] = value
        return f"c{len(constants) - 1}"

    fits: Callable[[Any], bool] = eval(f"lambda v: {inline(test, 'v', constant)[1]}", constants)  # noqa: S307
    return fits
