"""How each service words a refusal: the code, the text and the HTTP status.

Sources: the services' "Common errors" pages; IAM user guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orgmon.sandbox.actions import action_of
from orgmon.sandbox.calls import NOT_HERE, Call, Refusal
from orgmon.sandbox.identity import KeyProblem
from orgmon.sandbox.models import is_query_compatible

_JSON = ("json", "rest-json", "smithy-rpc-v2-cbor")


def bad_key(service: str, protocol: str, problem: KeyProblem) -> Refusal:
    """The refusal of a call whose key is missing, unknown or expired."""
    if service == "s3":
        return _S3_KEYS[problem]
    if service == "ec2":
        return _EC2_KEYS[problem]
    is_json = protocol in _JSON and not is_query_compatible(service)
    code, text = (_JSON_KEYS if is_json else _QUERY_KEYS)[problem]
    return Refusal(code, text, 400 if protocol == "json" else 403)


def access_denied(call: Call, protocol: str, why: str) -> Refusal:
    """The refusal of a call that no policy allows. ``why`` is the Authorizer's."""
    action = action_of(call.service, call.operation, "VersionId" in call.params)
    who = call.principal.arn or call.principal.service or "anonymous"
    text = f"User: {who} is not authorized to perform: {action} on resource: {call.resource}"
    if call.service == "sts" and call.operation == "AssumeRole":
        by_organization = why.endswith(("service control policy", "resource control policy"))
        return Refusal("AccessDenied", f"{text} {why}" if by_organization else text, 403)
    if call.service == "s3" and call.resource_account != call.account:
        return Refusal("AccessDenied", "Access Denied", 403)
    if call.service == "ec2":
        return Refusal(
            "UnauthorizedOperation", f"You are not authorized to perform this operation. {text} {why}", 403
        )
    if call.service == "sns":
        return Refusal("AuthorizationError", f"{text} {why}".replace(" sns:", " SNS:"), 403)
    code = (
        "AccessDeniedException"
        if protocol in _JSON and not is_query_compatible(call.service)
        else "AccessDenied"
    )
    return Refusal(code, f"{text} {why}", 400 if protocol == "json" else 403)


def throttled(service: str, protocol: str) -> Refusal:
    """The refusal of a call that comes too fast; SDKs try again."""
    if service in _THROTTLED:
        return _THROTTLED[service]
    if protocol in _JSON and not is_query_compatible(service):
        return Refusal("ThrottlingException", "Rate exceeded", 400)
    return Refusal("Throttling", "Rate exceeded", 400)


def throttled_entries(call: Call) -> dict[str, Any] | None:
    """The answer to a call that does not fail when it comes too fast, but tells so of its entries; None for others.

    Source: EventBridge API reference, PutTargets and RemoveTargets (FailedEntryCount, ConcurrentModificationException).
    """
    if call.service != "events" or call.operation not in _PARTLY:
        return None
    ids = _PARTLY[call.operation](call.params)
    failed = {"ErrorCode": "ConcurrentModificationException", "ErrorMessage": "Rate exceeded"}
    entries = [{"TargetId": str(each), **failed} for each in ids]
    return {"FailedEntryCount": len(entries), "FailedEntries": entries}


def not_there(service: str, operation: str) -> Refusal:
    """The refusal of an operation that the sandbox does not have."""
    return Refusal("NotImplemented", f"The sandbox does not have {service}:{operation}.", NOT_HERE)


def broken(service: str, operation: str, error: BaseException) -> Refusal:
    """The refusal when the sandbox itself fails."""
    return Refusal("InternalFailure", f"The sandbox failed in {service}:{operation}: {error!r}", 500)


_PARTLY: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
    "PutTargets": lambda params: [target["Id"] for target in params["Targets"]],
    "RemoveTargets": lambda params: list(params["Ids"]),
}
_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_MISSING = "Request is missing Authentication Token"
_JSON_KEYS = {
    KeyProblem.MISSING: ("MissingAuthenticationTokenException", "Missing Authentication Token"),
    KeyProblem.UNKNOWN: ("UnrecognizedClientException", _INVALID),
    KeyProblem.EXPIRED: ("ExpiredTokenException", _EXPIRED),
}
_QUERY_KEYS = {
    KeyProblem.MISSING: ("MissingAuthenticationToken", _MISSING),
    KeyProblem.UNKNOWN: ("InvalidClientTokenId", _INVALID),
    KeyProblem.EXPIRED: ("ExpiredToken", _EXPIRED),
}
_S3_KEYS = {
    KeyProblem.MISSING: Refusal("AccessDenied", "Access Denied", 403),
    KeyProblem.UNKNOWN: Refusal(
        "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403
    ),
    KeyProblem.EXPIRED: Refusal("ExpiredToken", "The provided token has expired.", 400),
}
_EC2_KEYS = {
    KeyProblem.MISSING: Refusal("MissingAuthenticationToken", _MISSING, 401),
    KeyProblem.UNKNOWN: Refusal(
        "AuthFailure", "AWS was not able to validate the provided access credentials", 401
    ),
    KeyProblem.EXPIRED: Refusal("RequestExpired", "Request has expired.", 400),
}
_THROTTLED = {
    "ec2": Refusal("RequestLimitExceeded", "Request limit exceeded.", 503),
    "kms": Refusal(
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    ),
    "lambda": Refusal("TooManyRequestsException", "Rate exceeded", 429),
    "organizations": Refusal(
        "TooManyRequestsException", "AWS Organizations can't process your request; try again later.", 400
    ),
    "s3": Refusal("SlowDown", "Please reduce your request rate.", 503),
}
