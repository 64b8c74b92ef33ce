"""CloudTrail's own names: event sources, event names, what is read-only, and what is no management event.

Sources: CloudTrail user guide, "CloudTrail record contents", "Logging data events"; recorded events.
"""

from __future__ import annotations

import re

from orgmon.sandbox.models import iam_prefix

_SOURCES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging"}
# Lambda's events carry the version of the API that the operation is from.
_LAMBDA = {
    "AddPermission": "20150331v2",
    "CreateAlias": "20150331",
    "CreateEventSourceMapping": "20150331",
    "CreateFunction": "20150331",
    "DeleteAlias": "20150331",
    "DeleteEventSourceMapping": "20150331",
    "DeleteFunction": "20150331",
    "DeleteFunctionConcurrency": "20171031",
    "GetAccountSettings": "20160819",
    "GetEventSourceMapping": "20150331",
    "GetFunction": "20150331v2",
    "GetFunctionConfiguration": "20150331v2",
    "GetPolicy": "20150331v2",
    "ListEventSourceMappings": "20150331",
    "ListFunctions": "20150331",
    "ListTags": "20170331",
    "PublishVersion": "20150331",
    "PutFunctionConcurrency": "20171031",
    "RemovePermission": "20150331v2",
    "TagResource": "20170331v2",
    "UntagResource": "20170331v2",
    "UpdateAlias": "20150331",
    "UpdateEventSourceMapping": "20150331",
    "UpdateFunctionCode": "20150331v2",
    "UpdateFunctionConfiguration": "20150331v2",
}
_S3 = {
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
_READING = re.compile(
    r"(BatchGet|Describe|Detect|Estimate|Filter|Get|Head|List|Lookup|Preview|Query|Scan|Search|Select"
    r"|Simulate|Test|Validate|View)"
)
_READING_TOO = frozenset(
    {
        ("kms", "Decrypt"),
        ("kms", "Encrypt"),
        ("kms", "GenerateDataKey"),
        ("kms", "GenerateDataKeyWithoutPlaintext"),
        ("kms", "GenerateRandom"),
        ("kms", "GenerateMac"),
        ("kms", "ReEncrypt"),
        ("kms", "Sign"),
        ("kms", "Verify"),
        ("kms", "VerifyMac"),
        ("logs", "StartQuery"),
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithSAML"),
        ("sts", "AssumeRoleWithWebIdentity"),
    }
)
_WRITING_THOUGH = frozenset({("sts", "GetFederationToken"), ("sts", "GetSessionToken")})
_DATA: dict[str, frozenset[str]] = {
    "cloudwatch": frozenset({"GetMetricData", "GetMetricWidgetImage", "PutMetricData"}),
    "dynamodb": frozenset(
        {
            "BatchExecuteStatement",
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "ExecuteStatement",
            "ExecuteTransaction",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        }
    ),
    "events": frozenset({"PutEvents"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "kinesis": frozenset({"GetRecords", "GetShardIterator", "PutRecord", "PutRecords"}),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "logs": frozenset({"PutLogEvents"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "sqs": frozenset(
        {
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "DeleteMessageBatch",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        }
    ),
}
_S3_DATA = re.compile(
    r"(?!.*Buckets?$)(\w*Object(?!Ownership|LockConfiguration)\w*|\w*Multipart\w*|\w*UploadPart\w*)|ListParts"
)


def source_of(service: str) -> str:
    """The event source of a service, a host name; ``service`` is botocore's name."""
    return f"{_SOURCES.get(service) or iam_prefix(service)}.amazonaws.com"


def event_name(service: str, operation: str) -> str:
    """What CloudTrail calls an operation."""
    if service == "lambda":
        return operation + _LAMBDA.get(operation, "")
    return _S3.get(operation, operation) if service == "s3" else operation


def is_read_only(service: str, operation: str) -> bool:
    """CloudTrail's readOnly."""
    if (service, operation) in _WRITING_THOUGH:
        return False
    return (service, operation) in _READING_TOO or _READING.match(operation) is not None


def is_data_event(service: str, operation: str) -> bool:
    """True for calls that are no management events: trails have them only when asked, and the history never."""
    if service == "s3":
        return _S3_DATA.fullmatch(operation) is not None
    return operation in _DATA.get(service, ())
