"""From an API call to its CloudTrail records.

Sources: CloudTrail user guide, "CloudTrail record contents", "Example: sharedEventID"; KMS developer guide, "Examples
of AWS KMS log entries" (each names its key); recorded events. A call that is refused before it is executed loses its
parameters in most services (EC2 and S3 keep them); what it wanted is then told by ``errorMessage`` alone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.trail import values
from orgmon.sandbox.trail.identities import Sessions, foreign_identity_of, identity_of
from orgmon.sandbox.trail.vocabulary import event_name, is_data_event, is_read_only, source_of

Record = dict[str, Any]
_KEEP_PARAMETERS = frozenset({"ec2", "s3", "ce"})
_REFUSED_EARLY = (
    "AccessDenied",
    "AuthorizationError",
    "Throttling",
    "TooManyRequestsException",
    "UnauthorizedOperation",
)
LONGEST_MESSAGE = 1024
GLOBAL_REGION = "us-east-1"


@dataclass(frozen=True)
class Written:
    """A record, and the account and Region whose history it belongs to."""

    account: str
    region: str
    record: Record


def stamp(time: datetime) -> str:
    """A time as records have it: UTC, whole seconds."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def frame(region: str, account: str, time: datetime) -> Record:
    """What every management record has, with a new event id."""
    return {
        "eventVersion": "1.11",
        "eventTime": stamp(time),
        "awsRegion": region,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }


def records_of(call: Call, sessions: Sessions) -> tuple[Written, ...]:
    """The records of a call: none for data events, two for one that worked across accounts."""
    if is_data_event(call.service, call.operation):
        return ()
    record = _record(call, sessions)
    own = Written(call.account, call.region, record)
    if not _reaches_owner(call):
        return (own,)
    record["sharedEventID"] = str(uuid.uuid4())
    copy = {
        **record,
        "eventID": str(uuid.uuid4()),
        "userIdentity": foreign_identity_of(call.principal),
        "recipientAccountId": call.resource_account,
    }
    return (own, Written(call.resource_account, call.region, copy))


def _reaches_owner(call: Call) -> bool:
    return call.resource_account != call.account and call.error is None


def _record(call: Call, sessions: Sessions) -> Record:
    read_only = is_read_only(call.service, call.operation)
    record = frame(call.region, call.account, call.time)
    record |= {
        "userIdentity": identity_of(call.principal, call.time, call.invoked_by, sessions),
        "eventSource": source_of(call.service),
        "eventName": event_name(call.service, call.operation),
        "sourceIPAddress": call.source_address,
        "userAgent": call.user_agent,
        "requestParameters": values.parameters(call),
        "responseElements": _results(call, read_only),
        "requestID": call.request_id,
        "readOnly": read_only,
    }
    if call.error is not None:
        _add_error(record, call, call.error.code, call.error.message)
    resource = _resource(call)
    if resource is not None:
        record["resources"] = [{"accountId": call.resource_account, **resource}]
    if not call.invoked_by:
        record["tlsDetails"] = _tls(call)
    return record


def _resource(call: Call) -> dict[str, str] | None:
    """What a record tells of the resource itself: roles that were assumed, buckets, and keys."""
    if call.service == "sts" and call.operation == "AssumeRole" and call.error is None:
        return {"type": "AWS::IAM::Role", "ARN": str(call.params["RoleArn"])}
    if call.service == "s3" and call.params.get("Bucket"):
        return {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{call.params['Bucket']}"}
    if call.service == "kms" and call.error is None:
        made = (call.response or {}).get("KeyMetadata", {})
        arn = str(made.get("Arn") or call.resource)
        return {"type": "AWS::KMS::Key", "ARN": arn} if ":key/" in arn else None
    return None


def _results(call: Call, read_only: bool) -> dict[str, Any] | None:
    """What the call returned, where it changed something; AssumeRole tells its key though it only reads."""
    if call.response is None or (read_only and call.operation != "AssumeRole"):
        return None
    return values.results(call)


def _add_error(record: Record, call: Call, code: str, message: str) -> None:
    if code.startswith(_REFUSED_EARLY) and call.service not in _KEEP_PARAMETERS:
        record["requestParameters"] = None
    if call.service == "secretsmanager" and call.params.get("SecretId"):
        # The policy check sees the resolved ARN; the message has the caller's own spelling.
        typed = f"on resource: {call.params['SecretId']}"
        message = message.replace(f"on resource: {call.resource}", typed)
    record["errorCode"] = _code(call.service, code)
    record["errorMessage"] = message[:LONGEST_MESSAGE]


def _code(service: str, code: str) -> str:
    if code == "AccessDeniedException":
        return "AccessDenied"
    return f"Client.{code}" if service == "ec2" else code


def _tls(call: Call) -> dict[str, str]:
    host = source_of(call.service)
    if call.service not in ("iam", "organizations"):
        name, _, rest = host.partition(".")
        host = f"{name}.{call.region}.{rest}"
    return {
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": host,
    }
