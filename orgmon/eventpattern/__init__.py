"""The event pattern language of EventBridge: build, print, parse, match.

The meaning is that of AWS's own matcher, aws/event-ruler. What surprises: one field named twice on a path is
replaced, not ANDed; ``anything-but`` takes null but never a missing field; ``exists`` looks at leaves only; two
fields below one array must match in the same element.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orgmon.errors import PatternError
from orgmon.eventpattern.events import Leaf, agree, by_paths
from orgmon.eventpattern.matchers import (
    AnythingBut,
    Cidr,
    Exact,
    Exists,
    IgnoreCase,
    Matcher,
    Numeric,
    Prefix,
    Suffix,
    Wildcard,
)
from orgmon.eventpattern.parser import Rule, parse_rules

MAX_LENGTH = 2048
"""Characters of a pattern that ``PutRule`` takes unless the quota (L-664C5505) was raised."""

API_MAX_LENGTH = 4096
"""Characters that the API takes at all."""

__all__ = [
    "API_MAX_LENGTH",
    "MAX_LENGTH",
    "AnythingBut",
    "Cidr",
    "EventPattern",
    "Exact",
    "Exists",
    "IgnoreCase",
    "Leaf",
    "Matcher",
    "Numeric",
    "Prefix",
    "Suffix",
    "Wildcard",
    "by_paths",
    "parse",
]


@dataclass(frozen=True)
class EventPattern:
    """A pattern that EventBridge accepts. Two are equal when their text is.

    ``rules`` is the same pattern without ``$or``: one mapping from path to matchers for every branch.
    """

    text: str
    rules: tuple[Rule, ...] = field(compare=False, repr=False)

    @property
    def has_wildcards(self) -> bool:
        """Whether it counts against the rules with wildcards that a bus may have."""
        return any(
            matcher.complexity() for rule in self.rules for matchers in rule.values() for matcher in matchers
        )

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether EventBridge hands the event (the whole envelope, as parsed JSON) to the rule's targets."""
        return self.takes(by_paths(event))

    def takes(self, event: Mapping[str, Sequence[Leaf]]) -> bool:
        """The same for an event that many patterns look at: see ``by_paths``."""
        return any(_fits(list(rule.items()), event, ()) for rule in self.rules)

    def to_dict(self) -> dict[str, Any]:
        """The pattern as parsed JSON; every call makes a new one."""
        document: dict[str, Any] = json.loads(self.text)
        return document

    def __str__(self) -> str:
        return self.text


def parse(pattern: str | Mapping[str, Any]) -> EventPattern:
    """Read a pattern as ``PutRule`` does. Raises PatternError that names the field and the construct."""
    document = _document(pattern)
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    if len(text) > API_MAX_LENGTH:
        raise PatternError(
            f"the event pattern has {len(text)} characters, and EventBridge allows {API_MAX_LENGTH}",
            "split it into rules for different event names",
        )
    return EventPattern(text, parse_rules(document))


def _document(pattern: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(pattern, str):
        return pattern
    try:
        document = json.loads(pattern)
    except ValueError as error:
        raise PatternError(f"an event pattern is JSON: {error}", "correct the JSON") from error
    if not isinstance(document, dict):
        raise PatternError("an event pattern is a JSON object", "write {...}")
    return document


def _fits(
    wanted: list[tuple[str, tuple[Matcher, ...]]],
    by_path: Mapping[str, Sequence[Leaf]],
    chosen: tuple[Leaf, ...],
) -> bool:
    """Whether leaves can be chosen for every path that agree on the array elements they come from."""
    if not wanted:
        return True
    (path, matchers), rest = wanted[0], wanted[1:]
    candidates = by_path.get(path, ())
    if not candidates and any(matcher.takes_absent for matcher in matchers):
        return _fits(rest, by_path, chosen)
    return any(
        any(matcher.fits(leaf.value) for matcher in matchers)
        and all(agree(leaf, other) for other in chosen)
        and _fits(rest, by_path, (*chosen, leaf))
        for leaf in candidates
    )
