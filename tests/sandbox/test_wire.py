"""Requests of real boto3 clients are read back as what they were; answers arrive as what was sent."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.models import new_session
from orgmon.sandbox.transport import environ_of
from orgmon.sandbox.wire import WireCall, parse, read_request
from orgmon.sandbox.world import World

from .conftest import HOME, PROD

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 13, 0, tzinfo=UTC)
SESSION = new_session()

REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "iam",
        "CreateRole",
        {
            "RoleName": "r",
            "Path": "/orgmon/",
            "AssumeRolePolicyDocument": '{"a": "b&c=d"}',
            "MaxSessionDuration": 3600,
            "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}],
        },
    ),
    ("iam", "ListRoles", {}),
    ("iam", "SimulateCustomPolicy", {"PolicyInputList": ["{}", "[]"], "ActionNames": ["s3:*"]}),
    (
        "sts",
        "AssumeRole",
        {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "me", "DurationSeconds": 900},
    ),
    (
        "sns",
        "Publish",
        {
            "TopicArn": "arn:aws:sns:eu-west-1:1:t",
            "Message": "über\nzwei",
            "MessageAttributes": {"k": {"DataType": "String", "StringValue": "v"}},
        },
    ),
    ("sns", "CreateTopic", {"Name": "t", "Attributes": {"KmsMasterKeyId": "k", "DisplayName": "d"}}),
    (
        "cloudformation",
        "CreateStackInstances",
        {
            "StackSetName": "s",
            "DeploymentTargets": {"OrganizationalUnitIds": ["ou-1", "ou-2"], "AccountFilterType": "NONE"},
            "Regions": ["eu-west-1", "us-east-1"],
            "OperationPreferences": {"FailureToleranceCount": 0, "MaxConcurrentPercentage": 100},
        },
    ),
    (
        "cloudformation",
        "CreateStack",
        {
            "StackName": "s",
            "TemplateBody": "{}",
            "Parameters": [{"ParameterKey": "a", "UsePreviousValue": True}],
            "NotificationARNs": [],
        },
    ),
    (
        "ec2",
        "CreateSecurityGroup",
        {
            "GroupName": "g",
            "Description": "d",
            "TagSpecifications": [{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}],
        },
    ),
    ("ec2", "DescribeRegions", {"RegionNames": ["eu-west-1"], "AllRegions": False}),
    (
        "cloudwatch",
        "PutMetricData",
        {
            "Namespace": "n",
            "MetricData": [
                {
                    "MetricName": "m",
                    "Timestamp": NOON,
                    "Value": 1.5,
                    "Dimensions": [{"Name": "a", "Value": "b"}],
                }
            ],
        },
    ),
    (
        "cloudwatch",
        "PutMetricAlarm",
        {
            "AlarmName": "a",
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "EvaluationPeriods": 1,
            "ActionsEnabled": False,
        },
    ),
    ("sqs", "SendMessage", {"QueueUrl": "https://q/1/n", "MessageBody": "b", "DelaySeconds": 1}),
    (
        "sqs",
        "SendMessage",
        {
            "QueueUrl": "https://q/1/n",
            "MessageBody": "b",
            "MessageAttributes": {"k": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
        },
    ),
    ("secretsmanager", "GetSecretValue", {"SecretId": "prod/db"}),
    ("secretsmanager", "CreateSecret", {"Name": "n", "SecretBinary": b"\x00\x01"}),
    ("kms", "Encrypt", {"KeyId": "k", "Plaintext": b"p", "EncryptionContext": {"a": "b"}}),
    ("logs", "FilterLogEvents", {"logGroupName": "g", "startTime": 5, "interleaved": True}),
    (
        "logs",
        "PutMetricFilter",
        {
            "logGroupName": "g",
            "filterName": "f",
            "filterPattern": '{ $.a = "b" }',
            "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
        },
    ),
    (
        "events",
        "PutEvents",
        {"Entries": [{"Time": NOON, "Source": "s", "Detail": "{}", "DetailType": "d", "EventBusName": "b"}]},
    ),
    ("cloudtrail", "LookupEvents", {"StartTime": NOON, "MaxResults": 5}),
    ("organizations", "ListAccountsForParent", {"ParentId": "r-abcd", "MaxResults": 3}),
    ("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": "x"}, "n": {"N": "1"}, "b": {"B": b"x"}}}),
    ("ssm", "PutParameter", {"Name": "/a/b", "Value": "v", "Overwrite": True}),
    (
        "s3",
        "CreateBucket",
        {"Bucket": "bucket", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
    ),
    ("s3", "PutBucketPolicy", {"Bucket": "bucket", "Policy": '{"Version": "2012-10-17"}'}),
    ("s3", "GetBucketPolicy", {"Bucket": "bucket"}),
    ("s3", "HeadBucket", {"Bucket": "bucket"}),
    ("s3", "PutObject", {"Bucket": "bucket", "Key": "a/b c+ü.txt", "Body": b"body", "Metadata": {"k": "v"}}),
    ("s3", "GetObject", {"Bucket": "bucket", "Key": "dir/", "VersionId": "1", "IfModifiedSince": NOON}),
    ("s3", "ListObjectsV2", {"Bucket": "bucket", "Prefix": "a&b=", "MaxKeys": 7}),
    (
        "s3",
        "DeleteObjects",
        {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": True}},
    ),
    (
        "s3",
        "PutBucketLifecycleConfiguration",
        {
            "Bucket": "bucket",
            "LifecycleConfiguration": {
                "Rules": [
                    {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 365}}
                ]
            },
        },
    ),
    (
        "s3",
        "PutBucketEncryption",
        {
            "Bucket": "bucket",
            "ServerSideEncryptionConfiguration": {
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": "k",
                        },
                        "BucketKeyEnabled": True,
                    }
                ]
            },
        },
    ),
    ("s3", "CopyObject", {"Bucket": "bucket", "Key": "to", "CopySource": "bucket/from"}),
    ("s3", "UploadPart", {"Bucket": "bucket", "Key": "k", "PartNumber": 2, "UploadId": "u", "Body": b"part"}),
    (
        "lambda",
        "CreateFunction",
        {
            "FunctionName": "f",
            "Role": "arn:aws:iam::123456789012:role/r",
            "Code": {"ZipFile": b"PK"},
            "Environment": {"Variables": {"A": "b"}},
            "Timeout": 5,
        },
    ),
    (
        "lambda",
        "Invoke",
        {"FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:f", "Payload": b'{"a": 1}'},
    ),
    ("lambda", "ListTags", {"Resource": "arn:aws:lambda:eu-west-1:123456789012:function:f"}),
    ("guardduty", "CreateDetector", {"Enable": True, "Tags": {"a": "b"}}),
    ("account", "GetRegionOptStatus", {"RegionName": "me-south-1"}),
]


class Recorder:
    """Stands where the network would be and keeps the last request, as a parsed call."""

    def __init__(self) -> None:
        self.calls: list[WireCall] = []

    def __call__(self, request: Any, **_: object) -> AWSResponse:
        self.calls.append(parse(read_request(environ_of(request))))
        return AWSResponse(request.url, 418, {}, Raw())


class Raw(io.BytesIO):
    """An empty body."""

    def stream(self, **_: object) -> Any:
        """No piece at all."""
        return iter(())


def sent(service: str, operation: str, params: dict[str, Any], **options: Any) -> WireCall:
    client = SESSION.create_client(
        service, region_name=HOME, aws_access_key_id="AKIA", aws_secret_access_key="x", **options
    )
    recorder = Recorder()
    client.meta.events.register_first("before-send.*", recorder)
    method = {name: method for method, name in client.meta.method_to_api_mapping.items()}[operation]
    try:
        getattr(client, method)(**params)
    except Exception:
        assert recorder.calls, "the request never left the client"
    return recorder.calls[0]


def ids(case: tuple[str, str, dict[str, Any]]) -> str:
    return f"{case[0]}-{case[1]}"


@pytest.mark.parametrize("case", REQUESTS, ids=ids)
def test_a_request_is_read_back_as_it_was_sent(case: tuple[str, str, dict[str, Any]]) -> None:
    service, operation, params = case
    call = sent(service, operation, params)
    assert (call.service, call.operation) == (service, operation)
    assert {name: call.params.get(name) for name in params} == params
    assert call.scope.access_key == "AKIA"


def test_the_region_is_the_one_that_was_signed_for() -> None:
    assert sent("events", "ListRules", {}).scope.region == HOME


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:5000", "http://s3.localhost:5000", None])
def test_a_bucket_may_stand_in_the_path_or_in_the_host(endpoint: str | None) -> None:
    call = sent("s3", "GetObject", {"Bucket": "bucket", "Key": "a/b"}, endpoint_url=endpoint)
    assert (call.params["Bucket"], call.params["Key"]) == ("bucket", "a/b")


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_address_is_signed_too(version: str) -> None:
    client = SESSION.create_client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="x",
        aws_session_token="tok/en",
        config=Config(signature_version=version),
    )
    address = client.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "k"})
    call = parse(read_request(environ_of(Plain(address))))
    assert (call.operation, call.scope.access_key, call.scope.session_token) == (
        "GetObject",
        "AKIA",
        "tok/en",
    )


class Plain:
    """A request that no client of boto3 has made."""

    def __init__(
        self, url: str, headers: dict[str, str] | None = None, method: str = "GET", body: bytes = b""
    ) -> None:
        self.url = url
        self.headers = headers or {}
        self.method = method
        self.body = body


def signed(service: str, key: str = "AKIA") -> dict[str, str]:
    scope = f"Credential={key}/20260101/{HOME}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}


def test_an_operation_that_does_not_exist_is_refused() -> None:
    request = Plain("https://iam.amazonaws.com/?Action=Nonsense", signed("iam"))
    with pytest.raises(Refusal, match="UnknownOperation"):
        parse(read_request(environ_of(request)))


@pytest.mark.parametrize("body", [b"{", b"[]", b"no"])
def test_a_document_that_is_no_json_is_refused(body: bytes) -> None:
    headers = {
        **signed("events"),
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AWSEvents.ListRules",
    }
    with pytest.raises(Refusal, match="SerializationException"):
        parse(read_request(environ_of(Plain("https://events/", headers, "POST", body))))


def test_what_is_not_sent_is_not_there() -> None:
    params = sent("s3", "PutObject", {"Bucket": "bucket", "Key": "k", "Body": b"x"}).params
    assert not {"Metadata", "Tagging", "CacheControl"} & params.keys()


ANSWERS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("iam", "GetRole", {"RoleName": "r"}, {"Role": {"Path": "/", "RoleName": "<r&>", "CreateDate": NOON}}),
    (
        "cloudformation",
        "ListStackInstances",
        {"StackSetName": "s"},
        {"Summaries": [{"Account": "1", "Status": "CURRENT"}, {"Account": "2"}], "NextToken": "t"},
    ),
    ("sns", "GetTopicAttributes", {"TopicArn": "t"}, {"Attributes": {"a": "1", "b": "2"}}),
    (
        "sqs",
        "ReceiveMessage",
        {"QueueUrl": "https://q/1/n"},
        {"Messages": [{"Body": "b", "Attributes": {"A": "1"}}]},
    ),
    ("cloudtrail", "LookupEvents", {}, {"Events": [{"EventId": "e", "EventTime": NOON}]}),
    (
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": "s"},
        {"SecretBinary": b"\x00\xff", "CreatedDate": NOON},
    ),
    (
        "cloudwatch",
        "DescribeAlarms",
        {},
        {"MetricAlarms": [{"AlarmName": "a", "Threshold": 1.0, "StateUpdatedTimestamp": NOON}]},
    ),
    ("lambda", "GetPolicy", {"FunctionName": "f"}, {"Policy": "{}", "RevisionId": "r"}),
    ("lambda", "Invoke", {"FunctionName": "f"}, {"StatusCode": 200, "FunctionError": "Unhandled"}),
    ("ec2", "DescribeRegions", {}, {"Regions": [{"RegionName": "x", "OptInStatus": "opted-in"}]}),
    ("s3", "ListBuckets", {}, {"Buckets": [{"Name": "b", "CreationDate": NOON}], "Owner": {"ID": "o"}}),
    ("s3", "HeadObject", {"Bucket": "bucket", "Key": "k"}, {"ContentLength": 5, "LastModified": NOON}),
    ("events", "DescribeRule", {"Name": "r"}, {"Name": "r", "State": "ENABLED"}),
]


def called(world: World, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    client = world.client(service, PROD, HOME)
    method = {name: method for method, name in client.meta.method_to_api_mapping.items()}[operation]
    answer: dict[str, Any] = getattr(client, method)(**params)
    return answer


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: f"{case[0]}-{case[1]}")
def test_an_answer_arrives_as_it_was_given(
    world: World, case: tuple[str, str, dict[str, Any], dict[str, Any]]
) -> None:
    service, operation, params, output = case
    world.operations.register(service, operation, lambda call: output)
    answer = called(world, service, operation, params)
    assert {name: answer.get(name) for name in output} == output


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("cloudformation", "DescribeStackSet", {"StackSetName": "s"}, "StackSetNotFoundException"),
        ("iam", "GetRole", {"RoleName": "r"}, "NoSuchEntity"),
        ("organizations", "ListAccounts", {}, "AccessDeniedException"),
        ("sqs", "GetQueueUrl", {"QueueName": "q"}, "AWS.SimpleQueueService.NonExistentQueue"),
        ("cloudwatch", "DescribeAlarms", {}, "InvalidNextToken"),
        ("lambda", "GetFunction", {"FunctionName": "f"}, "ResourceNotFoundException"),
        ("s3", "GetBucketPolicy", {"Bucket": "bucket"}, "NoSuchBucketPolicy"),
        ("ec2", "DescribeRegions", {}, "UnauthorizedOperation"),
    ],
)
def test_a_refusal_arrives_with_its_code(
    world: World, service: str, operation: str, params: dict[str, Any], code: str
) -> None:
    def refuse(call: Call) -> dict[str, Any]:
        raise Refusal(code, "because <of> & that")

    world.operations.register(service, operation, refuse)
    with pytest.raises(ClientError) as caught:
        called(world, service, operation, params)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["Error"]["Message"] == "because <of> & that"


def test_a_refusal_is_the_modelled_exception_of_a_query_compatible_service(world: World) -> None:
    sqs = world.client("sqs", PROD, HOME)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="nope")


CBOR = "smithy-rpc-v2-cbor"


def in_cbor(world: World, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """What a client of CloudWatch hears that speaks CBOR, as SDKs for other languages do."""
    model = SESSION.get_service_model("cloudwatch").operation_model(operation)
    request = create_serializer(CBOR).serialize_to_request(params, model)
    headers = {**request["headers"], **signed("monitoring", world.admin_key(PROD)[0])}
    url = f"https://monitoring.amazonaws.com{request['url_path']}"
    reply = world.gateway.handle(environ_of(Plain(url, headers, "POST", request["body"])))
    heard: dict[str, Any] = create_parser(CBOR).parse(
        {
            "status_code": reply.status,
            "headers": {name.lower(): value for name, value in reply.headers},
            "body": reply.body,
        },
        model.output_shape,
    )
    return heard


def test_a_client_may_speak_cbor(world: World) -> None:
    calls: list[Call] = []
    alarms = {"MetricAlarms": [{"AlarmName": "a", "Threshold": 1.5, "StateUpdatedTimestamp": NOON}]}

    def describe(call: Call) -> dict[str, Any]:
        calls.append(call)
        return {**alarms, "NextToken": None}

    world.operations.register("cloudwatch", "DescribeAlarms", describe)
    heard = in_cbor(world, "DescribeAlarms", {"AlarmNames": ["a", "b"], "MaxRecords": 7})
    assert calls[0].params == {"AlarmNames": ["a", "b"], "MaxRecords": 7}
    assert heard["MetricAlarms"] == alarms["MetricAlarms"]


def test_a_refusal_in_cbor_has_its_code(world: World) -> None:
    def refuse(call: Call) -> dict[str, Any]:
        raise Refusal("InvalidNextToken", "because")

    world.operations.register("cloudwatch", "DescribeAlarms", refuse)
    error = in_cbor(world, "DescribeAlarms", {})["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidNextToken", "because")


CBOR_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("PutMetricData", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5, "Timestamp": NOON}]}),
    ("ListMetrics", {"Namespace": "n"}),
    ("GetMetricStatistics", {"Namespace": "n", "MetricName": "m", "StartTime": NOON, "EndTime": LATER, "Period": 60, "Statistics": ["Sum"]}),
    ("PutMetricAlarm", {"AlarmName": "a", "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1, "Threshold": 1.5}),
    ("DescribeAlarms", {"AlarmNames": ["a"]}),
    ("DescribeAlarms", {}),
    ("PutDashboard", {"DashboardName": "d", "DashboardBody": "{}"}),
    ("GetDashboard", {"DashboardName": "d"}),
    ("ListDashboards", {}),
    ("TagResource", {"ResourceARN": f"arn:aws:cloudwatch:{HOME}:{PROD}:alarm:a", "Tags": [{"Key": "k", "Value": "v"}]}),
    ("ListTagsForResource", {"ResourceARN": f"arn:aws:cloudwatch:{HOME}:{PROD}:alarm:a"}),
    ("DeleteAlarms", {"AlarmNames": ["a"]}),
]  # fmt: skip


def test_what_moto_answers_is_the_same_in_cbor_and_in_json(world: World) -> None:
    client = world.session(PROD, region=HOME).client("cloudwatch")
    methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
    told: list[dict[str, Any]] = []
    for operation, params in CBOR_CALLS:
        heard = in_cbor(world, operation, params)
        assert "Error" not in heard, operation
        again = getattr(client, methods[operation])(**params)
        for answer in (heard, again):
            answer.pop("ResponseMetadata")
        if not operation.startswith("Put"):
            assert heard == again, operation
        told.append(heard)
    assert told[2]["Datapoints"][0]["Timestamp"] == NOON
    assert told[4]["MetricAlarms"][0]["Threshold"] == 1.5
    assert told[10]["Tags"] == [{"Key": "k", "Value": "v"}]


def test_what_moto_refuses_is_refused_in_cbor(world: World) -> None:
    error = in_cbor(world, "GetDashboard", {"DashboardName": "none"})["Error"]
    assert error["Code"] == "ResourceNotFound"
