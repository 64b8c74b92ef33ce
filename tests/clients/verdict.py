"""What was compared, whether it held, and the table of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.clients.programs import Program
from tests.clients.rollout import Rollout

# How many differences of one comparison are shown, and how much of each value.
SHOWN = 6
LONGEST = 160


@dataclass(frozen=True)
class Comparison:
    """One thing that a client says, and what it should say."""

    what: str
    expected: Any
    found: Any

    @property
    def differences(self) -> tuple[str, ...]:
        """Where the two differ, each with both values; none where they do not."""
        return tuple(_differences("", self.expected, self.found))


@dataclass(frozen=True)
class Client:
    """An outside program: what is installed for it, whose version counts, and what it is asked."""

    name: str
    requirements: tuple[str, ...]
    package: str
    compare: Callable[[Program, Rollout], Iterable[Comparison]]


@dataclass(frozen=True)
class Row:
    """One line of the table; ``verdict`` is "held" or what else happened, and ``reasons`` say why."""

    client: str
    version: str
    what: str
    verdict: str = "held"
    reasons: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """True where nothing differs and nothing broke off."""
        return self.verdict == "held"


def show(console: Console, rows: Sequence[Row]) -> None:
    """Print the table, and below it why what did not hold did not."""
    table = Table("client", "version", "what was compared", "", box=None)
    for row in rows:
        table.add_row(row.client, row.version, row.what, row.verdict)
    console.print(table, highlight=False)
    for row in rows:
        shown = list(row.reasons[:SHOWN])
        if len(row.reasons) > SHOWN:
            shown.append(f"and {len(row.reasons) - SHOWN} more")
        for reason in shown:
            text = ": ".join(filter(None, (row.client, row.what, reason)))
            console.print(text, highlight=False, markup=False, soft_wrap=True)


def _differences(where: str, expected: Any, found: Any) -> Iterator[str]:
    if expected == found:
        return
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        yield from _strangers(where, expected.keys(), found.keys())
        for key in sorted(expected.keys() & found.keys()):
            yield from _differences(f"{where}{key}: ", expected[key], found[key])
    elif isinstance(expected, AbstractSet) and isinstance(found, AbstractSet):
        yield from _strangers(where, expected, found)
    else:
        yield f"{where}expected {_short(expected)}, found {_short(found)}"


def _strangers(where: str, expected: AbstractSet[Any], found: AbstractSet[Any]) -> Iterator[str]:
    yield from (f"{where}{each} is missing" for each in sorted(expected - found))
    yield from (f"{where}{each} should not be there" for each in sorted(found - expected))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
