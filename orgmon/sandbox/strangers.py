"""Requests for services that are not here: what they seem to speak, and what they ask for."""

from __future__ import annotations

from moto.core.request import Request

from orgmon.sandbox.models import SHARED_NAMES, services_signed_as
from orgmon.sandbox.wire import CBOR, RPC_PATH, scope_of


def is_stranger(request: Request, is_unknown_operation: bool) -> bool:
    """True for a request that names a service that is not here, or one that signs like one that is.

    ``is_unknown_operation``: the service that it could be for has no such operation.
    """
    name = scope_of(request).signing_name
    if not name:
        return False
    by_path = likely_protocol(request) in ("rest-json", CBOR)
    return not services_signed_as(name) or (is_unknown_operation and name in SHARED_NAMES and by_path)


def likely_protocol(request: Request) -> str:
    """The protocol that a request for a service without a model seems to speak."""
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return CBOR
    if "x-amz-target" in request.headers:
        return "json"
    is_form = (request.content_type or "").startswith("application/x-www-form-urlencoded")
    return "query" if is_form or not request.headers.get("authorization") else "rest-json"


def wanted_operation(request: Request) -> str:
    """The operation that such a request names, or its method and path."""
    if target := request.headers.get("x-amz-target", ""):
        return str(target).rsplit(".", 1)[-1]
    if match := RPC_PATH.match(request.raw_path):
        return match[1]
    return str(request.form.get("Action") or f"{request.method} {request.path}")
