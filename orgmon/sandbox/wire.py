"""From an HTTP request to an API call: service, operation and parameters, for every protocol that AWS speaks.

Requests are read by moto's routers and parsers, along botocore's models. What is done by hand is what they lack:
the signature, a bucket in the host's name, chunked bodies, documents that are no JSON, and CBOR (botocore's).
"""

from __future__ import annotations

import io
import json
import re
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore import parsers
from botocore.utils import parse_timestamp
from moto.core.parse import PROTOCOL_PARSERS, JSONParser, RequestParserError, RestJSONParser
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.models import operation_model, service_model, services_signed_as

CBOR = "smithy-rpc-v2-cbor"
UNKNOWN_OPERATION = "UnknownOperationException"
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_QUERY_SCOPE = re.compile(r"([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_BUCKET_HOST = re.compile(
    r"^(?:(?P<bucket>.+?)\.)?(?:s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com|s3\.localhost)(?::\d+)?$"
)
RPC_PATH = re.compile(r"^/service/[^/]+/operation/([^/]+)$")


@dataclass(frozen=True)
class Scope:
    """What the signature says. ``access_key`` is empty for an unsigned request."""

    access_key: str = ""
    region: str = ""
    signing_name: str = ""
    session_token: str = ""


@dataclass(frozen=True)
class WireCall:
    """An API call as it was on the wire. ``model`` is botocore's model of the operation."""

    service: str
    operation: str
    protocol: str
    scope: Scope
    model: Any = field(repr=False)
    params: dict[str, Any] = field(default_factory=dict)


def read_request(environ: dict[str, Any]) -> Request:
    """The request of a WSGI environment. The body stays readable for those who come after.

    A bucket in the host name is moved into the path, here and in the environment: moto is asked in path style.
    """
    environ.setdefault("RAW_URI", environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/"))
    _use_path_style(environ)
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    # Read before anybody asks for a form: what a form has been read from is no body any more.
    request.get_data()
    return request


def _use_path_style(environ: dict[str, Any]) -> None:
    match = _BUCKET_HOST.match(environ.get("HTTP_HOST", ""))
    if match is None:
        return
    environ["HTTP_HOST"] = "localhost"
    if match["bucket"]:
        for key in ("PATH_INFO", "RAW_URI"):
            path = re.sub(r"^https?://[^/]+", "", environ.get(key) or "/")
            environ[key] = f"/{match['bucket']}{path}"


def scope_of(request: Request) -> Scope:
    """Whose key signed the request, for which Region and service; from the header or a presigned address."""
    token = request.headers.get("x-amz-security-token", "")
    if match := _SCOPE.search(request.headers.get("authorization", "")):
        return Scope(match[1], match[2], match[3], token)
    query = request.args
    if match := _QUERY_SCOPE.match(unquote(query.get("X-Amz-Credential", ""))):
        return Scope(match[1], match[2], match[3], query.get("X-Amz-Security-Token", token))
    if "AWSAccessKeyId" in query:
        # S3 addresses that are presigned the old way name neither a Region nor the service.
        return Scope(query["AWSAccessKeyId"], "us-east-1", "s3", query.get("x-amz-security-token", token))
    return Scope()


def protocol_of(request: Request, service: str) -> str:
    """The protocol that a request for a service speaks; an empty string if the service speaks none of them."""
    model = service_model(service)
    if model is None:
        return ""
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return CBOR
    try:
        protocol: str = determine_request_protocol(model, request.content_type)
    except NotImplementedError:
        return ""
    return protocol


def parse(request: Request) -> WireCall:
    """The API call that a request means.

    Raises Refusal if it is for no service, or no operation, that exists, or if its parameters cannot be read.
    The signature itself is not looked at.
    """
    scope = scope_of(request)
    for service in services_signed_as(scope.signing_name):
        call = _parse_for(service, request, scope)
        if call is not None:
            return call
    raise Refusal(UNKNOWN_OPERATION, "The requested operation is not recognized by the service.", 404)


def _parse_for(service: str, request: Request, scope: Scope) -> WireCall | None:
    protocol = protocol_of(request, service)
    operation, labels = _routed(service, protocol, request) if protocol else (None, {})
    if operation is None:
        return None
    try:
        params = _parameters(protocol, operation, labels, request)
    except _UNREADABLE as error:
        raise Refusal("SerializationException", f"Could not read the request: {error}") from error
    return WireCall(service, operation.name, protocol, scope, operation, params)


def _routed(service: str, protocol: str, request: Request) -> tuple[Any, dict[str, Any]]:
    """The operation that is meant, None if there is no such one, and what the path says of its parameters."""
    if protocol == CBOR:
        match = RPC_PATH.match(request.raw_path)
        return operation_model(service, match[1]) if match else None, {}
    try:
        operation, labels = get_service_router(service).match(request)
    except NotFound:
        return None, {}
    return operation, labels


def _parameters(protocol: str, operation: Any, labels: dict[str, Any], request: Request) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    if protocol == CBOR:
        return _from_cbor(shape, request.get_data())
    is_rest = protocol.startswith("rest")
    reader = _PARSERS[protocol](operation, timestamp_parser=_moment)
    params: dict[str, Any] = reader.parse(
        {
            "method": request.method,
            # In lower case: names of S3 metadata are taken from them.
            "headers": Headers([(name.lower(), value) for name, value in request.headers] if is_rest else []),
            "body": _unchunked(request),
            "values": request.values if protocol in ("query", "ec2") else request.args,
            "url_params": labels,
            "url_path": request.path,
        }
    )
    return {name: value for name, value in params.items() if not _is_absent(shape.members[name], value)}


def _is_absent(member: Any, value: Any) -> bool:
    """moto gives a header, label or query parameter that is not there an empty value."""
    return "location" in member.serialization and value in (None, [], {})


class _OnlyJson:
    """moto takes a document that is no JSON for a message; AWS refuses it."""

    def _parse_body_as_json(self, body: bytes) -> Any:
        return json.loads(body or b"{}")


class _Json(_OnlyJson, JSONParser):  # type: ignore[misc]  # moto has no types
    pass


class _RestJson(_OnlyJson, RestJSONParser):  # type: ignore[misc]  # moto has no types
    pass


_PARSERS = {**PROTOCOL_PARSERS, "json": _Json, "rest-json": _RestJson}
_UNREADABLE = (
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RequestParserError,
    parsers.ResponseParserError,
    struct.error,
)


def _moment(value: str | float) -> datetime:
    moment: datetime = parse_timestamp(value)
    return moment.astimezone(UTC)


@cache
def _cbor_parser() -> Any:
    return parsers.create_parser(CBOR)


def _from_cbor(shape: Any, body: bytes) -> dict[str, Any]:
    """botocore reads CBOR answers; a request is no different."""
    parsed = _cbor_parser().parse({"status_code": 200, "headers": {}, "body": body}, shape) if body else {}
    return {name: value for name, value in parsed.items() if name in shape.members}


def _unchunked(request: Request) -> bytes:
    body: bytes = request.get_data()
    if "aws-chunked" not in request.headers.get("content-encoding", ""):
        return body
    parts = []
    while body:
        head, _, body = body.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if size == 0:
            break
        parts.append(body[:size])
        body = body[size + 2 :]
    return b"".join(parts)
