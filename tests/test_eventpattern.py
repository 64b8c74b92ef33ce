"""The event pattern language: recorded answers of AWS's matcher, round trips, limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon import eventpattern as ep
from orgmon.errors import PatternError
from orgmon.eventpattern.matchers import wildcard_complexity

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors" / "event_patterns.json").read_text(encoding="utf-8")
)


def outcome(vector: dict[str, Any]) -> str:
    event = json.loads(vector["event_text"]) if "event_text" in vector else vector["event"]
    try:
        pattern = ep.parse(vector["pattern_text"] if "pattern_text" in vector else vector["pattern"])
    except PatternError:
        return "invalid"
    return "match" if pattern.matches(event) else "no_match"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_recorded_answers(vector: dict[str, Any]) -> None:
    assert outcome(vector) == vector["expected"], vector["why"]


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["expected"] != "invalid"],
    ids=lambda vector: vector["id"],
)
def test_printing_is_stable(vector: dict[str, Any]) -> None:
    pattern = ep.parse(vector["pattern_text"] if "pattern_text" in vector else vector["pattern"])
    assert ep.parse(str(pattern)) == pattern
    assert ep.parse(pattern.to_dict()) == pattern
    assert ep.parse(str(pattern)).rules == pattern.rules


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("a*b", 2),
        ("*x*", 3),
        ("*a*b*", 4),
        ("*AWS*Admin*", 5),
        ("*:*:*:*", 7),
        ("*:*:*:*:*", 9),
        ("*:*:*:*:*:event-bus/*", 11),
    ],
)
def test_wildcard_complexity_is_that_of_the_matcher(text: str, score: int) -> None:
    assert wildcard_complexity(text) == score


def test_wildcards_of_one_field_add_up() -> None:
    assert ep.parse({"f": [{"wildcard": "*w*"}, {"wildcard": "*v*"}]})
    with pytest.raises(PatternError, match="f are too complex"):
        ep.parse({"f": [{"wildcard": f"*{name}*"} for name in "wxyz"]})


def test_a_later_field_replaces_what_or_said() -> None:
    pattern = ep.parse('{"$or":[{"f":["a"]},{"g":["b"]}],"f":["c"]}')
    assert pattern.matches({"f": "c"})
    assert not pattern.matches({"f": "a"})


def test_reserved_names_make_or_a_field() -> None:
    pattern = ep.parse({"$or": [{"prefix": "a"}]})
    assert pattern.matches({"$or": "abc"})


@pytest.mark.parametrize("operator", ["prefix", "suffix"])
@pytest.mark.parametrize(
    "value", ["", ["a", ""], {"equals-ignore-case": "a"}, [{"equals-ignore-case": "a"}], 7]
)
def test_what_anything_but_does_not_take(operator: str, value: object) -> None:
    """AWS's matcher: a null prefix or suffix is not allowed, and it is a string."""
    with pytest.raises(PatternError, match=f"{operator} inside anything-but"):
        ep.parse({"f": [{"anything-but": {operator: value}}]})


@pytest.mark.parametrize("value", [7, [7], ["a", 7], {"prefix": "a"}, [["a"]]])
def test_ignoring_case_inside_anything_but_takes_strings(value: object) -> None:
    with pytest.raises(PatternError, match="equals-ignore-case"):
        ep.parse({"f": [{"anything-but": {"equals-ignore-case": value}}]})


def test_too_long() -> None:
    with pytest.raises(PatternError, match="4096"):
        ep.parse({"f": ["x" * 5000]})


names = st.sampled_from(["a", "b", "c", "d-e"])
texts = st.text("ab*\\é ", max_size=5)
matchers: st.SearchStrategy[ep.Matcher] = st.one_of(
    st.builds(ep.Exact, st.one_of(texts, st.integers(-9, 9), st.booleans(), st.none())),
    st.builds(ep.Prefix, texts, st.booleans()),
    st.builds(ep.Suffix, texts, st.booleans()),
    st.builds(ep.IgnoreCase, texts),
    st.builds(ep.Wildcard, st.sampled_from(["a*b", r"a\*b", r"\\*", "*a"])),
    st.builds(ep.Exists, st.booleans()),
    st.builds(ep.Numeric, st.just(((">", 0), ("<=", 5)))),
    st.builds(ep.Cidr, st.just("10.0.0.0/8")),
    st.lists(texts, min_size=1, max_size=3).map(lambda values: ep.AnythingBut(tuple(map(ep.Exact, values)))),
    st.lists(texts.filter(bool), min_size=1, max_size=3).map(
        lambda values: ep.AnythingBut(tuple(map(ep.Prefix, values)), plain=False)
    ),
)


@pytest.mark.slow
@given(st.dictionaries(names, st.lists(matchers, min_size=1, max_size=3), min_size=1, max_size=3))
def test_parse_undoes_print(fields: dict[str, list[ep.Matcher]]) -> None:
    document = {
        name: [matcher.to_json() for matcher in alternatives] for name, alternatives in fields.items()
    }
    try:
        pattern = ep.parse(document)
    except PatternError as error:
        if "too complex" not in error.what:  # three wildcards on one field can be that
            raise
        return
    assert pattern.rules == ({name: tuple(alternatives) for name, alternatives in fields.items()},)
    assert ep.parse(str(pattern)) == pattern
