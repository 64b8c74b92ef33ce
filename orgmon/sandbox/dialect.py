"""A request that moto cannot read, in a protocol that it can.

moto has no routes for rpc-v2-cbor, which SDKs choose first where a service offers it. Every such service that moto
has speaks JSON or query as well (botocore's models, ``protocols``).
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from botocore.serialize import create_serializer

from orgmon.sandbox.wire import CBOR, WireCall

_READABLE = ("json", "query")


def as_moto_reads(wire: WireCall, environ: dict[str, Any]) -> tuple[WireCall, dict[str, Any]]:
    """The call and its WSGI environment as they are, or told again where moto does not know the protocol.

    Raises NotImplementedError if the service speaks nothing else.
    """
    if wire.protocol != CBOR:
        return wire, environ
    offered = wire.model.service_model.metadata.get("protocols", ())
    protocol = next((each for each in _READABLE if each in offered), "")
    if not protocol:
        raise NotImplementedError(f"{wire.service} speaks only CBOR")
    serializer = create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(wire.params, wire.model)
    return replace(wire, protocol=protocol), {**_without_cbor(environ), **_spoken(request)}


def _without_cbor(environ: dict[str, Any]) -> dict[str, Any]:
    dropped = ("HTTP_SMITHY_PROTOCOL", "HTTP_ACCEPT", "QUERY_STRING")
    return {name: value for name, value in environ.items() if name not in dropped}


def _spoken(request: dict[str, Any]) -> dict[str, Any]:
    """The part of a WSGI environment that a serialized request fills."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request["headers"].items()}
    content_type = headers.pop("HTTP_CONTENT_TYPE", "application/x-www-form-urlencoded; charset=utf-8")
    body = request["body"]
    content = body if isinstance(body, bytes) else urlencode(body, doseq=True).encode()
    return {
        **headers,
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "RAW_URI": "/",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
    }
