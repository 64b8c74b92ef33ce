"""Queues, topics, keys, roles and trails for the tests of signals, made by the administrators of their accounts."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.world import World
from tests.sandbox.conftest import HOME, LOGS, MANAGEMENT, ORG

TRAIL = "audit"
TRAIL_ARN = f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/{TRAIL}"
LOG_GROUP = "/aws/cloudtrail/audit"
BUCKET = "audit-logs"
TRAIL_ROLE = "trail-to-logs"


def allow(action: str | list[str], resource: str, **more: Any) -> dict[str, Any]:
    """One statement; ``more`` are Principal and Condition."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def service(*names: str) -> dict[str, list[str]]:
    """A Principal element for AWS services."""
    return {"Service": [f"{name}.amazonaws.com" for name in names]}


_clients: dict[tuple[World, str, str, str], Any] = {}


def client(sandbox: Sandbox, name: str, account: str, region: str = HOME) -> Any:
    """The administrator's client, the same one each time: to make one costs more than ten calls."""
    if any(key[0] is not sandbox.world for key in _clients):
        _clients.clear()
    place = (sandbox.world, name, account, region)
    if place not in _clients:
        _clients[place] = sandbox.world.session(account, region=region).client(name)
    return _clients[place]


def make_queue(sandbox: Sandbox, name: str, account: str, policy: str = "", **attributes: str) -> str:
    """A queue; returns its ARN."""
    wanted = {**attributes, **({"Policy": policy} if policy else {})}
    client(sandbox, "sqs", account).create_queue(QueueName=name, Attributes=wanted)
    return f"arn:aws:sqs:{HOME}:{account}:{name}"


def make_topic(sandbox: Sandbox, name: str, account: str, **attributes: str) -> str:
    """A topic; returns its ARN."""
    made = client(sandbox, "sns", account).create_topic(Name=name, Attributes=attributes)
    return str(made["TopicArn"])


def make_key(sandbox: Sandbox, account: str, *statements: dict[str, Any]) -> str:
    """A key that its account may use as its own policies say, and others by ``statements``; returns its id."""
    own = allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{account}:root"})
    made = client(sandbox, "kms", account).create_key(Policy=document(own, *statements))
    return str(made["KeyMetadata"]["KeyId"])


def key_use(*services: str) -> dict[str, Any]:
    """The statement that lets services use a key."""
    return allow(["kms:GenerateDataKey*", "kms:Decrypt"], "*", Principal=service(*services))


def make_role(sandbox: Sandbox, name: str, account: str, trusted: str, *statements: dict[str, Any]) -> str:
    """A role that a service may assume; returns its ARN."""
    iam = client(sandbox, "iam", account)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service(trusted)}
    made = iam.create_role(RoleName=name, Path="/test/", AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document(*statements))
    return str(made["Role"]["Arn"])


def make_function(sandbox: Sandbox, name: str, account: str, role: str, code: str) -> str:
    """A function with ``code`` as its module, of which ``handle`` is called; returns its ARN."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    made = client(sandbox, "lambda", account).create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handle",
        Role=role,
        Code={"ZipFile": buffer.getvalue()},
        Timeout=10,
    )
    return str(made["FunctionArn"])


def messages(sandbox: Sandbox, queue_arn: str) -> list[dict[str, Any]]:
    """What is in a queue, taken out of it."""
    _, _, _, region, account, name = queue_arn.split(":")
    sqs = sandbox.world.client("sqs", account, region)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    taken: list[dict[str, Any]] = []
    while batch := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    ).get("Messages"):
        taken.extend(batch)
        for message in batch:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return taken


def bodies(sandbox: Sandbox, queue_arn: str) -> list[Any]:
    """The JSON bodies of what is in a queue."""
    return [json.loads(message["Body"]) for message in messages(sandbox, queue_arn)]


def log_messages(sandbox: Sandbox, account: str, group: str, region: str = HOME) -> list[str]:
    """Everything in a log group."""
    logs = sandbox.world.client("logs", account, region)
    return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]


def make_organization_trail(sandbox: Sandbox) -> None:
    """A trail of the management account with a bucket and key in the log archive, a log group and its role."""
    key = make_key(sandbox, LOGS, _trail_key_use())
    _make_bucket(sandbox)
    client(sandbox, "logs", MANAGEMENT).create_log_group(logGroupName=LOG_GROUP)
    group = f"arn:aws:logs:{HOME}:{MANAGEMENT}:log-group:{LOG_GROUP}"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    role = make_role(sandbox, TRAIL_ROLE, MANAGEMENT, "cloudtrail", allow(actions, f"{group}:log-stream:*"))
    cloudtrail = client(sandbox, "cloudtrail", MANAGEMENT)
    cloudtrail.create_trail(
        Name=TRAIL,
        S3BucketName=BUCKET,
        IsMultiRegionTrail=True,
        IsOrganizationTrail=True,
        KmsKeyId=f"arn:aws:kms:{HOME}:{LOGS}:key/{key}",
        CloudWatchLogsLogGroupArn=f"{group}:*",
        CloudWatchLogsRoleArn=role,
    )
    cloudtrail.start_logging(Name=TRAIL)


def _trail_key_use() -> dict[str, Any]:
    condition = {"StringEquals": {"aws:SourceArn": TRAIL_ARN}}
    return allow(
        ["kms:GenerateDataKey*", "kms:DescribeKey"],
        "*",
        Principal=service("cloudtrail"),
        Condition=condition,
    )


def _make_bucket(sandbox: Sandbox) -> None:
    s3 = client(sandbox, "s3", LOGS)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": HOME})
    trail = service("cloudtrail")
    from_trail = {"StringEquals": {"aws:SourceArn": TRAIL_ARN}}
    bucket = f"arn:aws:s3:::{BUCKET}"
    paths: Iterable[str] = (f"AWSLogs/{MANAGEMENT}/*", f"AWSLogs/{ORG}/*")
    puts = [
        allow("s3:PutObject", f"{bucket}/{path}", Principal=trail, Condition=from_trail) for path in paths
    ]
    acl = allow("s3:GetBucketAcl", bucket, Principal=trail, Condition=from_trail)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=document(acl, *puts))
