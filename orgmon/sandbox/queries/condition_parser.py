"""The conditions of Insights' ``filter``, read from the words of a query."""

from __future__ import annotations

import re

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.queries.conditions import All, Any, Condition, Equal, Like, Not, Ordered, Present
from orgmon.sandbox.queries.fields import number
from orgmon.sandbox.queries.tokens import Token, malformed

_KEYWORDS = frozenset({"and", "or", "not", "like", "in", "as", "by", "asc", "desc"})
_PRESENCE = frozenset({"ispresent", "isempty", "isblank"})


class ConditionParser:
    """A place in the words of a query. Every method takes what it names, or raises Refusal at that place."""

    def __init__(self, query: str, words: tuple[Token, ...]) -> None:
        self._query = query
        self._words = words
        self._next = 0

    @property
    def here(self) -> Token:
        """The word that comes next."""
        return self._words[self._next]

    def advance(self) -> Token:
        """Take the next word."""
        word = self.here
        self._next += 1
        return word

    def accept(self, text: str) -> bool:
        """Take the next word if it is this one; keywords may be written in capitals."""
        word = self.here
        is_it = word.text == text or (word.kind == "name" and text in _KEYWORDS and word.text.lower() == text)
        if is_it and word.kind in ("name", "sign"):
            self._next += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Take this word."""
        if not self.accept(text):
            raise self.fail(repr(text))

    def fail(self, wanted: str) -> Refusal:
        """The refusal of what stands here."""
        found = repr(self.here.text) if self.here.text else "the end"
        return malformed(f"{wanted} expected, found {found}", self.here.at, max(1, len(self.here.text)))

    def written_since(self, begin: Token) -> str:
        """The query's text from a word up to here."""
        last = self._words[self._next - 1]
        return self._query[begin.at : last.at + len(last.text)]

    def field(self) -> str:
        """The name of a field."""
        if self.here.kind != "name" or self.here.text.lower() in _KEYWORDS:
            raise self.fail("a field")
        return self.advance().value

    def condition(self) -> Condition:
        """Conditions with ``or`` between them: the weakest word."""
        parts = [self.both()]
        while self.accept("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def both(self) -> Condition:
        """Conditions with ``and`` between them."""
        parts = [self.single()]
        while self.accept("and"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def single(self) -> Condition:
        """A condition, its opposite, or a group in parentheses."""
        if self.accept("not"):
            return Not(self.single())
        if self.accept("("):
            inner = self.condition()
            self.expect(")")
            return inner
        if self.here.text in _PRESENCE:
            function = self.advance().text
            self.expect("(")
            presence = Present(self.field(), function)
            self.expect(")")
            return presence
        return self.comparison(self.field())

    def comparison(self, field: str) -> Condition:
        """What is asked of a field."""
        if self.accept("not"):
            return Not(self.like_or_in(field))
        if self.accept("=~"):
            return Like(field, self.regex())
        for sign in ("=", "!=", "<=", ">=", "<", ">"):
            if self.accept(sign):
                return self.compared(field, sign)
        return self.like_or_in(field)

    def compared(self, field: str, sign: str) -> Condition:
        """A comparison with a value."""
        if sign in ("=", "!="):
            equal = Equal(field, (self.constant(),))
            return equal if sign == "=" else Not(equal)
        bound = number(self.here.value) if self.here.kind in ("number", "string") else None
        if bound is None:
            raise self.fail("a number")
        self.advance()
        return Ordered(field, sign, bound)

    def like_or_in(self, field: str) -> Condition:
        """``like "text"``, ``like /expression/`` or ``in ["a", "b"]``."""
        if self.accept("like"):
            if self.here.kind == "string":
                return Like(field, re.compile(re.escape(self.advance().value)))
            return Like(field, self.regex())
        self.expect("in")
        self.expect("[")
        values = [self.constant()]
        while self.accept(","):
            values.append(self.constant())
        self.expect("]")
        return Equal(field, tuple(values))

    def constant(self) -> str:
        """A string or a number."""
        if self.here.kind not in ("string", "number"):
            raise self.fail("a string or a number")
        return self.advance().value

    def regex(self) -> re.Pattern[str]:
        """An expression between slashes."""
        if self.here.kind != "regex":
            raise self.fail("an expression between slashes")
        try:
            return re.compile(self.here.text[1:-1].replace("\\/", "/"))
        except re.error as error:
            raise self.fail(f"an expression that can be read ({error})") from error
        finally:
            self.advance()
