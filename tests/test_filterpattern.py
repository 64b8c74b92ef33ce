"""The filter pattern language: recorded vectors, round trips, limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon import filterpattern as fp
from orgmon.errors import PatternError

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors" / "filter_patterns.json").read_text(encoding="utf-8")
)


def outcome(pattern: str, message: str) -> str:
    try:
        return "match" if fp.parse(pattern).matches(message) else "no_match"
    except PatternError:
        return "invalid"


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["confidence"] != "doubt"],
    ids=lambda vector: vector["id"],
)
def test_recorded_answers(vector: dict[str, Any]) -> None:
    assert outcome(vector["pattern"], vector["message"]) == vector["expected"], vector["why"]


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["expected"] != "invalid"],
    ids=lambda vector: vector["id"],
)
def test_printing_keeps_the_meaning(vector: dict[str, Any]) -> None:
    pattern = fp.parse(vector["pattern"])
    assert fp.parse(str(pattern)) == pattern


words = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,6}", fullmatch=True)
members = st.one_of(words, st.sampled_from(["cluster.name", "a b", "x:y"])).map(fp.Member)
plain_steps = st.one_of(members, st.integers(0, 9).map(fp.Index))
selectors = st.lists(plain_steps, min_size=1, max_size=4).map(lambda steps: fp.Selector(tuple(steps)))
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12).map(fp.Text)
numbers = st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False)).map(
    fp.Number
)
bare = st.sampled_from(["UpdateTrail", "kms.amazonaws.com", "123.123.*", "4*", "*"]).map(
    lambda t: fp.Text(t, False)
)
comparisons = st.one_of(
    st.builds(fp.Comparison, selectors, st.sampled_from(["=", "!="]), st.one_of(texts, numbers, bare)),
    st.builds(fp.Comparison, selectors, st.sampled_from(["<", "<=", ">", ">="]), numbers),
)
leaves = st.one_of(
    comparisons,
    st.builds(fp.Is, selectors, st.sampled_from([None, True, False])),
    st.builds(fp.NotExists, selectors),
)
conditions: st.SearchStrategy[fp.Condition] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: fp.All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: fp.Any(tuple(parts))),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(conditions)
def test_parse_undoes_print(condition: fp.Condition) -> None:
    body = fp.JsonSelectors(condition)
    if len(str(body)) > fp.MAX_LENGTH:
        return
    pattern = fp.FilterPattern(body)
    assert fp.parse(str(pattern)) == pattern
    assert str(fp.parse(str(pattern))) == str(pattern)


@pytest.mark.slow
@given(
    st.lists(
        st.builds(fp.Term, words | st.just('a "b" [c]\\'), st.sampled_from(["", "?", "-"])),
        min_size=1,
        max_size=4,
    )
)
def test_terms_survive_printing(terms: list[fp.Term]) -> None:
    clean = tuple(fp.Term(term.text.strip("-"), term.sign) for term in terms)
    pattern = fp.FilterPattern(fp.Terms(clean))
    assert fp.parse(str(pattern)) == pattern


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        (
            "[ip, id, user, time, request, status, bytes]",
            '10.0.0.1 - frank [10/Oct] "GET /a HTTP/1.0" 200 5',
            True,
        ),
        ("[ip, ..., status = 4*, bytes]", '10.0.0.1 - frank [10/Oct] "GET /a HTTP/1.0" 404 5', True),
        ("[ip, ..., status = 4*, bytes]", '10.0.0.1 - frank [10/Oct] "GET /a HTTP/1.0" 200 5', False),
        ("[ip, ..., bytes > 1000]", "10.0.0.1 x 1001", True),
        ("[ip, ..., bytes > 1000]", "10.0.0.1 x 1000", False),
        ("[ip = 10.0.* || ip = 10.1.*, ...]", "10.1.7.7 x", True),
        ("[a != x && a != y]", "y", False),
        ("[a, b]", "one", False),
        ('[request = "GET /a*"]', '"GET /a HTTP/1.0"', True),
    ],
)
def test_space_delimited(pattern: str, line: str, expected: bool) -> None:
    parsed = fp.parse(pattern)
    assert parsed.matches(line) is expected
    assert fp.parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text", ["[a, b = 1 && c = 2]", "[]", "[..., a, ...]", "{ $. = 1 }", '{ $.a > "x" }', "{", "%%"]
)
def test_refused(text: str) -> None:
    with pytest.raises(PatternError):
        fp.parse(text)


def test_the_error_says_where() -> None:
    with pytest.raises(PatternError, match="character 14"):
        fp.parse("{ $.a = 1 && eventName = 2 }")
