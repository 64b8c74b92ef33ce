"""Templates that CloudFormation refuses at once, and what it says.

The answers are AWS's: of CreateChangeSet and CreateStack, as recorded in public test suites, and of the user guide.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.template import parse

from .conftest import Site
from .stacks import refused, resource, template, topic, topics

UNRESOLVED = "Template format error: Unresolved resource dependencies [{}] in the {} block of the template"
SELECT = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
MAP = (
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute "
    "for return value"
)
NAMED = {"M": {"A": {"Suffix": "a"}, "B": {"Suffix": "b"}}}


def named(node: Any, **sections: Any) -> str:
    """A template whose only resource takes its display name from ``node``."""
    return template(T=topic(DisplayName=node), **sections)


FAULTS = [
    (template(T=topic(attributes={"DependsOn": "Gone"})), UNRESOLVED.format("Gone", "Resources")),
    (
        template({"P": {"Type": "String"}}, T=topic(attributes={"DependsOn": "P"})),
        UNRESOLVED.format("P", "Resources"),
    ),
    (
        template({"P": {"Type": "String"}}, T=topic(DisplayName={"Fn::GetAtt": ["P", "Arn"]})),
        UNRESOLVED.format("P", "Resources"),
    ),
    (template(T=topic(), outputs={"O": {"Value": {"Ref": "Gone"}}}), UNRESOLVED.format("Gone", "Outputs")),
    (named("x", mappings={"M": {"A": "a"}}), "Template format error: Every Mappings member A must be a map"),
    (
        named("x", mappings={"M": {"A": {"Suffix": {"Ref": "P"}}}}),
        "Template format error: Every Mappings attribute must be a String or a List.",
    ),
    (
        named("x", mappings={"M": {"A": {"B": {"C": "too deep"}}}}),
        "Template format error: Every Mappings attribute must be a String or a List.",
    ),
    (
        named({"Fn::FindInMap": ["N", "A", "Suffix"]}),
        "Template error: Mapping named 'N' is not present in the 'Mappings' section of template.",
    ),
    (named({"Fn::FindInMap": ["M", "A"]}, mappings=NAMED), MAP),
    (named({"Fn::FindInMap": ["M", {"Fn::If": ["C", "A", "B"]}, "Suffix"]}, mappings=NAMED), MAP),
    (named({"Fn::FindInMap": ["M", "C", "Suffix", {"DefaultValue": "x"}]}, mappings=NAMED), MAP),
    (named({"Fn::Select": ["bad", ["test"]]}), SELECT),
    (named({"Fn::Select": [0, 2]}), SELECT),
    (named({"Fn::Select": [100, ["test"]]}), SELECT),
    (named({"Fn::Select": [-1, ["test"]]}), SELECT),
    (named({"Fn::If": ["C", "a"]}), "Template error: Fn::If requires a list argument with three elements"),
    (
        named("x", conditions={"C": {"Fn::Equals": ["a"]}}),
        "Template error: Fn::Equals requires a list argument with two elements",
    ),
    (
        named("x", conditions={"C": {"Fn::And": [{"Fn::Equals": ["a", "b"]}]}}),
        "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
    ),
    (
        named({"Fn::GetAtt": ["T"]}),
        "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
        "resource attribute",
    ),
    (
        named({"Fn::Sub": ["${X}"]}),
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string "
        "as first argument, and an optional second argument to specify a mapping of values to replace in the string",
    ),
    (
        named("x", conditions={"C": {"Fn::Equals": [{"Ref": "T"}, "b"]}}),
        "Template format error: Unresolved dependencies [T]. Cannot reference resources in the Conditions block of "
        "the template",
    ),
    (
        template(T=topic(attributes={"Condition": "Never"})),
        "Template format error: Unresolved condition dependency Never in the Resources block of the template",
    ),
    (
        template(T=topic(), outputs={"O": {"Value": "x", "Condition": "Never"}}),
        "Template format error: Unresolved condition dependency Never in the Outputs block of the template",
    ),
    (json.dumps({"Resources": {"T": "x"}}), "Template format error: Any Resources member must be an object."),
    (
        json.dumps({"Resources": {"T": topic() | {"Invalid": 1}}}),
        "Invalid template resource property 'Invalid'",
    ),
    (
        template(T=topic(), outputs={"O": {}}),
        "Template format error: Every Outputs member must contain a Value object",
    ),
    (
        template(T=topic(), outputs={"MyOutput": {"Value": None}}),
        "[/Outputs/MyOutput/Value] 'null' values are not allowed in templates",
    ),
    (
        template(R=resource("AWS::Events::Rule", EventPattern={"detail": {"errorCode": [None]}})),
        "[/Resources/R/Properties/EventPattern/detail/errorCode/0] 'null' values are not allowed in templates",
    ),
    ("A: &a [1]\nB: *a", "Template error: YAML aliases are not allowed in CloudFormation templates"),
    (
        template({"P": {"Type": "Strin"}}, T=topic()),
        "Template format error: Unrecognized parameter type: Strin",
    ),
    (
        template(T=topic(attributes={"DeletionPolicy": ["Retain"]})),
        "Template format error: Every DeletionPolicy member must be a string.",
    ),
]


@pytest.mark.parametrize(("body", "message"), FAULTS)
@pytest.mark.parametrize("operation", ["create_stack", "create_change_set"])
def test_a_faulty_template_is_refused_at_once(site: Site, operation: str, body: str, message: str) -> None:
    members: dict[str, Any] = {"StackName": "faulty", "TemplateBody": body}
    if "P" in json.loads(body if body.startswith("{") else "{}").get("Parameters", {}):
        members["Parameters"] = [{"ParameterKey": "P", "ParameterValue": "p"}]
    if operation == "create_change_set":
        members |= {"ChangeSetName": "c", "ChangeSetType": "CREATE"}
    assert refused(site.cloudformation, operation, **members) == ("ValidationError", message)
    assert refused(site.cloudformation, "describe_stacks", StackName="faulty")[0] == "ValidationError"


def test_the_same_faults_are_refused_where_nothing_is_made(site: Site) -> None:
    body = named({"Fn::Select": [100, ["test"]]})
    for operation in ("validate_template", "get_template_summary"):
        assert refused(site.cloudformation, operation, TemplateBody=body) == ("ValidationError", SELECT)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 30_000,
        '{"Resources":' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "}",
        "1: 2",
        "Resources: {1: {Type: AWS::SNS::Topic, 2: 3}}",
        "Resources: {A: {Type: [AWS::SNS::Topic]}}",
        "Resources: {A: {Type: AWS::SNS::Topic, Properties: [1]}}",
        "Resources: {A: {Type: AWS::SNS::Topic, DependsOn: {a: b}}}",
        "Resources: {A: {Type: AWS::SNS::Topic, Condition: [x]}}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nConditions: {C: x}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nConditions: {A: !Condition B, B: !Condition A}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nConditions: {A: !Not [!Condition Gone]}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nParameters: {P: x}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nParameters: {P: {Type: String, MinLength: some}}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nParameters: {P: {Type: String, AllowedValues: a}}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nMappings: {M: x}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: a, Export: b}}",
        "Resources: {A: {Type: AWS::SNS::Topic}}\nTransform: [1, {a: b}]\nOutputs: x",
        "Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Join [',']}}}",
        "Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Nonsense x}}}",
        "Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref [x]}}}",
        "Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Select [!Ref A, [x]]}}}\nOutputs: [1]",
    ],
)
def test_what_is_no_template_at_all_is_refused_as_well(body: str) -> None:
    with pytest.raises(Refusal, match="ValidationError"):
        parse(body)


LOOKED_UP = {"Fn::FindInMap": ["M", {"Ref": "Key"}, "Suffix"]}
CONDITIONS = {"IsA": {"Fn::Equals": [{"Ref": "Key"}, "A"]}}
MISSING = "Template error: Unable to get mapping for M::C::Suffix"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"T": topic(DisplayName=LOOKED_UP)}, MISSING),
        ({"T": topic(DisplayName={"Fn::If": ["IsA", LOOKED_UP, "x"]})}, MISSING),
        ({"T": topic(), "outputs": {"O": {"Value": LOOKED_UP}}}, MISSING),
        ({"T": topic(), "conditions": {"C": {"Fn::Equals": [LOOKED_UP, "a"]}}}, MISSING),
        (
            {"A": topic(attributes={"Condition": "IsA"}), "T": topic(DisplayName={"Ref": "A"})},
            UNRESOLVED.format("A", "Resources"),
        ),
        (
            {
                "A": topic(attributes={"Condition": "IsA"}),
                "T": topic(DisplayName={"Fn::Sub": "${A.TopicName}"}),
            },
            UNRESOLVED.format("A", "Resources"),
        ),
        (
            {
                "A": topic(attributes={"Condition": "IsA"}),
                "T": topic(),
                "outputs": {"O": {"Value": {"Ref": "A"}}},
            },
            UNRESOLVED.format("A", "Outputs"),
        ),
        (
            {"T": topic(attributes={"DeletionPolicy": {"Ref": "Key"}})},
            "Template format error: Unrecognized DeletionPolicy C for resource T",
        ),
        (
            {"T": topic(attributes={"UpdateReplacePolicy": "RetainExceptOnCreate"})},
            "Template format error: Unrecognized UpdateReplacePolicy RetainExceptOnCreate for resource T",
        ),
    ],
)
def test_what_does_not_work_out_for_the_values_is_refused(
    site: Site, sections: dict[str, Any], message: str
) -> None:
    sections = {"conditions": {}, **sections}
    sections["conditions"] = CONDITIONS | sections["conditions"]
    body = template({"Key": {"Type": "String"}}, mappings=NAMED, **sections)
    key = [{"ParameterKey": "Key", "ParameterValue": "C"}]
    members = {"StackName": "faulty", "TemplateBody": body, "Parameters": key}
    assert refused(site.cloudformation, "create_stack", **members) == ("ValidationError", message)


def test_what_a_condition_leaves_out_may_be_named_where_it_is_not_needed(site: Site) -> None:
    body = template(
        {"Key": {"Type": "String"}},
        conditions=CONDITIONS,
        A=topic(TopicName="left-out", attributes={"Condition": "IsA"}),
        T=topic(TopicName="taken", DisplayName={"Fn::If": ["IsA", {"Ref": "A"}, "none"]}),
        outputs={"O": {"Condition": "IsA", "Value": {"Ref": "A"}}},
    )
    key = [{"ParameterKey": "Key", "ParameterValue": "C"}]
    site.cloudformation.create_stack(StackName="leaves-out", TemplateBody=body, Parameters=key)
    site.engine.background.wait()
    assert {"taken", "left-out"} & set(topics(site.world)) == {"taken"}


def test_a_null_in_an_event_pattern_is_written_as_text(site: Site) -> None:
    pattern = '{"detail": {"errorCode": [null]}}'
    body = template(R=resource("AWS::Events::Rule", EventPattern=pattern))
    stack = site.engine.deploy("444444444444", "eu-west-1", "pattern", body)
    assert stack.status == "CREATE_COMPLETE", stack.failure


def test_a_part_of_what_is_known_later_is_selected_later(site: Site) -> None:
    arn = {"Fn::GetAtt": ["Queue", "Arn"]}
    parts = {"Fn::Split": [":", arn]}
    body = template(
        Queue=resource("AWS::SQS::Queue"),
        T=topic(TopicName="selected", DisplayName={"Fn::Join": ["-", [{"Fn::Select": [2, parts]}, "x"]]}),
    )
    site.cloudformation.create_change_set(
        StackName="selects", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body
    )
    site.engine.background.wait()
    told = site.cloudformation.describe_change_set(StackName="selects", ChangeSetName="c")
    assert told["Status"] == "CREATE_COMPLETE", told


def test_a_resource_stays_one_of_its_type(site: Site) -> None:
    site.engine.deploy("444444444444", "eu-west-1", "typed", template(A=topic()))
    other = template(A=resource("AWS::SQS::Queue"))
    message = (
        "Update of resource type is not permitted. The new template modifies resource type of the following "
        "resources: [A]"
    )
    expected = ("ValidationError", message)
    assert refused(site.cloudformation, "update_stack", StackName="typed", TemplateBody=other) == expected
    made = {"StackName": "typed", "ChangeSetName": "c", "TemplateBody": other}
    assert refused(site.cloudformation, "create_change_set", **made) == expected
