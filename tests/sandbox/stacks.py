"""Templates, deployments and looks for the tests of stacks."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.stack import StackRecord
from orgmon.sandbox.world import World

from .conftest import HOME, PROD

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def resource(kind: str, *, attributes: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A resource of a template; ``attributes`` are those beside Type and Properties."""
    return {"Type": kind, "Properties": properties, **(attributes or {})}


def topic(*, attributes: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A topic, the resource that is quickest to make."""
    return resource("AWS::SNS::Topic", attributes=attributes, **properties)


def template(_parameters: dict[str, Any] | None = None, **sections: Any) -> str:
    """A template as JSON; sections in small letters, resources by name."""
    names = {"conditions": "Conditions", "mappings": "Mappings", "outputs": "Outputs"}
    body: dict[str, Any] = {names[key]: sections.pop(key) for key in list(sections) if key in names}
    body["Resources"] = sections
    if _parameters:
        body["Parameters"] = _parameters
    return json.dumps(body)


def deploy(engine: Engine, body: str, **parameters: str) -> StackRecord:
    """Deploy to the production account; a failed creation leaves the stack."""
    named = ["CAPABILITY_NAMED_IAM"]
    return engine.deploy(PROD, HOME, "app", body, parameters, {}, None, named, on_failure="ROLLBACK")


def refused(cloudformation: Any, operation: str, **members: Any) -> tuple[str, str]:
    """Code and message of the error that the call must end with."""
    with pytest.raises(ClientError) as caught:
        getattr(cloudformation, operation)(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def topics(world: World) -> list[str]:
    """The names of all topics of the production account."""
    listed = world.client("sns", PROD, HOME).list_topics()["Topics"]
    return sorted(each["TopicArn"].rsplit(":", 1)[-1] for each in listed)


def groups(world: World) -> list[str]:
    """The names of all log groups of the production account."""
    listed = world.client("logs", PROD, HOME).describe_log_groups()["logGroups"]
    return sorted(each["logGroupName"] for each in listed)


def display_name(world: World, arn: str) -> str:
    """The display name of a topic."""
    answer = world.client("sns", PROD, HOME).get_topic_attributes(TopicArn=arn)
    return str(answer["Attributes"]["DisplayName"])


def wait(cloudformation: Any, name: str) -> None:
    """Let boto3's own waiter wait, quickly."""
    cloudformation.get_waiter(name).wait(StackName="app", WaiterConfig={"Delay": 0.02, "MaxAttempts": 500})


def zipped(text: str) -> bytes:
    """A zip with ``index.py``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return buffer.getvalue()
