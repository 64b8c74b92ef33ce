"""The commands of Insights, one after the other over a table of events.

Source: CloudWatch Logs user guide, "CloudWatch Logs Insights language query syntax": ``fields``, ``display``,
``filter``, ``stats``, ``sort`` (numbers after other values; digits within names by their value), ``limit``, ``dedup``
(the first of each in the order of the query; events without the field stay).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.queries.aggregates import Aggregation, Key
from orgmon.sandbox.queries.conditions import Condition, Truth
from orgmon.sandbox.queries.fields import POINTER, Row, number

MOST_ROWS = 10_000
_CHUNK = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Table:
    """Events or groups of them, and which columns are to be shown (none named: time and message)."""

    rows: tuple[Row, ...]
    shown: tuple[str, ...] = ()
    is_grouped: bool = False

    def results(self, limit: int) -> list[list[dict[str, str]]]:
        """The rows as GetQueryResults tells them: the shown fields that are there, and the event's pointer."""
        names = self.shown or ("@timestamp", "@message")
        if not self.is_grouped:
            names = (*names, POINTER)
        kept = self.rows[:limit]
        return [[{"field": name, "value": row[name]} for name in names if name in row] for row in kept]


class Command(ABC):
    """One step of a query."""

    @abstractmethod
    def apply(self, table: Table) -> Table:
        """The table after this step. Raises Refusal where the step cannot be taken with these values."""


@dataclass(frozen=True)
class Fields(Command):
    """``fields`` adds columns, ``display`` replaces them; ``names`` maps each column to the field in it."""

    names: Mapping[str, str]
    replaces: bool = False

    def apply(self, table: Table) -> Table:
        """The same rows with these columns shown."""
        renamed = {name: field for name, field in self.names.items() if name != field}
        rows = tuple(
            {**row, **{name: row[field] for name, field in renamed.items() if field in row}}
            for row in table.rows
        )
        before = () if self.replaces else table.shown
        shown = (*before, *(name for name in self.names if name not in before))
        return replace(table, rows=rows, shown=shown)


@dataclass(frozen=True)
class Filter(Command):
    """Keeps the events of which a condition holds."""

    condition: Condition

    def apply(self, table: Table) -> Table:
        """The rows that fit. Raises Refusal where no source tells whether one does."""
        truths = [self.condition.of(row) for row in table.rows]
        if Truth.UNKNOWN in truths:
            text = (
                "the sandbox does not know whether AWS lets an event through that lacks a field of a negated "
                "comparison, or has no number in it: ask with ispresent, too"
            )
            raise Refusal("MalformedQueryException", text)
        pairs = zip(table.rows, truths, strict=True)
        return replace(table, rows=tuple(row for row, truth in pairs if truth is Truth.TRUE))


@dataclass(frozen=True)
class Stats(Command):
    """Makes one row of each group of events."""

    columns: tuple[Aggregation, ...]
    keys: tuple[Key, ...]

    def apply(self, table: Table) -> Table:
        """The groups in the order in which they were first seen; one row for all where nothing groups them."""
        groups: dict[tuple[str | None, ...], list[Row]] = {} if self.keys else {(): []}
        for row in table.rows:
            groups.setdefault(tuple(key.of(row) for key in self.keys), []).append(row)
        rows = tuple(self._row(group, own) for group, own in groups.items())
        names = (*(key.name for key in self.keys), *(column.name for column in self.columns))
        return Table(rows, names, is_grouped=True)

    def _row(self, group: tuple[str | None, ...], own: list[Row]) -> Row:
        told = {key.name: value for key, value in zip(self.keys, group, strict=True)}
        told |= {column.name: column.of(own) for column in self.columns}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True)
class Sort(Command):
    """Orders the rows by fields, each with whether it descends."""

    fields: tuple[tuple[str, bool], ...]

    def apply(self, table: Table) -> Table:
        """The rows in order; those without the field come last."""
        rows = list(table.rows)
        for field, descends in reversed(self.fields):
            there = [row for row in rows if field in row]
            there.sort(key=lambda row: natural(row[field]), reverse=descends)
            rows = [*there, *(row for row in rows if field not in row)]
        return replace(table, rows=tuple(rows))


@dataclass(frozen=True)
class Limit(Command):
    """Keeps the first rows."""

    count: int

    def apply(self, table: Table) -> Table:
        """So many rows."""
        return replace(table, rows=table.rows[: self.count])


@dataclass(frozen=True)
class Dedup(Command):
    """Keeps the first row of each combination of values."""

    fields: tuple[str, ...]

    def apply(self, table: Table) -> Table:
        """The rows without those that repeat one before; a row without one of the fields repeats nothing."""
        seen: set[tuple[str, ...]] = set()
        kept: list[Row] = []
        for row in table.rows:
            values = tuple(row[field] for field in self.fields if field in row)
            if len(values) < len(self.fields) or values not in seen:
                kept.append(row)
                seen.add(values)
        return replace(table, rows=tuple(kept))


def natural(text: str) -> tuple[Any, ...]:
    """Where a value stands in an ascending order: other values before numbers, their digits by length and value."""
    value = number(text)
    if value is not None:
        return (1, value)
    pieces = _CHUNK.split(text)
    return (0, tuple((len(piece), piece) if index % 2 else (0, piece) for index, piece in enumerate(pieces)))
