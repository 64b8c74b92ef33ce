"""Errors of service calls, as CloudFormation reports them for a resource.

A call that came too fast is no ``Throttling`` in stack events: public reports of metric filters have it as
``InvalidRequest``, those of other resources as ``GeneralServiceException``.
"""

from __future__ import annotations

import re
import uuid

from botocore.exceptions import BotoCoreError, ClientError

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.stack import ResourceRecord
from orgmon.sandbox.providers.provider import HandlerError

_GONE = re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist|^404$")
_EXISTS = re.compile(r"AlreadyExists|AlreadyOwned|Exists$|Duplicate|NameAlreadyInUse")
_DENIED = re.compile(r"AccessDenied|Unauthorized|AuthorizationError|^403$")
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded")
_LIMIT = re.compile(r"LimitExceeded")
_SERVICES = {
    "AWS::CloudWatch": "CloudWatch",
    "AWS::KMS": "Kms",
    "AWS::Logs": "CloudWatchLogs",
    "AWS::SNS": "Sns",
}
"""How handlers call the service behind a resource type, where public reports show it."""


class ActionFailed(Exception):
    """An action on a resource failed; ``reason`` is what the stack's events and StackSets say.

    ``record`` is set when the resource may be half-way: there is something to remove or to put back.
    """

    def __init__(self, logical_id: str, type_name: str, reason: str) -> None:
        super().__init__(reason)
        self.logical_id = logical_id
        self.type_name = type_name
        self.reason = reason
        self.record: ResourceRecord | None = None

    @property
    def summary(self) -> str:
        """The reason as a stack instance shows it."""
        return (
            f"ResourceLogicalId:{self.logical_id}, ResourceType:{self.type_name}, "
            f"ResourceStatusReason:{self.reason}."
        )


def is_gone(problem: Exception) -> bool:
    """Whether a service says that the resource does not exist."""
    if isinstance(problem, HandlerError):
        return problem.code == "NotFound"
    return isinstance(problem, ClientError) and bool(_GONE.search(problem.response["Error"]["Code"]))


def reason_of(problem: Exception, type_name: str = "") -> str:
    """The ResourceStatusReason for what the provider of a resource type raised."""
    if isinstance(problem, Refusal):
        return problem.message
    if isinstance(problem, HandlerError):
        return _handler_text(problem.message, problem.code)
    if isinstance(problem, ClientError):
        return _client_text(problem, type_name)
    if isinstance(problem, BotoCoreError):
        return _handler_text(str(problem), "InvalidRequest")
    return _handler_text(f"{type(problem).__name__}: {problem}", "InternalFailure")


def handler_code(code: str, status: int) -> str:
    """The handler error code that stands for a service's error code."""
    for pattern, meaning in (
        (_EXISTS, "AlreadyExists"),
        (_GONE, "NotFound"),
        (_DENIED, "AccessDenied"),
        (_THROTTLED, "GeneralServiceException"),
        (_LIMIT, "ServiceLimitExceeded"),
    ):
        if pattern.search(code):
            return meaning
    return "ServiceInternalError" if status >= 500 else "InvalidRequest"


def _client_text(problem: ClientError, type_name: str) -> str:
    error = problem.response["Error"]
    about = problem.response.get("ResponseMetadata", {})
    status = int(about.get("HTTPStatusCode", 400))
    service = _SERVICES.get(type_name.rpartition("::")[0], problem.operation_name)
    text = (
        f"{error.get('Message') or error['Code']} (Service: {service}, Status Code: {status}, "
        f"Request ID: {about.get('RequestId', uuid.uuid4())})"
    )
    is_slow_log = _THROTTLED.search(error["Code"]) and service == "CloudWatchLogs"
    return _handler_text(text, "InvalidRequest" if is_slow_log else handler_code(error["Code"], status))


def _handler_text(message: str, code: str) -> str:
    return f'Resource handler returned message: "{message}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'
