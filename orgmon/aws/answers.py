"""Is this AWS's answer? What a proxy, a sign-in page or a cut connection leaves is told apart before it is parsed.

botocore takes much of it for an answer without content: an HTML page in the place of JSON, or of an S3 listing, is
"nothing there", and where it should have deleted something it is "done".
"""

from __future__ import annotations

import json
from typing import Any

# AWS numbers each of its answers, for support, in one of these headers.
NUMBERS = ("x-amzn-requestid", "x-amz-request-id")
PAGE = (b"<html", b"<!doctype html")
SHOWN = 80


class UnreadableAnswer(Exception):
    """What came back is no answer of AWS's. Says what it was."""


def check(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    """Raises UnreadableAnswer for what cannot be from AWS. Takes what botocore passes to before-parse handlers.

    Answers from 500 on are left to botocore: it knows the pages that AWS's own servers give, and repeats the call.
    """
    status, headers = response_dict["status_code"], response_dict["headers"]
    if status >= 500:
        return
    streams = operation_model.has_streaming_output
    body = b"" if streams else response_dict["body"]
    numbered = any(number in headers for number in NUMBERS)
    is_page = body[:SHOWN].lstrip().lower().startswith(PAGE)
    if numbered and not is_page and (status >= 300 or _has_what_it_should(operation_model, body)):
        return
    if streams:
        response_dict["body"].close()
    raise UnreadableAnswer(_told(status, headers, body))


def _has_what_it_should(operation_model: Any, body: bytes) -> bool:
    if operation_model.http.get("method") == "HEAD" or not _has_content(operation_model.output_shape):
        return True
    return _fits(operation_model.service_model.resolved_protocol, body)


def check_of_s3(service_model: Any, response_dict: dict[str, Any] | None) -> None:
    """The same for S3, where botocore makes 500 of a 200 that is no XML before anybody can look at it.

    Takes what botocore passes to response-received handlers, which is the answer as it came in.
    """
    if response_dict is not None:
        check(service_model.operation_model(response_dict["context"]["operation_name"]), response_dict)


def _has_content(shape: Any) -> bool:
    """Does an answer of this shape have a body that is a structure? Some members are headers, some are the body."""
    if shape is None or "payload" in shape.serialization:
        return False
    return any("location" not in member.serialization for member in shape.members.values())


def _fits(protocol: str, body: bytes) -> bool:
    """XML is left to the parser, which refuses what is not well-formed; it takes any JSON, and no content at all."""
    if "json" not in protocol:
        return bool(body)
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def _told(status: int, headers: Any, body: bytes) -> str:
    kind = headers.get("content-type", "no content type")
    start = body[:SHOWN].decode("utf-8", "replace")
    return f"status {status}, {kind}, {f'{len(body)} bytes: {start!r}' if body else 'no content'}"
