"""A stub of AWS's APIs below the SDK: bytes and a delay instead of the network.

It sits where botocore would send the request, so that the real client, its parser and its retries are measured.
All answers are built once.
"""

from __future__ import annotations

import io
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import product
from math import ceil
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.awsrequest import AWSResponse

from orgmon.stackset import TemplateBody

LATENCY = 0.02
ACCOUNTS, UNITS = 1000, 20
REGIONS = tuple(
    f"{area}-{side}-{number}"
    for area, side, number in product(("us", "eu", "ap"), ("east", "west"), (1, 2, 3))
)[:17]
NAMES = tuple(f"orgmon-{name}" for name in ("access", "alarms", "detection", "edge"))
MANAGEMENT, ORGANIZATION, ROOT = "100000000000", "o-abcdefghij", "r-abcd"
TEMPLATE = TemplateBody.of(
    {"Resources": {"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "hub"}}}}
)
TAG = "orgmon"
INSTANCE_PAGE, ACCOUNT_PAGE = 100, 20
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


def members() -> list[str]:
    """The ids of the member accounts."""
    return [f"{200_000_000_000 + number}" for number in range(ACCOUNTS)]


class Stub:
    """Answers requests after ``latency`` seconds; counts them by API call."""

    def __init__(self, latency: float = LATENCY) -> None:
        self.calls: Counter[str] = Counter()
        self._latency = latency
        self._lock = threading.Lock()
        self._instances = list(_instance_pages())
        self._units = [f"ou-abcd-{number:08}" for number in range(UNITS)]

    @property
    def pages(self) -> int:
        """The pages that hold the instances of all stack sets, and the accounts and units below root and units."""
        of_accounts = 1 + UNITS * ceil(ACCOUNTS / UNITS / ACCOUNT_PAGE)
        of_units = ceil(UNITS / ACCOUNT_PAGE) + UNITS
        return len(NAMES) * len(self._instances) + of_accounts + of_units

    def session(self) -> Any:
        """A boto3 session whose requests end here."""
        session = boto3.Session("AKIDEXAMPLE", "secret", region_name="us-east-1")
        session.events.register("before-send", self._answer)
        return session

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        host = request.url.split("/")[2].split(".")[0]
        body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
        call, content, status = getattr(self, f"_{host}", self._nothing)(request, body)
        with self._lock:
            self.calls[call] += 1
        time.sleep(self._latency)
        return AWSResponse(request.url, status, {"x-amzn-RequestId": "1"}, _Raw(content))

    def _cloudformation(self, _: Any, body: str) -> tuple[str, bytes, int]:
        asked = {key: values[0] for key, values in parse_qs(body).items()}
        action = asked["Action"]
        if action == "ListStackInstances":
            return action, self._instances[int(asked.get("NextToken", "0"))], 200
        if action == "DescribeStacks":
            return action, _error("ValidationError", "Stack does not exist"), 400
        return action, _small_answer(action, asked), 200

    def _organizations(self, request: Any, body: str) -> tuple[str, bytes, int]:
        action = request.headers["X-Amz-Target"].decode().split(".")[1]
        return action, json.dumps(self._organization(action, json.loads(body))).encode(), 200

    def _organization(self, action: str, asked: dict[str, str]) -> dict[str, Any]:
        if action == "DescribeOrganization":
            return {"Organization": {"Id": ORGANIZATION, "MasterAccountId": MANAGEMENT}}
        if action == "ListRoots":
            return {"Roots": [{"Id": ROOT, "Name": "Root"}]}
        parent, begin = asked["ParentId"], int(asked.get("NextToken", "0"))
        if action == "ListOrganizationalUnitsForParent":
            units = self._units if parent == ROOT else []
            return _page("OrganizationalUnits", [{"Id": unit, "Name": unit} for unit in units], begin)
        ids = members()[self._units.index(parent) :: UNITS] if parent in self._units else []
        accounts = [
            {"Id": account, "Name": account, "Email": "a@example.com", "State": "ACTIVE"} for account in ids
        ]
        return _page("Accounts", accounts, begin)

    def _sts(self, *_: object) -> tuple[str, bytes, int]:
        return "AssumeRole", ASSUMED, 200

    def _cloudtrail(self, *_: object) -> tuple[str, bytes, int]:
        return "DescribeTrails", TRAILS, 200

    def _events(self, *_: object) -> tuple[str, bytes, int]:
        return "ListRules", RULES, 200

    def _sns(self, *_: object) -> tuple[str, bytes, int]:
        return "ListTopics", TOPICS, 200

    def _nothing(self, *_: object) -> tuple[str, bytes, int]:
        """There is no bucket yet."""
        return "ListObjectsV2", b"<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>", 404


class _Raw(io.BytesIO):
    """The part of a urllib3 response that botocore reads."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """The whole content."""
        yield self.read()


def _page(key: str, items: list[dict[str, Any]], begin: int) -> dict[str, Any]:
    end = begin + ACCOUNT_PAGE
    more = {"NextToken": str(end)} if end < len(items) else {}
    return {key: items[begin:end], **more}


def _answer_of(action: str, inner: str) -> bytes:
    return (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    ).encode()


def _error(code: str, message: str) -> bytes:
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{message}</Message></Error></ErrorResponse>"
    ).encode()


def _instance_pages() -> Iterator[bytes]:
    """ListStackInstances with everything CURRENT, as large as AWS's own."""
    summaries = [_instance(account, region) for account in members() for region in REGIONS]
    for begin in range(0, len(summaries), INSTANCE_PAGE):
        end = begin + INSTANCE_PAGE
        more = f"<NextToken>{end // INSTANCE_PAGE}</NextToken>" if end < len(summaries) else ""
        inner = "".join(summaries[begin:end])
        yield _answer_of("ListStackInstances", f"<Summaries>{inner}</Summaries>{more}")


def _instance(account: str, region: str) -> str:
    uuid = f"{account}-{region}"
    stack = f"arn:aws:cloudformation:{region}:{account}:stack/StackSet-orgmon-{uuid}/{uuid}"
    return (
        f"<member><StackSetId>orgmon:0a1b2c3d-0000-1111-2222-333344445555</StackSetId><Region>{region}</Region>"
        f"<Account>{account}</Account><StackId>{stack}</StackId><Status>CURRENT</Status>"
        "<StackInstanceStatus><DetailedStatus>SUCCEEDED</DetailedStatus></StackInstanceStatus>"
        f"<OrganizationalUnitId>{ROOT}</OrganizationalUnitId><DriftStatus>NOT_CHECKED</DriftStatus>"
        "<LastOperationId>orgmon-0123456789abcdef01234567</LastOperationId></member>"
    )


def _small_answer(action: str, asked: dict[str, str]) -> bytes:
    if action == "ListStackSets":
        names = "".join(
            f"<member><StackSetName>{name}</StackSetName><StackSetId>{name}:1</StackSetId><Status>ACTIVE</Status>"
            "<PermissionModel>SERVICE_MANAGED</PermissionModel></member>"
            for name in NAMES
        )
        return _answer_of(action, f"<Summaries>{names}</Summaries>")
    if action == "DescribeStackSet":
        name = asked["StackSetName"]
        body = TEMPLATE.text.replace("&", "&amp;").replace("<", "&lt;")
        return _answer_of(
            action,
            f"<StackSet><StackSetName>{name}</StackSetName><Status>ACTIVE</Status><TemplateBody>{body}</TemplateBody>"
            "<PermissionModel>SERVICE_MANAGED</PermissionModel><AutoDeployment><Enabled>true</Enabled></AutoDeployment>"
            f"<Tags><member><Key>{TAG}</Key><Value>{name}</Value></member></Tags>"
            f"<OrganizationalUnitIds><member>{ROOT}</member></OrganizationalUnitIds></StackSet>",
        )
    operation = (
        "<member><OperationId>orgmon-0123456789abcdef01234567</OperationId><Action>CREATE</Action>"
        "<Status>SUCCEEDED</Status><CreationTimestamp>2026-11-20T12:00:00Z</CreationTimestamp></member>"
    )
    return _answer_of(action, f"<Summaries>{operation}</Summaries>")


ASSUMED = _answer_of(
    "AssumeRole",
    "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
    f"<SessionToken>{'t' * 700}</SessionToken><Expiration>2126-11-20T12:00:00Z</Expiration></Credentials>",
)
TRAILS = json.dumps(
    {
        "trailList": [
            {
                "Name": "orgmon",
                "S3BucketName": "orgmon-logs",
                "IsMultiRegionTrail": True,
                "HomeRegion": "us-east-1",
                "TrailARN": f"arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/orgmon",
                "IsOrganizationTrail": True,
            }
        ]
    }
).encode()
RULES = json.dumps(
    {
        "Rules": [
            {
                "Name": f"orgmon-forward-{number}",
                "Arn": f"arn:aws:events:us-east-1:{MANAGEMENT}:rule/orgmon-forward-{number}",
                "EventPattern": json.dumps({"source": ["aws.iam"], "detail": {"eventName": ["CreateUser"]}}),
                "State": "ENABLED",
                "EventBusName": "default",
            }
            for number in range(8)
        ]
    }
).encode()
TOPICS = _answer_of(
    "ListTopics",
    "<Topics>"
    + "".join(
        f"<member><TopicArn>arn:aws:sns:us-east-1:{MANAGEMENT}:topic-{number}</TopicArn></member>"
        for number in range(5)
    )
    + "</Topics>",
)
