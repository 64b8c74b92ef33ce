"""From values to an HTTP response, in the protocol of the request and along botocore's output shapes.

moto writes what went well. Refusals are written here: moto takes their status from the model, not from who refuses,
and warns about every code that no model lists, which most codes of CloudFormation, IAM and S3 are.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore import parsers
from botocore.model import DenormalizedStructureBuilder
from botocore.serialize import create_serializer
from moto.core.serialize import SerializationContext, get_serializer_class

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.models import is_query_compatible
from orgmon.sandbox.wire import CBOR, WireCall

_NOT_IN_XML = bytes(set(range(0x20)) - set(b"\t\n\r"))


@dataclass(frozen=True)
class HttpReply:
    """What goes out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


def answer(wire: WireCall, output: dict[str, Any], request_id: str) -> HttpReply:
    """The response of a call that went well. ``output`` holds botocore's member names; None members are left out."""
    if wire.protocol == CBOR:
        return _answer_cbor(wire, output, request_id)
    serializer = get_serializer_class(wire.service, wire.protocol)
    written = serializer(wire.model, SerializationContext(request_id)).serialize(output)
    body = written["body"]
    reply = HttpReply(
        _status(wire.model.output_shape, output, int(written["status_code"])),
        (*written["headers"].items(), ("x-amzn-RequestId", request_id)),
        body if isinstance(body, bytes) else str(body or "").encode(),
    )
    return legible(wire, reply)


def legible(wire: WireCall, reply: HttpReply) -> HttpReply:
    """The response without the control characters that XML cannot hold, which moto writes down all the same."""
    if wire.protocol != "query":
        return reply
    body = reply.body.translate(None, _NOT_IN_XML)
    headers = ((name, value) for name, value in reply.headers if name.lower() != "content-length")
    return HttpReply(reply.status, (*headers, ("Content-Length", str(len(body)))), body)


def refuse(protocol: str, service: str, refusal: Refusal, request_id: str, model: Any = None) -> HttpReply:
    """The response of a call that failed, so that SDKs raise ``refusal.code``."""
    if protocol in ("json", "rest-json", CBOR):
        return _refuse_data(protocol, service, refusal, request_id, model)
    return _refuse_xml(protocol, service, refusal, request_id)


def read_answer(wire: WireCall, reply: HttpReply) -> tuple[dict[str, Any] | None, Refusal | None]:
    """What a response says, as botocore reads it: the output members, or the error."""
    headers = {name.lower(): value for name, value in reply.headers}
    is_stream = reply.status < 300 and wire.model.has_streaming_output
    # botocore decodes bytes as text; what it gets as a stream stays as it is.
    body = io.BytesIO(reply.body) if is_stream else reply.body
    parsed = _parser(wire.protocol).parse(
        {"status_code": reply.status, "headers": headers, "body": body}, wire.model.output_shape
    )
    parsed.pop("ResponseMetadata", None)
    if reply.status < 300:
        return parsed, None
    error = parsed.get("Error", {})
    return None, Refusal(str(error.get("Code", reply.status)), str(error.get("Message", "")), reply.status)


@cache
def _parser(protocol: str) -> Any:
    return parsers.create_parser(protocol)


def _answer_cbor(wire: WireCall, output: dict[str, Any], request_id: str) -> HttpReply:
    shape = wire.model.output_shape
    return HttpReply(200, _cbor_headers(request_id), _cbor(shape, output) if shape else b"")


def _cbor(shape: Any, value: dict[str, Any]) -> bytes:
    """botocore writes CBOR requests; the body of an answer is no different."""
    given = {name: item for name, item in value.items() if item is not None}
    body: bytes = create_serializer(CBOR, include_validation=False)._serialize_body_params(given, shape)
    return body


def _cbor_headers(request_id: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", "application/cbor"),
        ("smithy-protocol", "rpc-v2-cbor"),
        ("x-amzn-RequestId", request_id),
    )


def _status(shape: Any, output: dict[str, Any], status: int) -> int:
    """The status that an output member names, which moto leaves out."""
    named = (
        output.get(name)
        for name, member in (shape.members.items() if shape else ())
        if member.serialization.get("location") == "statusCode"
    )
    return next((int(value) for value in named if value is not None), status)


def _xml_reply(status: int, body: str, request_id: str) -> HttpReply:
    headers = (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id))
    return HttpReply(status, headers, f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode())


def _refuse_data(protocol: str, service: str, refusal: Refusal, request_id: str, model: Any) -> HttpReply:
    kind = _error_shape_name(model, refusal.code)
    data = {"__type": kind, "message": refusal.message, "Message": refusal.message, **refusal.details}
    headers = [("x-amzn-RequestId", request_id), ("x-amzn-ErrorType", kind)]
    if is_query_compatible(service):
        side = "Sender" if refusal.status < 500 else "Receiver"
        headers.append(("x-amzn-query-error", f"{refusal.code};{side}"))
    if protocol == CBOR:
        members = {name: {"type": "string"} for name in data}
        shape = DenormalizedStructureBuilder().with_members(members).build_model()
        body = _cbor(shape, {name: str(value) for name, value in data.items()})
        return HttpReply(refusal.status, (*headers, *_cbor_headers(request_id)[:2]), body)
    content = "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1"
    return HttpReply(refusal.status, (*headers, ("Content-Type", content)), json.dumps(data).encode())


def _error_shape_name(model: Any, code: str) -> str:
    for shape in model.service_model.error_shapes if model else ():
        if shape.metadata.get("error", {}).get("code") == code:
            return str(shape.name)
    return code


def _refuse_xml(protocol: str, service: str, refusal: Refusal, request_id: str) -> HttpReply:
    core = f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message>"
    core += "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in refusal.details.items())
    if protocol == "ec2":
        body = (
            f"<Response><Errors><Error>{core}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    elif service == "s3":
        body = f"<Error>{core}<RequestId>{request_id}</RequestId></Error>"
    else:
        side = "Sender" if refusal.status < 500 else "Receiver"
        error = f"<Error><Type>{side}</Type>{core}</Error>"
        body = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return _xml_reply(refusal.status, body, request_id)
