"""What an API call addresses: the ARN, as far as the parameters tell it, and so the account that owns it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.stores import Stores

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a call is made: ARNs that are named by a bare name are of this account and Region."""

    account: str
    region: str


def owner_of(arn: str, place: Place) -> str:
    """The account in an ARN, or the caller's where the ARN has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and re.fullmatch(r"\d{12}", parts[4]) else place.account


def resource_of(service: str, operation: str, params: Params, place: Place, stores: Stores) -> str:
    """The ARN that a call addresses, ``*`` where it addresses none or many."""
    find = _FINDERS.get(service)
    arn = find(operation, params, place, stores) if find else ""
    return arn or "*"


def _first(params: Params, *names: str) -> str:
    for name in names:
        value = params.get(name)
        if isinstance(value, (list, tuple)) and len(value) == 1:
            value = value[0]
        if isinstance(value, str) and value:
            return value
    return ""


def _arn(service: str, place: Place, rest: str) -> str:
    return f"arn:aws:{service}:{place.region}:{place.account}:{rest}"


def _s3(operation: str, params: Params, place: Place, stores: Stores) -> str:
    bucket, key = _first(params, "Bucket"), _first(params, "Key")
    if not bucket:
        return ""
    if operation == "DeleteObjects":
        key = "*"
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def _sqs(operation: str, params: Params, place: Place, stores: Stores) -> str:
    url = _first(params, "QueueUrl")
    if url:
        account, name = ([place.account, *url.rstrip("/").split("/")])[-2:]
        return f"arn:aws:sqs:{place.region}:{account}:{name}"
    name = _first(params, "QueueName")
    owner = _first(params, "QueueOwnerAWSAccountId") or place.account
    return f"arn:aws:sqs:{place.region}:{owner}:{name}" if name else ""


def _sns(operation: str, params: Params, place: Place, stores: Stores) -> str:
    arn = _first(params, "TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn")
    if arn:
        return ":".join(arn.split(":")[:6])
    name = _first(params, "Name")
    return _arn("sns", place, name) if name else ""


def _secrets(operation: str, params: Params, place: Place, stores: Stores) -> str:
    name = _first(params, "SecretId") or _first(params, "Name")
    if not name or name.startswith("arn:"):
        return name
    secret = stores.find("secretsmanager", place.account, place.region, "secrets", name)
    return str(secret.arn) if secret else _arn("secretsmanager", place, f"secret:{name}-??????")


def _kms(operation: str, params: Params, place: Place, stores: Stores) -> str:
    name = _first(params, "KeyId", "TargetKeyId")
    if not name:
        return ""
    where, local = place, name
    if name.startswith("arn:") and name.count(":") >= 5:
        _, _, _, region, account, local = name.split(":", 5)
        where = Place(account, region)
    if local.startswith("alias/"):
        local = stores.key_of_alias(where.account, where.region, local) or local
    return _arn("kms", where, local if local.startswith(("key/", "alias/")) else f"key/{local}")


def _logs(operation: str, params: Params, place: Place, stores: Stores) -> str:
    arn = _first(params, "logGroupIdentifier", "resourceArn")
    if arn.startswith("arn:"):
        return arn if arn.endswith(":*") else f"{arn}:*"
    name = _first(params, "logGroupName", "logGroupIdentifier")
    if not name:
        return ""
    stream = _first(params, "logStreamName")
    return _arn("logs", place, f"log-group:{name}:" + (f"log-stream:{stream}" if stream else "*"))


def _events(operation: str, params: Params, place: Place, stores: Stores) -> str:
    if operation == "PutEvents":
        entries = params.get("Entries") or [{}]
        return _bus_arn(_first(entries[0], "EventBusName") or "default", place)
    bus = _first(params, "EventBusName")
    if operation.endswith("EventBus") or operation in ("PutPermission", "RemovePermission"):
        return _bus_arn(_first(params, "Name", "EventBusName") or "default", place)
    if operation.endswith("Archive"):
        return _arn("events", place, f"archive/{_first(params, 'ArchiveName')}")
    rule = _first(params, "Rule", "Name")
    if not rule:
        return _first(params, "ResourceARN")
    bus_name = bus.rsplit("/", 1)[-1]
    path = rule if bus_name in ("", "default") else f"{bus_name}/{rule}"
    return _arn("events", place, f"rule/{path}")


def _bus_arn(name: str, place: Place) -> str:
    return name if name.startswith("arn:") else _arn("events", place, f"event-bus/{name}")


def _iam(operation: str, params: Params, place: Place, stores: Stores) -> str:
    for kind, field in (("role", "RoleName"), ("user", "UserName"), ("group", "GroupName")):
        name = _first(params, field)
        if name:
            path = stores.iam_path(place.account, kind, name) or _first(params, "Path") or "/"
            return f"arn:aws:iam::{place.account}:{kind}{path}{name}"
    name = _first(params, "PolicyName")
    if operation == "CreatePolicy" and name:
        return f"arn:aws:iam::{place.account}:policy{_first(params, 'Path') or '/'}{name}"
    return _first(params, "PolicyArn")


def _sts(operation: str, params: Params, place: Place, stores: Stores) -> str:
    return _first(params, "RoleArn")


def _lambda(operation: str, params: Params, place: Place, stores: Stores) -> str:
    name = _first(params, "FunctionName", "Resource")
    if name.startswith("arn:"):
        return ":".join(name.split(":")[:7])
    # The name, function:NAME or ACCOUNT:function:NAME, each with a qualifier or without.
    before, found, after = name.rpartition("function:")
    where = Place(before.rstrip(":") or place.account, place.region) if found else place
    local = (after if found else name).split(":")[0]
    return _arn("lambda", where, f"function:{local}") if local else ""


def _named(service: str, prefix: str, *fields: str) -> Finder:
    def find(operation: str, params: Params, place: Place, stores: Stores) -> str:
        name = _first(params, *fields)
        return name if not name or name.startswith("arn:") else _arn(service, place, f"{prefix}{name}")

    return find


def _ssm(operation: str, params: Params, place: Place, stores: Stores) -> str:
    name = _first(params, "Name", "Names")
    return (
        name if not name or name.startswith("arn:") else _arn("ssm", place, f"parameter/{name.lstrip('/')}")
    )


def _cloudformation(operation: str, params: Params, place: Place, stores: Stores) -> str:
    stack_set = _first(params, "StackSetName")
    if stack_set:
        return _arn("cloudformation", place, f"stackset/{stack_set}:*")
    stack = _first(params, "StackName")
    return (
        stack if not stack or stack.startswith("arn:") else _arn("cloudformation", place, f"stack/{stack}/*")
    )


Finder = Callable[[str, Params, Place, Stores], str]
_FINDERS: dict[str, Finder] = {
    "s3": _s3,
    "sqs": _sqs,
    "sns": _sns,
    "secretsmanager": _secrets,
    "kms": _kms,
    "logs": _logs,
    "events": _events,
    "iam": _iam,
    "sts": _sts,
    "lambda": _lambda,
    "ssm": _ssm,
    "cloudformation": _cloudformation,
    "dynamodb": _named("dynamodb", "table/", "TableName", "ResourceArn"),
    "cloudwatch": _named("cloudwatch", "alarm:", "AlarmName", "AlarmNames", "ResourceARN"),
    "cloudtrail": _named("cloudtrail", "trail/", "Name", "TrailName", "ResourceId"),
}
