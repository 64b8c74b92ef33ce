"""One API call on its way through the embedded AWS: who asks, for what, and what comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

PrincipalKind = Literal["root", "user", "role", "service", "anonymous"]
NOT_HERE = 501
"""The HTTP status of calls that only the sandbox does not have: to AWS's own rooms they never happened."""


class Refusal(Exception):
    """An error as AWS puts it on the wire.

    ``code`` is AWS's error code (``AccessDenied``), ``status`` the HTTP status, ``details`` further members of
    the modelled error shape, if it has any.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = details or {}


@dataclass(frozen=True)
class Principal:
    """Who signs a call.

    ``arn`` is ``arn:aws:iam::A:root``, ``arn:aws:iam::A:user/PATH/NAME`` or
    ``arn:aws:sts::A:assumed-role/NAME/SESSION``; ``role_arn`` is the IAM role's own ARN, with its path.
    ``service`` is set for ``kind == "service"`` only, e.g. ``events.amazonaws.com``.
    """

    kind: PrincipalKind
    account: str
    arn: str
    name: str = ""
    role_arn: str = ""
    principal_id: str = ""
    access_key: str = ""
    session_name: str = ""
    service: str = ""

    def with_key(self, access_key: str) -> Principal:
        """The same principal, signing with another access key."""
        return replace(self, access_key=access_key)


def root_of(account: str) -> Principal:
    """The root user of an account."""
    return Principal("root", account, f"arn:aws:iam::{account}:root", principal_id=account)


def service_principal(service: str, account: str = "") -> Principal:
    """An AWS service that acts by itself, e.g. ``events.amazonaws.com``; ``account`` is on whose behalf."""
    return Principal("service", account, "", name=service, principal_id=service, service=service)


def role_session(role_arn: str, session_name: str, role_id: str = "AROASANDBOX") -> Principal:
    """A session of a role (by its IAM ARN, path included), as a service that assumes the role would have it."""
    account = role_arn.split(":")[4]
    name = role_arn.rsplit("/", 1)[-1]
    return Principal(
        kind="role",
        account=account,
        arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
        name=name,
        role_arn=role_arn,
        principal_id=f"{role_id}:{session_name}",
        session_name=session_name,
    )


ANONYMOUS = Principal("anonymous", "", "", name="anonymous")


@dataclass
class Call:
    """One API call.

    ``service`` and ``operation`` are botocore's names (``events``, ``PutRule``), ``params`` the parsed request
    under botocore's member names. ``account`` is the signer's, ``resource_account`` the owner's of what the call
    addresses (mostly the same), ``resource`` its ARN or ``*``. ``invoked_by`` names the service that calls on
    somebody's behalf. ``endpoint`` is the address that the client knows the sandbox by. ``response`` (as botocore
    would return it, without ResponseMetadata) or ``error`` is set when the call is over. ``trusted`` calls are made
    by the sandbox itself and not authorised; ``internal`` ones are its housekeeping: not authorised, not throttled,
    and no hook hears of them.
    """

    service: str
    operation: str
    region: str
    account: str
    principal: Principal
    params: dict[str, Any]
    request_id: str
    time: datetime
    source_address: str = "127.0.0.1"
    user_agent: str = ""
    invoked_by: str = ""
    endpoint: str = ""
    internal: bool = False
    trusted: bool = False
    resource: str = "*"
    resource_account: str = ""
    response: dict[str, Any] | None = None
    error: Refusal | None = None
    status: int = 200

    def __post_init__(self) -> None:
        self.resource_account = self.resource_account or self.account


Handler = Callable[[Call], dict[str, Any]]
Hook = Callable[[Call], None]
Amendment = Callable[[Call, dict[str, Any]], dict[str, Any]]


class Operations:
    """Which API calls are answered by an engine of ours instead of by moto, and which answers of moto are amended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._fallbacks: dict[str, Handler] = {}
        self._amendments: dict[tuple[str, str], tuple[Amendment, ...]] = {}

    def register(self, service: str, operation: str, handler: Handler) -> None:
        """Let ``handler`` answer an operation: it returns the output members or raises Refusal.

        ``operation`` ``"*"`` stands for every operation of the service that has no handler of its own. A handler
        that is registered later replaces the earlier one.
        """
        with self._lock:
            if operation == "*":
                self._fallbacks[service] = handler
            else:
                self._handlers[service, operation] = handler

    def find(self, service: str, operation: str) -> Handler | None:
        """The handler of an operation, or None where moto answers."""
        return self._handlers.get((service, operation)) or self._fallbacks.get(service)

    def amend(self, service: str, operation: str, amendment: Amendment) -> None:
        """Let ``amendment`` put moto's answer right: it gets the output members and returns what they should be.

        Several of them work one after the other. They are not asked where a handler answers or moto refuses.
        """
        with self._lock:
            key = (service, operation)
            self._amendments[key] = (*self._amendments.get(key, ()), amendment)

    def amendments(self, service: str, operation: str) -> tuple[Amendment, ...]:
        """The amendments of moto's answer to an operation, the first one first."""
        return self._amendments.get((service, operation), ())
