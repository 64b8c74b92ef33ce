"""boto3 without sockets: the requests of a session go straight into the gateway.

botocore asks ``before-send`` handlers for a response before it opens a connection; ours always has one.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSResponse

from orgmon.sandbox.gateway import Gateway

_signature: ContextVar[str] = ContextVar("signature", default="")
"""The Authorization header of the call that is being made, where its client does not sign."""


def attach(session: Any, gateway: Gateway, source_address: str = "127.0.0.1") -> None:
    """Let every client of a boto3 or botocore session speak to the gateway, as if from ``source_address``."""
    events = session.events if hasattr(session, "events") else session.get_component("event_emitter")

    def send(request: Any, **_: object) -> AWSResponse:
        environ = {**environ_of(request), "REMOTE_ADDR": source_address}
        if signature := _signature.get():
            # A call may lead to others, and those of clients that sign keep their own signer.
            environ.setdefault("HTTP_AUTHORIZATION", signature)
        reply = gateway.handle(environ)
        body = b"" if request.method == "HEAD" else reply.body
        return AWSResponse(request.url, reply.status, _Headers(reply.headers), _Raw(body))

    events.register_first("before-send.*", send)


def signing_as(client: Any, region: str, access_key: str) -> Any:
    """A twin of a client without a signature, whose calls name this key as their signer.

    Twins share all that is expensive in a client. A secret is not needed: nobody verifies the signature.
    """
    scope = f"{access_key}/20200101/{region}/{client.meta.service_model.signing_name}/aws4_request"
    signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host"
    # Not copy.copy, which asks an empty client for its attributes: that never ends.
    twin = object.__new__(type(client))
    vars(twin).update(vars(client), _make_api_call=_signed(client._make_api_call, signature))
    return twin


def _signed(make_api_call: Callable[..., Any], signature: str) -> Callable[..., Any]:
    """botocore makes every call of a client, also those of its paginators, by this one method."""

    def make(operation: str, params: dict[str, Any]) -> Any:
        before = _signature.set(signature)
        try:
            return make_api_call(operation, params)
        finally:
            _signature.reset(before)

    return make


def environ_of(request: Any) -> dict[str, Any]:
    """The WSGI environment of a prepared botocore request."""
    address = urlsplit(request.url)
    body = _body(request.body)
    raw_path = address.path or "/"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(raw_path).encode().decode("latin-1"),
        "RAW_URI": raw_path + (f"?{address.query}" if address.query else ""),
        "QUERY_STRING": address.query,
        "SERVER_NAME": address.hostname or "localhost",
        "SERVER_PORT": str(address.port or 443),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": address.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": address.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name.lower() in ("transfer-encoding", "content-length"):
            continue
        text = value.decode() if isinstance(value, bytes) else str(value)
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    return environ


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else bytes(body.read())


class _Headers(dict[str, str]):
    """Response headers with names in lower case, as botocore reads them."""

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        super().__init__({name.lower(): value for name, value in pairs})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class _Raw(io.BytesIO):
    def stream(self, amt: int = 1024, decode_content: bool | None = None) -> Any:
        """The body in one piece, as urllib3 would give it."""
        yield self.read()
