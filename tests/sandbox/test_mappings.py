"""Lambda: event source mappings of queues, what is told of them and which are refused; settings of functions."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import HOME, PROD, SECURITY
from tests.sandbox.services import client, make_queue, make_role

NOBODY = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def lambda_(shared: Sandbox) -> Any:
    """A client in an account with the functions ``quick`` (3 seconds) and ``slow`` (31 seconds)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handle(event, context): pass")
    role = make_role(shared, "runs", SECURITY, "lambda")
    made = client(shared, "lambda", SECURITY)
    for name, seconds in (("quick", 3), ("slow", 31)):
        settings: dict[str, Any] = {"Handler": "app.handle", "Role": role, "Timeout": seconds}
        code = {"ZipFile": buffer.getvalue()}
        made.create_function(FunctionName=name, Runtime="python3.13", Code=code, **settings)
    return made


@pytest.fixture
def mapping(shared: Sandbox, lambda_: Any) -> Iterator[dict[str, Any]]:
    """A new mapping of ``quick``."""
    queue = make_queue(shared, f"read-{uuid.uuid4()}", SECURITY)
    made = lambda_.create_event_source_mapping(FunctionName="quick", EventSourceArn=queue)
    yield made
    lambda_.delete_event_source_mapping(UUID=made["UUID"])


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """Code and message of the refusal."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_mapping_tells_all_settings(shared: Sandbox, lambda_: Any, mapping: dict[str, Any]) -> None:
    told = lambda_.get_event_source_mapping(UUID=mapping["UUID"])
    del told["ResponseMetadata"]
    assert told == {
        "UUID": mapping["UUID"],
        "EventSourceMappingArn": f"arn:aws:lambda:{HOME}:{SECURITY}:event-source-mapping:{mapping['UUID']}",
        "EventSourceArn": mapping["EventSourceArn"],
        "FunctionArn": f"arn:aws:lambda:{HOME}:{SECURITY}:function:quick",
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "LastModified": shared.world.clock.now().replace(microsecond=0),
        "State": "Enabled",
        "StateTransitionReason": "USER_INITIATED",
    }


def test_a_mapping_changes_in_steps(lambda_: Any, mapping: dict[str, Any]) -> None:
    def change(**params: Any) -> str:
        return str(lambda_.update_event_source_mapping(UUID=mapping["UUID"], **params)["State"])

    assert (mapping["State"], mapping["ResponseMetadata"]["HTTPStatusCode"]) == ("Creating", 202)
    assert change(BatchSize=5, Enabled=True) == "Updating"
    assert change(Enabled=False) == "Disabling"
    assert lambda_.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Disabled"
    assert change(Enabled=True) == "Enabling"


def test_a_mapping_that_is_made_disabled(shared: Sandbox, lambda_: Any) -> None:
    queue = make_queue(shared, "unread", SECURITY)
    made = lambda_.create_event_source_mapping(FunctionName="quick", EventSourceArn=queue, Enabled=False)
    assert made["State"] == "Disabled"
    gone = lambda_.delete_event_source_mapping(UUID=made["UUID"])
    assert (gone["State"], gone["StateTransitionReason"]) == ("Deleting", "USER_INITIATED")


@pytest.mark.parametrize("name", ["quick", f"arn:aws:lambda:{HOME}:{SECURITY}:function:quick"])
def test_mappings_are_listed_by_any_name_of_the_function(
    lambda_: Any, mapping: dict[str, Any], name: str
) -> None:
    def ids(**params: Any) -> list[str]:
        return [each["UUID"] for each in lambda_.list_event_source_mappings(**params)["EventSourceMappings"]]

    assert ids(FunctionName=name) == ids(EventSourceArn=mapping["EventSourceArn"]) == [mapping["UUID"]]
    assert ids(FunctionName="slow") == []


def test_a_queue_is_read_once_for_a_function(lambda_: Any, mapping: dict[str, Any]) -> None:
    params = {"FunctionName": mapping["FunctionArn"], "EventSourceArn": mapping["EventSourceArn"]}
    assert refused(lambda_.create_event_source_mapping, **params) == (
        "ResourceConflictException",
        f'An event source mapping with SQS arn (" {mapping["EventSourceArn"]} ") and function (" quick ") '
        f"already exists. Please update or delete the existing mapping with UUID {mapping['UUID']}",
    )


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"FunctionName": "nobody"}, "Function does not exist"),
        (
            {"FunctionName": "slow"},
            "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds",
        ),
        (
            {"BatchSize": 11},
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        ({"FilterCriteria": {"Filters": [{"Pattern": "word"}]}}, "Invalid filter pattern definition."),
        (
            {"FilterCriteria": {"Filters": [{"Pattern": json.dumps({"eventSource": "aws:sqs"})}]}},
            "Invalid filter pattern definition.",
        ),
        ({"FilterCriteria": {"Filters": [{}]}}, "Invalid filter pattern definition."),
    ],
)
def test_a_mapping_that_cannot_work(shared: Sandbox, lambda_: Any, params: dict[str, Any], text: str) -> None:
    queue = f"arn:aws:sqs:{HOME}:{SECURITY}:inbox"
    wanted = {"FunctionName": "quick", "EventSourceArn": queue, **params}
    assert refused(lambda_.create_event_source_mapping, **wanted) == ("InvalidParameterValueException", text)


@pytest.mark.parametrize(
    "place", [f"{HOME}:{SECURITY}:nowhere", f"us-east-1:{SECURITY}:inbox", f"{HOME}:{PROD}:inbox"]
)
def test_a_queue_that_is_not_there(lambda_: Any, place: str) -> None:
    params = {"FunctionName": "quick", "EventSourceArn": f"arn:aws:sqs:{place}"}
    code, text = refused(lambda_.create_event_source_mapping, **params)
    assert code == "InvalidParameterValueException"
    assert text.startswith(
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."
    )


@pytest.mark.parametrize("verb", ["get", "update", "delete"])
def test_a_mapping_that_is_not_there(lambda_: Any, verb: str) -> None:
    assert refused(getattr(lambda_, f"{verb}_event_source_mapping"), UUID=NOBODY) == (
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    )


def test_an_environment_without_variables(lambda_: Any) -> None:
    lambda_.update_function_configuration(FunctionName="slow", Environment={"Variables": {"MODE": "1"}})
    lambda_.update_function_configuration(FunctionName="slow", Environment={})
    told = lambda_.get_function_configuration(FunctionName="slow")
    assert told.get("Environment", {}).get("Variables", {}) == {}
