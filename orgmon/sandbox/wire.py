"""From an HTTP request to an API call: service, operation and parameters, for every protocol that AWS speaks."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from orgmon.sandbox import rest
from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.models import operation_model, service_model, services_signed_as
from orgmon.sandbox.unpack import from_cbor, from_json, from_query

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_QUERY_SCOPE = re.compile(r"([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_BUCKET_HOST = re.compile(
    r"^(?:(?P<bucket>.+?)\.)?(?:s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com|s3\.localhost)(?::\d+)?$"
)
_RPC_PATH = re.compile(r"^/service/[^/]+/operation/([^/]+)$")


@dataclass(frozen=True)
class HttpRequest:
    """What came in. Header names are in lower case, ``path`` is still percent-encoded."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    source_address: str = "127.0.0.1"

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query parameters, decoded, in order."""
        return parse_qsl(self.query_string, keep_blank_values=True)


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


def read_request(environ: dict[str, Any]) -> HttpRequest:
    """The request of a WSGI environment. The body stays readable for those who come after.

    A bucket in the host name is moved into the path, here and in the environment: moto is asked in path style.
    """
    _use_path_style(environ)
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/")
    path = re.sub(r"^https?://[^/]+", "", raw).partition("?")[0] or "/"
    headers = {
        key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key[:5] == "HTTP_"
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        path=path,
        query_string=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=body,
        source_address=environ.get("REMOTE_ADDR") or "127.0.0.1",
    )


def _use_path_style(environ: dict[str, Any]) -> None:
    found = _BUCKET_HOST.match(environ.get("HTTP_HOST", ""))
    if found is None:
        return
    environ["HTTP_HOST"] = "localhost"
    if found["bucket"]:
        for key in ("PATH_INFO", "RAW_URI", "REQUEST_URI"):
            path = re.sub(r"^https?://[^/]+", "", environ.get(key) or "/")
            environ[key] = f"/{found['bucket']}{path}"


def scope_of(request: HttpRequest) -> Scope:
    """Whose key signed the request, for which Region and service; from the header or a presigned address."""
    token = request.headers.get("x-amz-security-token", "")
    if found := _SCOPE.search(request.headers.get("authorization", "")):
        return Scope(found[1], found[2], found[3], token)
    query = dict(request.query)
    if found := _QUERY_SCOPE.match(unquote(query.get("X-Amz-Credential", ""))):
        return Scope(found[1], found[2], found[3], query.get("X-Amz-Security-Token", token))
    if "AWSAccessKeyId" in query:
        # S3 addresses that are presigned the old way name neither a Region nor the service.
        return Scope(query["AWSAccessKeyId"], "us-east-1", "s3", query.get("x-amz-security-token", token))
    return Scope()


def protocol_of(request: HttpRequest, service: str) -> str:
    """The protocol that a request for a service speaks; an empty string if the service speaks none of them."""
    model = service_model(service)
    if model is None:
        return ""
    known = model.metadata.get("protocols") or [model.metadata["protocol"]]
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    if "x-amz-target" in request.headers:
        return "json"
    return next((name for name in ("query", "ec2", "rest-json", "rest-xml") if name in known), str(known[0]))


def parse(request: HttpRequest) -> WireCall:
    """The API call that a request means.

    Raises Refusal if it is for no service, or no operation, that exists, or if its parameters cannot be read.
    The signature itself is not looked at.
    """
    scope = scope_of(request)
    for service in services_signed_as(scope.signing_name):
        call = _parse_for(service, request, scope)
        if call is not None:
            return call
    raise Refusal(
        "UnknownOperationException", "The requested operation is not recognized by the service.", 404
    )


def _parse_for(service: str, request: HttpRequest, scope: Scope) -> WireCall | None:
    protocol = protocol_of(request, service)
    if protocol.startswith("rest"):
        found = rest.find(service, request.method, request.path, dict(request.query), request.headers)
        operation, labels = found or (None, {})
    else:
        operation = operation_model(service, _operation_name(protocol, request))
        labels = {}
    if operation is None or not _is_target_of(service, request):
        return None
    try:
        params = _parameters(protocol, operation, labels, request)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Refusal("SerializationException", f"Could not read the request: {error}") from error
    return WireCall(service, operation.name, protocol, scope, operation, params)


def _operation_name(protocol: str, request: HttpRequest) -> str:
    if protocol == "smithy-rpc-v2-cbor":
        found = _RPC_PATH.match(request.path)
        return found[1] if found else ""
    if protocol == "json":
        return request.headers.get("x-amz-target", "").rpartition(".")[2]
    return _form(request).get("Action", "")


def _is_target_of(service: str, request: HttpRequest) -> bool:
    target = request.headers.get("x-amz-target", "").rpartition(".")[0]
    model = service_model(service)
    return not target or model is None or target == model.metadata.get("targetPrefix", target)


def _form(request: HttpRequest) -> dict[str, str]:
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(pairs or request.query)


def _parameters(
    protocol: str, operation: Any, labels: Mapping[str, str], request: HttpRequest
) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    if protocol in ("query", "ec2"):
        return from_query(shape, _form(request), ec2=protocol == "ec2")
    if protocol.startswith("rest"):
        body = _unchunked(request)
        return rest.parameters(operation, labels, request.query, request.headers, body)
    read = from_cbor if protocol == "smithy-rpc-v2-cbor" else from_json
    params: dict[str, Any] = read(shape, request.body)
    return params


def _unchunked(request: HttpRequest) -> bytes:
    if "aws-chunked" not in request.headers.get("content-encoding", ""):
        return request.body
    parts, rest_of_body = [], request.body
    while rest_of_body:
        head, _, rest_of_body = rest_of_body.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if size == 0:
            break
        parts.append(rest_of_body[:size])
        rest_of_body = rest_of_body[size + 2 :]
    return b"".join(parts)
