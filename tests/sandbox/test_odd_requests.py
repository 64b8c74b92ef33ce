"""Requests that make no sense: CloudFormation refuses them, whatever sends them.

Sources: botocore's service model (what has to be there, lengths, patterns, enums); API reference, "Common errors"; the
AWS CLI and the CDK, for the addresses of templates.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.templates import location

from .conftest import HOME, PROD, Site
from .stacks import refused, template, topic, topics

ONE = "1 validation error detected: Value {} at '{}' failed to satisfy constraint: Member must {}"
OWN = "http://127.0.0.1:4566/"


@pytest.mark.parametrize(
    ("operation", "members", "message"),
    [
        ("delete_stack", {}, ONE.format("null", "stackName", "not be null")),
        ("describe_change_set", {}, ONE.format("null", "changeSetName", "not be null")),
        ("list_imports", {}, ONE.format("null", "exportName", "not be null")),
        (
            "create_stack",
            {"StackName": "s", "Tags": [{"Key": "k"}]},
            ONE.format("null", "tags.1.member.value", "not be null"),
        ),
        (
            "create_stack",
            {"StackName": "s", "OnFailure": "PANIC"},
            ONE.format("'PANIC'", "onFailure", "satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]"),
        ),
        (
            "create_change_set",
            {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "INVALID"},
            ONE.format("'INVALID'", "changeSetType", "satisfy enum value set: [CREATE, UPDATE, IMPORT]"),
        ),
        (
            "create_change_set",
            {"StackName": "s", "ChangeSetName": "1c"},
            ONE.format("'1c'", "changeSetName", "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"),
        ),
        (
            "create_stack",
            {"StackName": "s", "ClientRequestToken": ""},
            "2 validation errors detected: Value '' at 'clientRequestToken' failed to satisfy constraint: Member must "
            "have length greater than or equal to 1; Value '' at 'clientRequestToken' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*",
        ),
        ("list_stacks", {"NextToken": "nonsense"}, "Invalid NextToken"),
        (
            "create_stack",
            {"StackName": "s", "TemplateURL": "https://["},
            "TemplateURL must be a supported URL.",
        ),
        (
            "create_stack",
            {"StackName": "s", "TemplateURL": "https://s3.amazonaws.com/bucket"},
            "TemplateURL must be a supported URL.",
        ),
        (
            "create_stack",
            {"StackName": "s"},
            "Either Template URL or Template Body must be specified.",
        ),
    ],
)
def test_an_odd_request_is_refused(site: Site, operation: str, members: dict[str, Any], message: str) -> None:
    unchecked = Config(parameter_validation=False)
    client = site.world.session(PROD).client("cloudformation", region_name=HOME, config=unchecked)
    assert refused(client, operation, **members) == ("ValidationError", message)


@pytest.mark.parametrize(
    ("url", "endpoint", "expected"),
    [
        (f"{OWN}box/a/t.json", OWN, ("box", "a/t.json", None)),
        (f"{OWN}box/t.json?versionId=v1", OWN, ("box", "t.json", "v1")),
        ("http://box.127.0.0.1:4566/t.json", OWN, ("box", "t.json", None)),
        ("http://localhost:4566/box/t.json", OWN, ("box", "t.json", None)),
        ("http://box.s3.localhost:4566/a/t.json", OWN, ("box", "a/t.json", None)),
        ("http://s3.localhost:4566/box/t.json", "http://localhost:4566/", ("box", "t.json", None)),
        ("http://sandbox:80/box/t%20x.json", "http://sandbox:80/", ("box", "t x.json", None)),
        ("https://box.s3.eu-west-1.amazonaws.com/t.json", OWN, ("box", "t.json", None)),
    ],
)
def test_addresses_of_templates(url: str, endpoint: str, expected: tuple[str, str, str | None]) -> None:
    found = location(url, endpoint)
    assert (found["Bucket"], found["Key"], found.get("VersionId")) == expected


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:4567/box/t.json", OWN),
        ("https://127.0.0.1:4566/box/t.json", OWN),
        ("http://example.com:4566/box/t.json", OWN),
        ("http://127.0.0.1:4566/t.json", OWN),
        ("http://127.0.0.1:4566/box/t.json", ""),
        ("http://s3.eu-west-1.amazonaws.com/box/t.json", OWN),
        (
            "https://cloudformation.eu-west-1.amazonaws.com/box/t.json",
            "https://cloudformation.eu-west-1.amazonaws.com/",
        ),
        ("ftp://127.0.0.1:4566/box/t.json", OWN),
        ("http://127.0.0.1:nowhere/box/t.json", OWN),
        ("t.json", OWN),
    ],
)
def test_any_other_address_is_refused(url: str, endpoint: str) -> None:
    with pytest.raises(Refusal, match="TemplateURL must be a supported URL"):
        location(url, endpoint)


def test_a_template_is_read_below_the_clients_own_endpoint(site: Site) -> None:
    """What ``aws cloudformation deploy --s3-bucket`` sends: the endpoint of its S3 client, bucket and key."""
    with site.world.serve() as server:
        session = site.world.session(PROD)
        s3 = session.client("s3", region_name=HOME, endpoint_url=server.url)
        s3.create_bucket(Bucket="deploys", CreateBucketConfiguration={"LocationConstraint": HOME})
        s3.put_object(Bucket="deploys", Key="t.json", Body=template(A=topic(TopicName="by-endpoint")))
        url = f"{s3.meta.endpoint_url}/deploys/t.json"
        client = session.client("cloudformation", region_name=HOME, endpoint_url=server.url)
        client.create_change_set(
            StackName="deploys", ChangeSetName="c", ChangeSetType="CREATE", TemplateURL=url
        )
        site.engine.background.wait()
        client.execute_change_set(StackName="deploys", ChangeSetName="c")
        site.engine.background.wait()
    assert "by-endpoint" in topics(site.world)
