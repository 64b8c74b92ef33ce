"""Every condition on a service in our templates is one that AWS sends with that very call, or asks only IfExists."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Any

import pytest
from awacs.aws import ArnLike, StringEquals
from troposphere import encode_to_dict

from orgmon.sandbox.policies.links import LINKS, Link
from orgmon.stacks.policy import actions, document, service, statement, trust
from orgmon.stacks.table import STACKS
from tests import sample
from tests.templates import statements

KINDS = {
    "AWS::SQS::QueuePolicy": "queue",
    "AWS::SNS::TopicPolicy": "topic",
    "AWS::S3::BucketPolicy": "bucket",
    "AWS::IAM::Role": "role",
    "AWS::Logs::LogGroup": "log-group",
    "AWS::Lambda::Permission": "function",
}
# A key's policy says nothing of what is encrypted: every kind that the service has a link with.
ANY = "AWS::KMS::Key"
OF_PRINCIPALS = ("aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalaccount")
# What a caller sends beside what it says of itself.
OF_THE_CALL = ("s3:x-amz-acl", "kms:encryptioncontext:")


def listed(value: Any) -> list[Any]:
    """What may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def services(one: dict[str, Any]) -> list[str]:
    """The services that a statement names, without their Region."""
    principal = one.get("Principal")
    names = listed(principal.get("Service", [])) if isinstance(principal, dict) else []
    return [
        "cloudformation" if name.startswith("cloudformation.") else name.removesuffix(".amazonaws.com")
        for name in names
    ]


def links(name: str, action: str, kind: str) -> list[Link]:
    """The calls that a statement is about: those of a service that fit an action, on that kind of resource."""
    return [
        link
        for (caller, called, of), link in LINKS.items()
        if caller == name and fnmatch.fnmatchcase(called, action) and (of == kind or kind == "")
    ]


def faults(kind: str, one: dict[str, Any]) -> Iterator[str]:
    """What AWS would not honour in a statement."""
    conditions = one.get("Condition", {})
    strict = {
        key
        for operator, tests in conditions.items()
        if not operator.endswith("IfExists")
        for key in tests
        if not key.lower().startswith(OF_THE_CALL)
    }
    for name in services(one):
        yield from (f"{name}: {key} is for principals" for key in strict if key.lower() in OF_PRINCIPALS)
        for action in listed(one["Action"]):
            calls = links(name, action, kind)
            if not calls:
                yield f"{name}: nobody has looked up what it sends with {action}"
            for link in calls:
                # What only a switch adds is not relied on either.
                yield from (
                    f"{name}: {key} is not sent with {link.action} on a {link.kind}"
                    for key in strict - link.keys
                )


@pytest.mark.parametrize("definition", STACKS, ids=lambda definition: definition.name)
def test_conditions_hold_on_aws(definition: Any) -> None:
    resources = definition.body(sample.stack_inputs()).content["Resources"]
    told = [
        f"{title}: {fault}"
        for title, resource in resources.items()
        for one in statements(resource)
        for fault in faults("" if resource["Type"] == ANY else KINDS.get(resource["Type"], "?"), one)
    ]
    assert told == []


@pytest.mark.parametrize(
    ("kind", "one", "told"),
    [
        ("log-group", statement("S", actions("logs", "CreateLogStream", "PutLogEvents"), ["*"], service("events"), [StringEquals("aws:SourceArn", "r")]), "CreateLogStream"),
        ("", statement("S", actions("kms", "Decrypt"), ["*"], service("events"), [StringEquals("aws:SourceAccount", "1")]), "on a topic"),
        ("queue", statement("S", actions("sqs", "SendMessage"), ["*"], service("events"), [StringEquals("aws:PrincipalOrgID", "o")]), "is for principals"),
        ("queue", statement("S", actions("sqs", "SendMessage"), ["*"], service("states")), "nobody has looked up"),
    ],
)  # fmt: skip
def test_what_would_not_hold_is_found(kind: str, one: Any, told: str) -> None:
    assert any(told in fault for fault in faults(kind, encode_to_dict(one)))


def test_conditions_with_the_same_operator_are_all_kept() -> None:
    both = [StringEquals("a", "1"), ArnLike("b", "2"), StringEquals("c", "3")]
    wanted = {"StringEquals": {"a": "1", "c": "3"}, "ArnLike": {"b": "2"}}
    in_statement = document(statement("S", actions("s3", "GetObject"), ["*"], service("events"), both))
    for policy in (in_statement, trust(service("events"), *both)):
        [one] = statements(encode_to_dict(policy))
        assert one["Condition"] == wanted
