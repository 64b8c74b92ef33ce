"""The filter pattern language of CloudWatch Logs: build, print, parse, match.

Four languages share one string, told apart by the first character: JSON selectors (``{``), space-delimited
fields (``[``), a lone regular expression (``%``) and terms. Source: CloudWatch Logs user guide, "Filter pattern
syntax for metric filters, subscription filters, filter log events, and Live Tail". Where AWS's text is silent or
contradicts itself, the reading taken is stated at the place.
"""

from __future__ import annotations

from dataclasses import dataclass

from orgmon.errors import PatternError
from orgmon.filterpattern.json_selectors import (
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
)
from orgmon.filterpattern.parser import parse_body
from orgmon.filterpattern.space_delimited import AnyFields, Field, FieldCondition, SpaceDelimited
from orgmon.filterpattern.terms import Everything, RegexTerm, Term, Terms
from orgmon.filterpattern.values import Number, Regex, Text

MAX_LENGTH = 1024
"""Characters in a pattern (``PutMetricFilter``, ``AWS::Logs::MetricFilter``)."""

MAX_REGEXES = 2
"""Regular expressions in one pattern."""

Body = Everything | Terms | RegexTerm | JsonSelectors | SpaceDelimited

__all__ = [
    "MAX_LENGTH",
    "MAX_REGEXES",
    "All",
    "Any",
    "AnyElement",
    "AnyFields",
    "AnyMember",
    "Comparison",
    "Condition",
    "Everything",
    "Field",
    "FieldCondition",
    "FilterPattern",
    "Index",
    "Is",
    "JsonSelectors",
    "Member",
    "NotExists",
    "Number",
    "Regex",
    "RegexTerm",
    "Selector",
    "SpaceDelimited",
    "Term",
    "Terms",
    "Text",
    "parse",
]


@dataclass(frozen=True)
class FilterPattern:
    """A pattern that CloudWatch Logs accepts; ``str()`` prints it.

    Raises PatternError when it is over AWS's limits on characters or regular expressions.
    """

    body: Body

    def __post_init__(self) -> None:
        if len(str(self)) > MAX_LENGTH:
            raise PatternError(
                f"the filter pattern has {len(str(self))} characters, and CloudWatch Logs allows {MAX_LENGTH}",
                "split it into patterns for different event names",
            )
        if self.body.regexes() > MAX_REGEXES:
            raise PatternError(
                f"a filter pattern may hold {MAX_REGEXES} regular expressions",
                "use a string with * at its ends",
            )

    def matches(self, message: str) -> bool:
        """Whether a log event with this text is counted. Text that is no JSON never matches a JSON pattern."""
        return self.body.matches(message)

    def __str__(self) -> str:
        return str(self.body)


def parse(text: str) -> FilterPattern:
    """Read a pattern as ``PutMetricFilter`` does. Raises PatternError with the position (from 1) of the fault."""
    if len(text) > MAX_LENGTH:
        raise PatternError(
            f"the filter pattern has {len(text)} characters, and CloudWatch Logs allows {MAX_LENGTH}",
            "split it into patterns for different event names",
        )
    return FilterPattern(parse_body(text))
