"""Text to filter pattern: a recursive descent over the four languages."""

from __future__ import annotations

import re

from orgmon.errors import PatternError
from orgmon.filterpattern.json_selectors import (
    PLAIN_NAME,
    All,
    Any,
    AnyElement,
    AnyMember,
    Comparison,
    Condition,
    Index,
    Is,
    JsonSelectors,
    Member,
    NotExists,
    Selector,
    Step,
)
from orgmon.filterpattern.space_delimited import NAME, AnyFields, Field, FieldCondition, SpaceDelimited
from orgmon.filterpattern.terms import WORD, Everything, RegexTerm, Term, Terms
from orgmon.filterpattern.values import BARE, NUMBER, Number, Regex, Text, Value

SPACE = re.compile(r"\s*")
OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
PERCENT = re.compile(r"%([^%]*)%")
UNQUOTED = re.compile(r"[A-Za-z0-9_.*+-]+")
IS = re.compile(r"IS\s+(NULL|TRUE|FALSE)\b")
NOT_EXISTS = re.compile(r"NOT\s+EXISTS\b")
BRACKET_NAME = re.compile(r"\.\['([^']*)'\]")
INDEX = re.compile(r"\[([0-9]+)\]")
CONSTANTS: dict[str, bool | None] = {"NULL": None, "TRUE": True, "FALSE": False}


def parse_body(text: str) -> Everything | Terms | RegexTerm | JsonSelectors | SpaceDelimited:
    """The pattern's content, in the language that its first character says."""
    stripped = text.strip()
    if not stripped or re.fullmatch(r'"\s*"', stripped):
        return Everything()
    reader = _Reader(stripped)
    if stripped[0] == "{":
        return reader.json_pattern()
    if stripped[0] == "[":
        return reader.space_delimited()
    if lone := PERCENT.fullmatch(stripped):
        return RegexTerm(Regex(lone[1]))
    return reader.terms()


def unescape(text: str) -> str:
    r"""The content of a quoted string: ``\"`` is a quote and ``\\`` a backslash; other backslashes stay."""
    return re.sub(r'\\(["\\])', r"\1", text)


class _Reader:
    """A place in a text. Every method takes what it names, or raises PatternError at that place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, what: str) -> PatternError:
        """The error for what is found here."""
        here = self.text[self.at : self.at + 20] or "the end"
        return PatternError(
            f"not a filter pattern: {what} expected at character {self.at + 1}, found {here!r}",
            "see 'Filter pattern syntax' in the CloudWatch Logs user guide",
        )

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the expression matches here, with the spaces before it skipped."""
        self.skip()
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def skip(self) -> None:
        """Go past spaces."""
        spaces = SPACE.match(self.text, self.at)
        self.at = spaces.end() if spaces else self.at

    def accept(self, literal: str) -> bool:
        """Take the literal if it stands here."""
        self.skip()
        if not self.text.startswith(literal, self.at):
            return False
        self.at += len(literal)
        return True

    def expect(self, literal: str) -> None:
        """Take the literal."""
        if not self.accept(literal):
            raise self.fail(repr(literal))

    def end(self) -> None:
        """Nothing may follow."""
        self.skip()
        if self.at != len(self.text):
            raise self.fail("the end")

    def json_pattern(self) -> JsonSelectors:
        """``{ condition }``."""
        self.expect("{")
        condition = self.any_of()
        self.expect("}")
        self.end()
        return JsonSelectors(condition)

    def any_of(self) -> Condition:
        """Conditions with ``||`` between them: the weakest operator."""
        parts = [self.all_of()]
        while self.accept("||"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def all_of(self) -> Condition:
        """Conditions with ``&&`` between them."""
        parts = [self.primary()]
        while self.accept("&&"):
            parts.append(self.primary())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def primary(self) -> Condition:
        """A condition, or a group in parentheses."""
        if not self.accept("("):
            return self.condition()
        inner = self.any_of()
        self.expect(")")
        return inner

    def condition(self) -> Condition:
        """A selector and what is asked of it."""
        selector = self.selector()
        if self.take(NOT_EXISTS):
            return NotExists(selector)
        if constant := self.take(IS):
            return Is(selector, CONSTANTS[constant[1]])
        return Comparison(selector, self.operator(), self.value())

    def selector(self) -> Selector:
        """``$.a[0].b``."""
        self.expect("$")
        steps: list[Step] = []
        while (step := self.step()) is not None:
            steps.append(step)
        if not steps:
            raise self.fail("a selector such as $.eventName")
        return Selector(tuple(steps))

    def step(self) -> Step | None:
        """One step of a selector; no space may stand inside a selector."""
        if named := BRACKET_NAME.match(self.text, self.at):
            self.at = named.end()
            return Member(named[1])
        if index := INDEX.match(self.text, self.at):
            self.at = index.end()
            return Index(int(index[1]))
        for literal, step in (("[*]", AnyElement()), (".*", AnyMember())):
            if self.text.startswith(literal, self.at):
                self.at += len(literal)
                return step
        return self.plain_member()

    def plain_member(self) -> Member | None:
        """``.name``."""
        if not self.text.startswith(".", self.at):
            return None
        name = PLAIN_NAME.match(self.text, self.at + 1)
        if name is None:
            raise self.fail("a name after the dot")
        self.at = name.end()
        return Member(name[0])

    def operator(self) -> str:
        """A comparison sign."""
        sign = self.take(OPERATOR)
        if sign is None:
            raise self.fail("an operator")
        return sign[0]

    def value(self) -> Value:
        """A quoted string, a regular expression, a number or a bare word."""
        if quoted := self.take(QUOTED):
            return Text(unescape(quoted[1]))
        if regex := self.take(PERCENT):
            return Regex(regex[1])
        word = self.take(UNQUOTED)
        if word is None:
            raise self.fail("a value")
        if NUMBER.fullmatch(word[0]):
            return Number(float(word[0]) if set(word[0]) & set(".e") else int(word[0]))
        if not BARE.fullmatch(word[0]):
            raise self.fail("a value in double quotes")
        return Text(word[0], quoted=False)

    def space_delimited(self) -> SpaceDelimited:
        """``[field, ..., field]``."""
        self.expect("[")
        fields: list[Field | AnyFields] = [self.field()]
        while self.accept(","):
            fields.append(self.field())
        self.expect("]")
        self.end()
        return SpaceDelimited(tuple(fields))

    def field(self) -> Field | AnyFields:
        """A name, alone or with conditions that repeat the name."""
        if self.accept("..."):
            return AnyFields()
        name = self.name()
        self.skip()
        if not OPERATOR.match(self.text, self.at):
            return Field(name)
        alternatives = [self.field_conditions(name, first=True)]
        while self.accept("||"):
            alternatives.append(self.field_conditions(name, first=False))
        return Field(name, tuple(alternatives))

    def field_conditions(self, name: str, *, first: bool) -> tuple[FieldCondition, ...]:
        """Conditions with ``&&`` between them; the name of the very first one has been taken."""
        if not first:
            self.same_name(name)
        conditions = [FieldCondition(self.operator(), self.value())]
        while self.accept("&&"):
            self.same_name(name)
            conditions.append(FieldCondition(self.operator(), self.value()))
        return tuple(conditions)

    def same_name(self, name: str) -> None:
        """The name again: one slot cannot hold conditions about two fields."""
        if self.name() != name:
            raise self.fail(f"a condition about {name}")

    def name(self) -> str:
        """The name of a field."""
        name = self.take(NAME)
        if name is None:
            raise self.fail("the name of a field")
        return name[0]

    def terms(self) -> Terms:
        """Terms until the end."""
        terms: list[Term] = []
        while self.at < len(self.text):
            terms.append(self.term())
            if self.at < len(self.text) and not self.text[self.at].isspace():
                raise self.fail("a space, or quotes around the term")
            self.skip()
        return Terms(tuple(terms))

    def term(self) -> Term:
        """One term with its sign."""
        sign = self.text[self.at] if self.text[self.at] in "?-" else ""
        self.at += len(sign)
        for pattern, group in ((QUOTED, 1), (WORD, 0)):
            match = pattern.match(self.text, self.at)
            if match is not None and match[group]:
                self.at = match.end()
                return Term(unescape(match[1]) if group else match[0], sign)
        raise self.fail("a term of letters and digits, or a quoted phrase")
