"""AWS below the SDK: requests end here instead of in the network, answered by account and service."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.awsrequest import AWSResponse

KEY = re.compile(r"Credential=([^/]+)/")
NUMBER = {"x-amzn-RequestId": "1"}
Handler = Callable[["Request"], tuple[int, bytes]]


@dataclass(frozen=True)
class Request:
    """A request: which keys it is signed with, and what it asks whom."""

    key: str
    host: str
    body: dict[str, str] = field(default_factory=dict)
    url: str = ""

    @property
    def service(self) -> str:
        """As hosts name it."""
        return self.host.split(".")[0]


class FakeWire:
    """Answers every request. A role's keys carry the account's id and a count: ``ASIA<account>X<count>``."""

    def __init__(self, lifetime: timedelta = timedelta(hours=1)) -> None:
        self.requests: list[Request] = []
        self.profiles: list[str | None] = []
        self.lifetime = lifetime
        self.handlers: dict[str, Handler] = {"sts": self._assume}

    def make(self, profile: str | None) -> Any:
        """A boto3 session whose requests end here, signed as ``AKIA<profile>``."""
        self.profiles.append(profile)
        session = boto3.Session(f"AKIA{profile}", "secret", region_name="us-east-1")
        session.events.register("before-send", self._answer)
        return session

    def to(self, service: str) -> list[Request]:
        """The requests to a service."""
        return [request for request in self.requests if request.service == service]

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        asked = _read(request)
        self.requests.append(asked)
        status, content = self.handlers.get(asked.service, nothing)(asked)
        return AWSResponse(request.url, status, NUMBER, _Raw(content))

    def _assume(self, request: Request) -> tuple[int, bytes]:
        account = request.body["RoleArn"].split(":")[4]
        until = datetime.now(UTC) + self.lifetime
        return 200, (
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"<AccessKeyId>ASIA{account}X{len(self.to('sts'))}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{until.isoformat()}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ).encode()


def nothing(request: Request) -> tuple[int, bytes]:
    """A handler of the JSON services that knows of nothing."""
    return 200, b"{}"


def denied(request: Request) -> tuple[int, bytes]:
    """A handler that refuses, as the query services do."""
    return (
        403,
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
    )


def _read(request: Any) -> Request:
    signed = request.headers.get("Authorization", b"")
    signed = signed.decode() if isinstance(signed, bytes) else signed
    key = KEY.search(signed)
    body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
    asked = json.loads(body) if body.startswith("{") else {k: v[0] for k, v in parse_qs(body).items()}
    return Request(key[1] if key else "", request.url.split("/")[2], asked, request.url)


class _Raw(io.BytesIO):
    """The part of a urllib3 response that botocore reads."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """The whole content."""
        yield self.read()
