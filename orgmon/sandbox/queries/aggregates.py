"""The aggregations of Insights' ``stats``, and the groups that they are made over.

Source: CloudWatch Logs user guide, "stats" (aggregation functions, grouping with ``by``, ``bin``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.queries.fields import Row, milliseconds, moment, number, plain

EVERYTHING = "*"
UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


@dataclass(frozen=True)
class Aggregation:
    """One column: a function over a field (``*`` for whole events), and what it is called."""

    function: str
    field: str
    name: str

    def of(self, rows: Sequence[Row]) -> str | None:
        """Its value over some events; None where nothing is there to be aggregated."""
        if self.field == EVERYTHING:
            return str(len(rows))
        values = [row[self.field] for row in rows if self.field in row]
        if self.function == "count":
            return str(len(values))
        if self.function == "count_distinct":
            return str(len(set(values)))
        return plain(NUMERIC[self.function](self._numbers(values))) if values else None

    def _numbers(self, values: Sequence[str]) -> list[float]:
        numbers = [number(value) for value in values]
        if None in numbers:
            text = f"the sandbox knows {self.function} of numbers only, and {self.field} holds other values"
            raise Refusal("MalformedQueryException", text)
        return [each for each in numbers if each is not None]


@dataclass(frozen=True)
class Key:
    """What events are grouped by: a field, or time in steps of ``step`` milliseconds."""

    field: str
    name: str
    step: int = 0

    def of(self, row: Row) -> str | None:
        """The group of an event; None where it has no such field."""
        value = row.get(self.field)
        if value is None or not self.step:
            return value
        return moment(milliseconds(value) // self.step * self.step)


NUMERIC: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
}
FUNCTIONS = frozenset({"count", "count_distinct", *NUMERIC})
