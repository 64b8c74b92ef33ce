"""Templates, intrinsic functions and parameters: what they mean, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.intrinsics import Resolver
from orgmon.sandbox.cloudformation.parameters import settle
from orgmon.sandbox.cloudformation.template import parse

from .stacks import (
    template,
    topic,
)


def test_yaml_short_forms_mean_the_same_as_json() -> None:
    text = """
    Conditions:
      Home: !Equals [!Ref AWS::Region, eu-west-1]
      Both: !And [!Condition Home, !Not [!Equals [a, b]]]
    Resources:
      Topic:
        Type: AWS::SNS::Topic
        Condition: Both
        Properties:
          DisplayName: !Sub "${AWS::StackName}-${Queue.Arn}"
          Tags: [{Key: a, Value: !Join ["-", [!Select [1, !Split [",", "x,y"]], 2012-10-17]]}]
      Queue:
        Type: AWS::SQS::Queue
    Outputs:
      Arn: {Value: !GetAtt Topic.TopicArn}
    """
    parsed = parse(text)
    assert list(parsed.resources) == ["Queue", "Topic"]
    assert parsed.conditions["Both"] == {
        "Fn::And": [{"Condition": "Home"}, {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}]
    }
    assert parsed.outputs["Arn"]["Value"] == {"Fn::GetAtt": ["Topic", "TopicArn"]}
    assert parse(text) is parsed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}", "At least one Resources member must be defined"),
        ("{", "JSON not well-formed"),
        ("a: [", "YAML not well-formed"),
        ("just text", "unsupported structure"),
        (json.dumps({"Resources": {"A": topic()}, "Recources": {}}), "[Recources]"),
        (json.dumps({"Resources": {"A": {"Properties": {}}}}), "must contain a Type member"),
        (json.dumps({"Resources": {"A": {"Type": "AWS::SNS::Topic", "Propreties": {}}}}), "'Propreties'"),
        (template(A=topic(DisplayName={"Ref": "Nobody"})), "Unresolved resource dependencies [Nobody]"),
        (template(A=topic(DisplayName={"Fn::Sub": "${Nobody.Arn}"})), "dependencies [Nobody]"),
        (template(A=topic(attributes={"Condition": "Never"})), "Unresolved condition dependency Never"),
        (template(A=topic(DisplayName={"Fn::If": ["Never", "a", "b"]})), "condition dependency Never"),
        (template(A=topic(), outputs={"O": {"Value": {"Ref": "B"}}}), "[B] in the Outputs block"),
        (
            template(A=topic(DisplayName={"Ref": "B"}), B=topic(attributes={"DependsOn": "A"})),
            "Circular dependency between resources: [A, B]",
        ),
    ],
)
def test_malformed_templates_are_refused(body: str, message: str) -> None:
    with pytest.raises(Refusal, match="ValidationError") as caught:
        parse(body)
    assert message in caught.value.message


def resolved(node: Any, **values: Any) -> Any:
    """The value of a node in a stack that has the parameters ``values``."""
    body = parse(
        template(
            A=topic(),
            mappings={"M": {"a": {"x": "1", "y": [2]}}},
            conditions={"C": {"Fn::Equals": ["a", "a"]}},
        )
    )
    known = {"AWS::Region": "eu-west-1", **values}
    resolver = Resolver(body, known, lambda name: f"ref-{name}", lambda name, key: f"{name}.{key}", str)
    return resolver.resolve(node)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "P"}, "p"),
        ({"Ref": "A"}, "ref-A"),
        ({"Fn::GetAtt": ["A", "Arn"]}, "A.Arn"),
        ({"Fn::GetAtt": "A.Nested.Arn"}, "A.Nested.Arn"),
        ({"Fn::Sub": "${P}-${A}-${A.Arn}-${!Literal}-${AWS::Region}"}, "p-ref-A-A.Arn-${Literal}-eu-west-1"),
        ({"Fn::Sub": ["${P}${X}", {"X": {"Ref": "P"}}]}, "pp"),
        ({"Fn::Join": ["/", ["a", {"Ref": "P"}, 3, True]]}, "a/p/3/true"),
        ({"Fn::Select": [1, {"Fn::Split": ["|", "a|b"]}]}, "b"),
        ({"Fn::If": ["C", 1, 2]}, 1),
        ({"a": {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, 2]}, "b": [{"Ref": "AWS::NoValue"}]}, {"b": []}),
        ({"Fn::FindInMap": ["M", "a", "y"]}, [2]),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Or": [{"Fn::Equals": ["1", 1]}, {"Fn::Equals": ["a", "b"]}]}, True),
        ({"Fn::And": [{"Fn::Equals": ["1", 1]}, {"Fn::Equals": ["a", "b"]}]}, False),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_intrinsic_functions(node: Any, value: Any) -> None:
    assert resolved(node, P="p") == value


@given(
    st.recursive(
        st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
    )
)
def test_what_is_no_function_stays_as_it_is(node: Any) -> None:
    assert resolved(node) == node


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[0-9]{12}"}, "1234", "must match pattern [0-9]{12}"),
        (
            {"Type": "String", "AllowedPattern": "a+", "ConstraintDescription": "only a"},
            "b",
            "failed to satisfy constraint: only a",
        ),
        ({"Type": "String", "MinLength": 3}, "ab", "at least 3 characters"),
        ({"Type": "Number", "MaxValue": 5}, "6", "not greater than 5"),
        ({"Type": "Number"}, "six", "must be a number"),
        ({"Type": "String"}, "x" * 4097, "exceeds 4096 bytes"),
    ],
)
def test_unfitting_parameters_are_refused(declared: dict[str, Any], value: str | None, message: str) -> None:
    entries = [{"ParameterKey": "P", "ParameterValue": value}] if value is not None else []
    with pytest.raises(Refusal) as caught:
        settle({"P": declared}, entries, None)
    assert message in caught.value.message


def test_previous_values_are_kept_only_when_asked() -> None:
    declared = {"P": {"Type": "String", "Default": "d"}}
    assert settle(declared, [{"ParameterKey": "P", "UsePreviousValue": True}], {"P": "old"}) == {"P": "old"}
    assert settle(declared, [], {"P": "old"}) == {"P": "d"}


def test_an_undeclared_parameter_is_refused() -> None:
    with pytest.raises(Refusal, match=r"Parameters: \[X\] do not exist in the template"):
        settle({}, [{"ParameterKey": "X", "ParameterValue": "1"}], None)
