"""From values to an HTTP response, in the protocol of the request and along botocore's output shapes."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore import parsers

from orgmon.sandbox import cbor
from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.models import is_query_compatible
from orgmon.sandbox.wire import WireCall

_JSON_TYPE = {"1.0": "application/x-amz-json-1.0", "1.1": "application/x-amz-json-1.1"}


@dataclass(frozen=True)
class HttpReply:
    """What goes out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


def answer(wire: WireCall, output: dict[str, Any], request_id: str) -> HttpReply:
    """The response of a call that went well. ``output`` holds botocore's member names; None members are left out."""
    writer = {
        "query": _answer_query,
        "ec2": _answer_ec2,
        "json": _answer_json,
        "rest-json": _answer_rest,
        "rest-xml": _answer_rest,
        "smithy-rpc-v2-cbor": _answer_cbor,
    }[wire.protocol]
    return writer(wire, output, request_id)


def refuse(protocol: str, service: str, refusal: Refusal, request_id: str, model: Any = None) -> HttpReply:
    """The response of a call that failed, so that SDKs raise ``refusal.code``."""
    if protocol in ("json", "rest-json", "smithy-rpc-v2-cbor"):
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


def _answer_json(wire: WireCall, output: dict[str, Any], request_id: str) -> HttpReply:
    shape = wire.model.output_shape
    body = json.dumps(_data(shape, output, binary=False) if shape else {}).encode()
    version = wire.model.service_model.metadata.get("jsonVersion", "1.1")
    return HttpReply(200, (("Content-Type", _JSON_TYPE[version]), ("x-amzn-RequestId", request_id)), body)


def _answer_cbor(wire: WireCall, output: dict[str, Any], request_id: str) -> HttpReply:
    shape = wire.model.output_shape
    body = cbor.dumps(_data(shape, output, binary=True)) if shape else b""
    return HttpReply(200, _cbor_headers(request_id), body)


def _cbor_headers(request_id: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", "application/cbor"),
        ("smithy-protocol", "rpc-v2-cbor"),
        ("x-amzn-RequestId", request_id),
    )


def _answer_query(wire: WireCall, output: dict[str, Any], request_id: str) -> HttpReply:
    shape = wire.model.output_shape
    namespace = wire.model.service_model.metadata.get("xmlNamespace", "")
    inner = _xml_members(shape, output) if shape else ""
    wrapper = shape.serialization.get("resultWrapper") if shape else None
    result = f"<{wrapper}>{inner}</{wrapper}>" if wrapper else inner
    meta = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    body = f'<{wire.operation}Response xmlns="{namespace}">{result}{meta}</{wire.operation}Response>'
    return _xml_reply(200, body, request_id)


def _answer_ec2(wire: WireCall, output: dict[str, Any], request_id: str) -> HttpReply:
    shape = wire.model.output_shape
    inner = _xml_members(shape, output) if shape else ""
    body = f"<{wire.operation}Response><requestId>{request_id}</requestId>{inner}</{wire.operation}Response>"
    return _xml_reply(200, body, request_id)


def _answer_rest(wire: WireCall, output: dict[str, Any], request_id: str) -> HttpReply:
    shape = wire.model.output_shape
    headers = [("x-amzn-RequestId", request_id)]
    status = int(wire.model.http.get("responseCode", 200))
    if shape is None:
        return HttpReply(status, tuple(headers))
    inside = {}
    for name, member in shape.members.items():
        if output.get(name) is None:
            continue
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if location == "statusCode":
            status = int(output[name])
        elif location == "header":
            headers.append((wire_name, _text(member, output[name], "rfc822")))
        elif location == "headers":
            headers.extend((f"{wire_name}{key}", value) for key, value in output[name].items())
        else:
            inside[name] = output[name]
    kind, body = _rest_body(wire, inside)
    return HttpReply(status, (*headers, ("Content-Type", kind)), body)


def _rest_body(wire: WireCall, inside: dict[str, Any]) -> tuple[str, bytes]:
    shape = wire.model.output_shape
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name in ("blob", "string"):
        value = inside.get(payload, b"")
        return "application/octet-stream", value if isinstance(value, bytes) else str(value).encode()
    target = shape.members[payload] if payload else shape
    value = inside.get(payload, {}) if payload else inside
    if wire.protocol == "rest-json":
        return "application/json", json.dumps(_data(target, value, binary=False)).encode()
    name = target.serialization.get("name", target.name)
    return "application/xml", f"<{name}>{_xml_members(target, value)}</{name}>".encode()


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
    if protocol == "smithy-rpc-v2-cbor":
        return HttpReply(refusal.status, (*headers, *_cbor_headers(request_id)[:2]), cbor.dumps(data))
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


def _data(shape: Any, value: Any, binary: bool) -> Any:
    """A value as JSON has it or, with ``binary``, as CBOR has it (bytes and times stay what they are)."""
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        return {
            member.serialization.get("name", name): _data(member, value[name], binary)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [_data(shape.member, item, binary) for item in value]
    if kind == "map":
        return {key: _data(shape.value, item, binary) for key, item in value.items()}
    if kind == "timestamp" and isinstance(value, datetime) and not binary:
        style = shape.serialization.get("timestampFormat", "unixTimestamp")
        return value.timestamp() if style == "unixTimestamp" else _text(shape, value, style)
    if kind == "blob" and not binary:
        return base64.b64encode(_bytes(value)).decode()
    return float(value) if kind in ("float", "double") and binary else value


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _text(shape: Any, value: Any, time_style: str = "iso8601") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _time_text(value.astimezone(UTC), shape.serialization.get("timestampFormat", time_style))
    if shape.type_name == "blob":
        return base64.b64encode(_bytes(value)).decode()
    return str(value)


def _time_text(value: datetime, style: str) -> str:
    if style == "rfc822":
        return format_datetime(value, usegmt=True)
    if style == "unixTimestamp":
        return str(value.timestamp())
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"


def _xml_members(shape: Any, value: dict[str, Any]) -> str:
    return "".join(
        _xml(member, member.serialization.get("name", name), value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _xml(shape: Any, tag: str, value: Any) -> str:
    kind = shape.type_name
    if kind == "structure":
        return f"<{tag}>{_xml_members(shape, value)}</{tag}>"
    if kind == "list":
        if shape.serialization.get("flattened"):
            inner = shape.member.serialization.get("name", tag)
            return "".join(_xml(shape.member, inner, item) for item in value)
        inner = shape.member.serialization.get("name", "member")
        return f"<{tag}>{''.join(_xml(shape.member, inner, item) for item in value)}</{tag}>"
    if kind == "map":
        return _xml_map(shape, tag, value)
    return f"<{tag}>{escape(_text(shape, value))}</{tag}>"


def _xml_map(shape: Any, tag: str, value: dict[str, Any]) -> str:
    key = shape.key.serialization.get("name", "key")
    item = shape.value.serialization.get("name", "value")
    pairs = [f"{_xml(shape.key, key, name)}{_xml(shape.value, item, entry)}" for name, entry in value.items()]
    if shape.serialization.get("flattened"):
        return "".join(f"<{tag}>{pair}</{tag}>" for pair in pairs)
    return f"<{tag}>{''.join(f'<entry>{pair}</entry>' for pair in pairs)}</{tag}>"
