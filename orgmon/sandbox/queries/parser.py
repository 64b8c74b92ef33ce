"""An Insights query as the commands that it is made of. What is not known here is refused, never passed over."""

from __future__ import annotations

import re
from collections.abc import Callable

from orgmon.sandbox.queries.aggregates import EVERYTHING, FUNCTIONS, UNITS, Aggregation, Key
from orgmon.sandbox.queries.commands import Command, Dedup, Fields, Filter, Limit, Sort, Stats
from orgmon.sandbox.queries.condition_parser import ConditionParser
from orgmon.sandbox.queries.tokens import tokens

_SPAN = re.compile(r"(\d+)([a-z]+)")


def parse(query: str) -> tuple[Command, ...]:
    """The commands of a query. Raises Refusal (MalformedQueryException) with the place of what is not understood."""
    return _Parser(query, tuple(tokens(query))).query()


class _Parser(ConditionParser):
    """Every method takes what it names, or raises Refusal at that place."""

    def query(self) -> tuple[Command, ...]:
        """Commands with ``|`` between them."""
        commands = [self.command()]
        while self.accept("|"):
            commands.append(self.command())
        if self.here.kind != "end":
            raise self.fail("'|' or the end")
        return tuple(commands)

    def command(self) -> Command:
        """One command by its name."""
        readers: dict[str, Callable[[], Command]] = {
            "fields": self.fields,
            "display": lambda: Fields(self.columns(), replaces=True),
            "filter": lambda: Filter(self.condition()),
            "stats": self.stats,
            "sort": self.sort,
            "limit": self.limit,
            "dedup": lambda: Dedup(tuple(self.names())),
        }
        reader = readers.get(self.here.text)
        if reader is None or self.here.kind != "name":
            raise self.fail(f"one of the commands that the sandbox knows ({', '.join(readers)})")
        self.advance()
        return reader()

    def fields(self) -> Command:
        """Columns that are added."""
        return Fields(self.columns())

    def columns(self) -> dict[str, str]:
        """Fields with or without another name."""
        named: dict[str, str] = {}
        while True:
            field = self.field()
            named[self.field() if self.accept("as") else field] = field
            if not self.accept(","):
                return named

    def names(self) -> list[str]:
        """Fields with commas between them."""
        names = [self.field()]
        while self.accept(","):
            names.append(self.field())
        return names

    def stats(self) -> Command:
        """Aggregations, and what they are grouped by."""
        columns = [self.aggregation()]
        while self.accept(","):
            columns.append(self.aggregation())
        keys: list[Key] = []
        if self.accept("by"):
            keys.append(self.key())
            while self.accept(","):
                keys.append(self.key())
        return Stats(tuple(columns), tuple(keys))

    def aggregation(self) -> Aggregation:
        """A function of a field, with or without a name of its own."""
        begin = self.here
        if begin.text not in FUNCTIONS:
            raise self.fail(f"one of the functions that the sandbox knows ({', '.join(sorted(FUNCTIONS))})")
        self.advance()
        self.expect("(")
        is_whole = begin.text == "count" and (self.accept("*") or self.here.text == ")")
        field = EVERYTHING if is_whole else self.field()
        self.expect(")")
        written = self.written_since(begin)
        return Aggregation(begin.text, field, self.field() if self.accept("as") else written)

    def key(self) -> Key:
        """A field, or ``bin(5m)``."""
        begin = self.here
        if begin.text != "bin":
            field = self.field()
            return Key(field, self.field() if self.accept("as") else field)
        self.advance()
        self.expect("(")
        step = self.span()
        self.expect(")")
        written = self.written_since(begin)
        return Key("@timestamp", self.field() if self.accept("as") else written, step)

    def span(self) -> int:
        """A period in milliseconds."""
        match = _SPAN.fullmatch(self.here.text)
        if match is None or match[2] not in UNITS or not int(match[1]):
            raise self.fail(f"a period in {', '.join(UNITS)}")
        self.advance()
        return int(match[1]) * UNITS[match[2]]

    def sort(self) -> Command:
        """Fields, each ascending unless told otherwise."""
        fields = [self.sorted_field()]
        while self.accept(","):
            fields.append(self.sorted_field())
        return Sort(tuple(fields))

    def sorted_field(self) -> tuple[str, bool]:
        """A field (or a column by the text that made it), and whether it descends."""
        begin = self.here
        if self.here.text in FUNCTIONS or self.here.text == "bin":
            name = (self.key() if begin.text == "bin" else self.aggregation()).name
        else:
            name = self.field()
        if self.accept("desc"):
            return name, True
        self.accept("asc")
        return name, False

    def limit(self) -> Command:
        """So many rows."""
        if not self.here.text.isdigit() or not int(self.here.text):
            raise self.fail("a number of rows")
        return Limit(int(self.advance().text))
