"""Arguments that make no sense get the service's own refusal, never an error of the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.constraints import mistyped, violations
from orgmon.sandbox.models import operation_model
from tests.sandbox.conftest import HOME, SECURITY
from tests.sandbox.services import client

INBOX = f"arn:aws:sqs:{HOME}:{SECURITY}:inbox"
KEY = "12345678-1234-1234-1234-123456789012"
KEYS = f"arn:aws:kms:{HOME}:{SECURITY}"
SERVICES = ("cloudwatch", "events", "kms", "lambda", "logs", "sns", "sqs")
ALARM = {
    "AlarmName": "a",
    "MetricName": "m",
    "Namespace": "n",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
# Streams that do not end, and calls that take the ground away from the others.
NOT_TRIED = frozenset({"StartLiveTail", "InvokeWithResponseStream", "InvokeAsync"})


def careless(sandbox: Sandbox, service: str) -> Any:
    """A client that sends whatever it is given."""
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return sandbox.world.session(SECURITY, region=HOME).client(service, config=config)


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """Code and message of the refusal."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def input_of(service: str, operation: str) -> Any:
    """The shape of an operation's parameters."""
    model = operation_model(service, operation)
    assert model is not None
    return model.input_shape


def detected(value: str, path: str, text: str) -> str:
    """What services say of one wrong member."""
    return f"1 validation error detected: Value{value} at '{path}' failed to satisfy constraint: {text}"


@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "text"),
    [
        (
            "events",
            "put_rule",
            {"Name": "a b"},
            "ValidationException",
            detected(" 'a b'", "name", "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"),
        ),
        (
            "events",
            "put_targets",
            {"Rule": "r", "Targets": [{"Id": "a" * 65, "Arn": INBOX}]},
            "ValidationException",
            detected(
                f" '{'a' * 65}'", "targets.1.member.id", "Member must have length less than or equal to 64"
            ),
        ),
        (
            "events",
            "list_targets_by_rule",
            {},
            "ValidationException",
            detected(" null", "rule", "Member must not be null"),
        ),
        (
            "logs",
            "create_log_group",
            {"logGroupName": "a b"},
            "InvalidParameterException",
            detected(
                " 'a b'",
                "logGroupName",
                "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
            ),
        ),
        (
            "logs",
            "describe_log_groups",
            {"limit": 51},
            "InvalidParameterException",
            detected(" '51'", "limit", "Member must have value less than or equal to 50"),
        ),
        (
            "cloudwatch",
            "put_metric_alarm",
            {**ALARM, "ComparisonOperator": "Equals"},
            "ValidationError",
            detected(
                " 'Equals'",
                "comparisonOperator",
                "Member must satisfy enum value set: [GreaterThanOrEqualToThreshold, GreaterThanThreshold, "
                "LessThanThreshold, LessThanOrEqualToThreshold, LessThanLowerOrGreaterThanUpperThreshold, "
                "LessThanLowerThreshold, GreaterThanUpperThreshold]",
            ),
        ),
        (
            "kms",
            "generate_random",
            {"NumberOfBytes": 1025},
            "ValidationException",
            detected(" '1025'", "numberOfBytes", "Member must have value less than or equal to 1024"),
        ),
        (
            "kms",
            "encrypt",
            {"KeyId": KEY, "Plaintext": b"x" * 4097},
            "ValidationException",
            detected("", "plaintext", "Member must have length less than or equal to 4096"),
        ),
        (
            "lambda",
            "create_function",
            {
                "FunctionName": "f",
                "Role": f"arn:aws:iam::{SECURITY}:role/r",
                "Code": {"ZipFile": b"x"},
                "Architectures": ["vax"],
            },
            "ValidationException",
            detected(
                " '[vax]'",
                "architectures",
                "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]",
            ),
        ),
    ],
)
def test_what_the_model_does_not_allow(
    shared: Sandbox, service: str, operation: str, params: dict[str, Any], code: str, text: str
) -> None:
    call = getattr(careless(shared, service), operation)
    assert refused(call, **params) == (code, text)


@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "text"),
    [
        ("kms", "describe_key", {"KeyId": "fake"}, "NotFoundException", "Invalid keyId 'fake'"),
        (
            "kms",
            "revoke_grant",
            {"KeyId": "fake", "GrantId": "g"},
            "NotFoundException",
            "Invalid keyId 'fake'",
        ),
        (
            "kms",
            "describe_key",
            {"KeyId": KEY},
            "NotFoundException",
            f"Key '{KEYS}:key/{KEY}' does not exist",
        ),
        (
            "kms",
            "describe_key",
            {"KeyId": f"arn:aws:kms:us-east-1:{SECURITY}:key/{KEY}"},
            "NotFoundException",
            "Invalid arn us-east-1",
        ),
        (
            "kms",
            "enable_key",
            {"KeyId": "alias/x"},
            "NotFoundException",
            f"Alias {KEYS}:alias/x is not found.",
        ),
        ("kms", "generate_random", {}, "ValidationException", "NumberOfBytes is required."),
        (
            "kms",
            "create_alias",
            {"AliasName": "x", "TargetKeyId": KEY},
            "NotFoundException",
            f"Key '{KEYS}:key/{KEY}' does not exist",
        ),
        (
            "cloudwatch",
            "put_metric_alarm",
            {**ALARM, "AlarmActions": ["topic"]},
            "ValidationError",
            "Invalid arn syntax: topic",
        ),
        (
            "cloudwatch",
            "put_metric_alarm",
            {**ALARM, "Period": 45},
            "ValidationError",
            "Period must be 10, 20, 30 or a multiple of 60.",
        ),
        (
            "cloudwatch",
            "put_metric_alarm",
            {name: value for name, value in ALARM.items() if name not in ("Period", "Threshold")},
            "ValidationError",
            "An alarm on one metric needs Period, Threshold.",
        ),
        (
            "cloudwatch",
            "put_metric_alarm",
            {**ALARM, "Metrics": [{"Id": "a", "Expression": "1"}]},
            "ValidationError",
            "An alarm on Metrics takes none of the members of an alarm on one metric.",
        ),
        (
            "cloudwatch",
            "describe_alarm_history",
            {"NextToken": "x"},
            "InvalidNextToken",
            "The value specified for NextToken is not valid.",
        ),
        (
            "cloudwatch",
            "put_metric_data",
            {"Namespace": "n", "MetricData": [{"MetricName": "m", "Values": [1.0], "Counts": [1.0, 2.0]}]},
            "InvalidParameterValue",
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
        ),
        ("sns", "list_subscriptions", {"NextToken": "x"}, "InvalidParameter", "Invalid parameter: NextToken"),
        (
            "events",
            "put_targets",
            {"Rule": "r", "Targets": [{"Id": "a", "Arn": "queue"}]},
            "ValidationException",
            "Parameter queue is not valid. Reason: Provided Arn is not in correct format.",
        ),
        (
            "lambda",
            "create_function",
            {
                "FunctionName": "f",
                "Role": f"arn:aws:iam::{SECURITY}:role/r",
                "Runtime": "python3.13",
                "Handler": "a.b",
                "Code": {"ZipFile": b"no zip"},
            },
            "InvalidParameterValueException",
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ),
        (
            "lambda",
            "create_function",
            {"FunctionName": "f", "Role": f"arn:aws:iam::{SECURITY}:role/r", "Code": {"S3Key": "k"}},
            "InvalidParameterValueException",
            "Please provide a source for function code.",
        ),
        (
            "lambda",
            "invoke",
            {"FunctionName": f"{SECURITY}:function:f"},
            "ResourceNotFoundException",
            f"Function not found: arn:aws:lambda:{HOME}:{SECURITY}:function:f",
        ),
        (
            "sqs",
            "send_message_batch",
            {
                "QueueUrl": f"https://sqs.{HOME}.amazonaws.com/{SECURITY}/inbox",
                "Entries": [{"MessageBody": "x"}],
            },
            "MissingParameter",
            "The request must contain the parameter Id.",
        ),
    ],
)
def test_what_only_the_service_knows_to_be_wrong(
    shared: Sandbox, service: str, operation: str, params: dict[str, Any], code: str, text: str
) -> None:
    call = getattr(careless(shared, service), operation)
    assert refused(call, **params) == (code, text)


def test_subscription_filters_go_where_they_can(shared: Sandbox) -> None:
    logs = client(shared, "logs", SECURITY)
    logs.create_log_group(logGroupName="/g")
    params = {"logGroupName": "/g", "filterName": "f", "filterPattern": "", "destinationArn": INBOX}
    assert refused(logs.put_subscription_filter, **params) == (
        "InvalidParameterException",
        "PutSubscriptionFilter operation cannot work with destinationArn for vendor sqs",
    )


def test_the_pattern_of_an_archive_is_checked_like_that_of_a_rule(shared: Sandbox) -> None:
    bus = f"arn:aws:events:{HOME}:{SECURITY}:event-bus/default"
    params = {"ArchiveName": "a", "EventSourceArn": bus, "EventPattern": "null"}
    code, _ = refused(client(shared, "events", SECURITY).create_archive, **params)
    assert code == "InvalidEventPatternException"


def test_a_number_where_a_text_is_wanted(shared: Sandbox) -> None:
    code, _ = refused(careless(shared, "events").put_rule, Name=5)
    assert code == "SerializationException"


def test_keys_are_disabled_by_their_arn(shared: Sandbox) -> None:
    kms = client(shared, "kms", SECURITY)
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"


def test_texts_that_xml_cannot_hold(shared: Sandbox) -> None:
    sns = client(shared, "sns", SECURITY)
    topic = sns.create_topic(Name="bell", Attributes={"DisplayName": "ding\x07 dong"})["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "ding dong"


def test_demands_on_lists_and_maps_are_told_of_the_whole() -> None:
    shape = input_of("lambda", "CreateFunction")
    params = {
        "FunctionName": "f",
        "Role": "arn:aws:iam::1:role/r",
        "Code": {},
        "Environment": {"Variables": {"1": "x"}},
    }
    found = violations(shape, params)
    assert found == [
        "Value 'arn:aws:iam::1:role/r' at 'role' failed to satisfy constraint: Member must satisfy regular expression "
        "pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
        "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: "
        "[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
    ]


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"Name": 5}, "name"),
        ({"Name": "r", "Tags": "t"}, "tags"),
        ({"Name": "r", "Tags": [{"Key": "k", "Value": 1}]}, "tags.1.member.value"),
        ({"Name": "r", "Tags": []}, ""),
    ],
)
def test_values_of_another_type(params: dict[str, Any], path: str) -> None:
    assert mistyped(input_of("events", "PutRule"), params) == path


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("text", ["arn:aws", json.dumps({"Statement": 1})])
def test_no_operation_breaks(shared: Sandbox, service: str, text: str) -> None:
    made, broken = careless(shared, service), []
    for name in made.meta.service_model.operation_names:
        shape = input_of(service, name)
        if name in NOT_TRIED or shape is None:
            continue
        params = filled(shape, text)
        # The client would look for an endpoint of that name.
        params.pop("EndpointId", None)
        try:
            getattr(made, xform_name(name))(**params)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 500:
                broken.append((name, error.response["Error"]["Message"]))
    assert broken == []


def filled(shape: Any, text: str, depth: int = 0) -> Any:
    """A value that the model allows as far as it goes, with ``text`` wherever a text is wanted and fits."""
    kind = shape.type_name
    if kind == "structure":
        wanted = shape.required_members if depth else shape.members
        return {name: filled(shape.members[name], text, depth + 1) for name in wanted}
    if kind == "list":
        return [filled(shape.member, text, depth + 1)]
    if kind == "map":
        return {filled(shape.key, text, depth + 1): filled(shape.value, text, depth + 1)}
    least = max(1, int(shape.metadata.get("min", 1)))
    if kind == "string":
        choices = (*(getattr(shape, "enum", None) or (text, "x", KEY)), "1" * least)
        return next((each for each in choices if not violations(shape, each)), choices[-1])
    return {"blob": b"x" * least, "boolean": False, "timestamp": 0, "double": 1.0, "float": 1.0}.get(
        kind, least
    )
