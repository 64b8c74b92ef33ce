"""Clients that many accounts share: one for each service and Region, and the caller is chosen at each call.

A client of botocore takes milliseconds and half a megabyte, and has connections of its own. Here the copies of a
client for other callers share everything with it but the caller: who it is, with which credentials and how fast.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import botocore.config
from botocore.client import BaseClient
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from orgmon.aws import answers
from orgmon.aws.answers import UnreadableAnswer
from orgmon.aws.rate import RateLimiter
from orgmon.errors import OrgmonError

RETRIES = {"mode": "standard", "max_attempts": 8}
POOL = 50
READS = ("Describe", "List", "Get")
# Seconds before a read is repeated whose answer was not AWS's.
PAUSES = (0.2, 1.0, 3.0)
# What botocore's parsers stumble over an answer with, besides their own error.
STUMBLES = (ResponseParserError, UnreadableAnswer, LookupError, TypeError, ValueError, AttributeError)
Log = Callable[[str], None]


@dataclass(frozen=True)
class Caller:
    """On whose behalf a call is made, and how fast. Without credentials the session's own are used."""

    name: str
    limiter: RateLimiter
    credentials: Any = None


CALLER: ContextVar[Caller] = ContextVar("caller")
"""The caller of the call that goes on in this thread."""


class CallersCredentials(Credentials):  # type: ignore[misc] # botocore has no types
    """The credentials of whoever calls. Where nobody does there are none: the call ends with LookupError."""

    def __init__(self) -> None:
        super().__init__("", "", method="assume-role")

    def get_frozen_credentials(self) -> Any:
        """What botocore signs with; fetched anew where it has expired."""
        return CALLER.get().credentials.get_frozen_credentials()


def shared_client(
    session: Any,
    service: str,
    region: str | None = None,
    *,
    log: Log | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Any:
    """A client of a botocore session, to be used through ``called_by``. Not thread-safe, as sessions are not.

    Reads are repeated after ``pauses`` where what came back was not AWS's answer. Raises OrgmonError where the
    configuration does not allow for a client; botocore's own errors otherwise.
    """
    session.register(
        "creating-client-class",
        lambda class_attributes, **_: class_attributes.update(_additions(pauses)),
        unique_id="orgmon-shared-client",
    )
    config = botocore.config.Config(retries=RETRIES, max_pool_connections=POOL, user_agent_appid="orgmon")
    try:
        client = session.create_client(service, region_name=region, config=config)
    except ValueError as error:
        if isinstance(error, BotoCoreError):
            raise
        raise OrgmonError(
            str(error), "correct endpoint_url in the AWS configuration or AWS_ENDPOINT_URL"
        ) from error
    # Services that are in one Region only, as AWS Organizations, change the client's.
    _attach(client.meta, region or client.meta.region_name, log)
    return client


def _attach(meta: Any, region: str, log: Log | None) -> None:
    """What happens around each request of a client."""
    events, model = meta.events, meta.service_model
    service = model.service_name
    events.register("before-send", lambda **_: CALLER.get().limiter.wait())
    events.register("needs-retry", lambda response=None, **_: CALLER.get().limiter.learn(response))
    if service == "s3":
        events.register(
            "response-received", lambda response_dict, **_: answers.check_of_s3(model, response_dict)
        )
    else:
        events.register("before-parse", answers.check)
    if log:
        events.register(
            "after-call", lambda model, http_response, **_: log(
                f"{CALLER.get().name} {region} {service}:{model.name} {http_response.status_code}"
            )
        )  # fmt: skip


def _additions(pauses: Sequence[float]) -> dict[str, Any]:
    """What botocore's classes get besides: ``called_by``, and another way to make a call."""

    def called_by(self: Any, caller: Caller) -> Any:
        """The same client for another caller."""
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__, _caller=caller)
        return copied

    def make_api_call(self: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        """All methods, paginators and waiters of a client end here."""
        # A client that botocore itself calls in between, as S3 asks where a bucket is, has no caller of its own.
        token = CALLER.set(self._caller) if self._caller else None
        try:
            return _readable(
                lambda: BaseClient._make_api_call(self, operation_name, api_params),
                pauses if operation_name.startswith(READS) else (),
            )
        finally:
            if token:
                CALLER.reset(token)

    return {"called_by": called_by, "_caller": None, "_make_api_call": make_api_call}


def _readable(call: Callable[[], Any], pauses: Sequence[float]) -> Any:
    """Call until the answer can be read. Raises UnreadableAnswer after the last pause."""
    for seconds in (*pauses, None):
        try:
            return call()
        except (BotoCoreError, ClientError, OrgmonError):
            raise
        except STUMBLES as error:
            if seconds is None:
                raise UnreadableAnswer(str(error) or type(error).__name__) from error
            time.sleep(seconds)
    raise AssertionError("unreachable: the last pause is None")
