"""Template differences are of content, not of text."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon.plan.diff import Difference, differences
from orgmon.stackset import TemplateBody

BEFORE: dict[str, Any] = {
    "Parameters": {"Retention": {"Type": "Number", "Default": 365}},
    "Resources": {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "hub"}},
        "Policy": {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"]}]},
    },
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
contents = st.dictionaries(st.text(min_size=1, max_size=5), values, min_size=1, max_size=3)


def from_before(after: dict[str, Any]) -> tuple[Difference, ...]:
    """How a template differs from BEFORE."""
    return differences(TemplateBody.of(BEFORE), TemplateBody.of(after))


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """BEFORE with another value at a path."""
    after = deepcopy(BEFORE)
    inner: Any = after
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return after


def test_the_same_content_written_otherwise_has_no_differences() -> None:
    spaced = TemplateBody(json.dumps(dict(reversed(BEFORE.items())), indent=4))
    assert spaced == TemplateBody.of(BEFORE)
    assert differences(TemplateBody.of(BEFORE), spaced) == ()


def test_a_changed_value_says_where_and_both_values() -> None:
    (difference,) = from_before(changed("Resources", "Bus", "Properties", "Name", to="other"))
    assert difference == Difference("Resources/Bus/Properties/Name", "hub", "other")
    assert difference.symbol == "~"


def test_what_comes_and_what_goes() -> None:
    after = changed("Resources", "Queue", to={"Type": "AWS::SQS::Queue"})
    del after["Resources"]["Bus"]
    gone, come = from_before(after)
    assert (gone.symbol, gone.path, gone.after) == ("-", "Resources/Bus", None)
    assert (come.symbol, come.path, come.after) == ("+", "Resources/Queue", '{"Type": "AWS::SQS::Queue"}')


def test_a_longer_list_shows_only_what_was_added() -> None:
    actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    (difference,) = from_before(changed("Resources", "Policy", "Statement", 0, "Action", to=actions))
    assert difference == Difference("Resources/Policy/Statement[0]/Action[]", None, "s3:DeleteObject")


def test_a_list_that_only_repeats_an_item_is_shown_whole() -> None:
    actions = ["s3:GetObject", "s3:PutObject", "s3:PutObject"]
    (difference,) = from_before(changed("Resources", "Policy", "Statement", 0, "Action", to=actions))
    assert (difference.symbol, difference.path) == ("~", "Resources/Policy/Statement[0]/Action")


@pytest.mark.parametrize("other", [None, "365", [365], {"a": 365}])
def test_a_value_of_another_kind_differs(other: Any) -> None:
    (difference,) = from_before(changed("Parameters", "Retention", "Default", to=other))
    assert difference.path == "Parameters/Retention/Default"
    assert difference.symbol == "~"


def test_a_text_and_a_number_that_read_alike_differ_visibly() -> None:
    (difference,) = from_before(changed("Parameters", "Retention", "Default", to="365"))
    assert (difference.before, difference.after) == ("365", '"365"')
    (other,) = differences(TemplateBody.of({"a": 1}), TemplateBody.of({"a": True}))
    assert (other.before, other.after) == ("1", "true")


@pytest.mark.slow
@given(contents)
def test_nothing_differs_from_itself(content: dict[str, Any]) -> None:
    assert differences(TemplateBody.of(content), TemplateBody.of(content)) == ()


@pytest.mark.slow
@given(contents, contents)
def test_there_is_a_difference_exactly_where_the_digests_differ(a: dict[str, Any], b: dict[str, Any]) -> None:
    before, after = TemplateBody.of(a), TemplateBody.of(b)
    assert bool(differences(before, after)) == (before.digest != after.digest)


@pytest.mark.slow
@given(contents, contents)
def test_the_way_back_is_the_mirror_image(a: dict[str, Any], b: dict[str, Any]) -> None:
    there = differences(TemplateBody.of(a), TemplateBody.of(b))
    back = differences(TemplateBody.of(b), TemplateBody.of(a))
    assert sorted(
        (difference.path, difference.before or "", difference.after or "") for difference in there
    ) == sorted((difference.path, difference.after or "", difference.before or "") for difference in back)
