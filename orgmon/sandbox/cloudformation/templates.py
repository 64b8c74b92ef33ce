"""Where a request's template comes from: its body, a URL in the sandbox's S3, or the stack's previous one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from botocore.exceptions import ClientError, ParamValidationError

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.cloudformation.faults import format_error
from orgmon.sandbox.cloudformation.references import references_of
from orgmon.sandbox.cloudformation.schema import is_known, schema_of
from orgmon.sandbox.cloudformation.template import Template, parse
from orgmon.sandbox.providers.provider import SERVICE
from orgmon.sandbox.world import World

MAXIMUM_BODY = 51_200
MAXIMUM_OBJECT = 1_000_000
_VIRTUAL_HOST = re.compile(r"^(?P<bucket>.+)\.s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?$")
_AWS = (".amazonaws.com", ".amazonaws.com.cn")
_LOOPBACK = ("localhost", "127.0.0.1")
_UNSUPPORTED = "TemplateURL must be a supported URL."
_PATH_HOST = re.compile(r"^s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?$")


def template_of(world: World, call: Call, previous: Callable[[], Template] | None = None) -> Template:
    """The checked template that a call names by TemplateBody, TemplateURL or UsePreviousTemplate."""
    params = call.params
    if params.get("UsePreviousTemplate") and previous:
        return previous()
    return checked(text_of(world, call))


def text_of(world: World, call: Call) -> str:
    """The text that a call names by TemplateBody or TemplateURL. Raises Refusal when it is too large or not there."""
    params = call.params
    if params.get("TemplateBody") is not None:
        return _body(str(params["TemplateBody"]))
    if params.get("TemplateURL") is not None:
        return fetched(world, call, str(params["TemplateURL"]))
    raise Refusal("ValidationError", "Either Template URL or Template Body must be specified.")


def checked(text: str) -> Template:
    """Parse a template and refuse what AWS would refuse at the door: unknown types, attributes, macros."""
    template = parse(text)
    unknown = [
        kind for kind in template.resource_types if not (is_known(kind) or kind.startswith("Custom::"))
    ]
    if unknown:
        raise format_error(f"Unrecognized resource types: [{', '.join(unknown)}]")
    if template.transforms:
        raise Refusal("ValidationError", f"No transform named {template.transforms[0]} found.")
    if "{{resolve:" in text:
        raise Refusal("ValidationError", "Dynamic references are not implemented by the sandbox")
    for definition in template.resources.values():
        for logical_id, attribute in references_of(definition.properties).attributes:
            _check_attribute(template, logical_id, attribute)
    return template


def _check_attribute(template: Template, logical_id: str, attribute: str) -> None:
    """Refuse an attribute that the type does not have at all."""
    kind = template.resources[logical_id].type
    if is_known(kind) and not schema_of(kind).has_attribute(attribute):
        raise Refusal(
            "ValidationError",
            f"Template error: resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt",
        )


def _body(text: str) -> str:
    size = len(text.encode())
    if size > MAXIMUM_BODY:
        raise Refusal(
            "ValidationError",
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAXIMUM_BODY}",
        )
    return text


def fetched(world: World, call: Call, url: str, most: int = MAXIMUM_OBJECT) -> str:
    """The object behind an S3 URL (``?versionId=`` is respected), read with the caller's rights.

    Raises Refusal for another URL, and for an object that cannot be read or has more than ``most`` bytes.
    """
    wanted = location(url, call.endpoint)
    client = world.client("s3", call.account, call.region, principal=call.principal, invoked_by=SERVICE)
    try:
        content: bytes = client.get_object(**wanted)["Body"].read()
    except ParamValidationError as problem:
        raise Refusal("ValidationError", _UNSUPPORTED) from problem
    except ClientError as problem:
        message = problem.response["Error"].get("Message", problem.response["Error"]["Code"])
        raise Refusal("ValidationError", f"S3 error: {message}") from problem
    if len(content) > most:
        raise Refusal("ValidationError", f"Template may not exceed {most} bytes in size.")
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        raise format_error("unsupported structure.") from problem


def location(url: str, endpoint: str = "") -> dict[str, Any]:
    """Bucket, Key and VersionId of an S3 URL in one of AWS's two forms, or of one below ``endpoint``.

    ``endpoint`` is where the client finds the sandbox (``http://localhost:4566``): what the AWS CLI and the CDK send
    for a template that they have uploaded is an address of that. Raises Refusal for any other URL.
    """
    try:
        parts, own = urlsplit(url), urlsplit(endpoint)
        bucket = _bucket(parts, own)
    except ValueError as problem:
        raise Refusal("ValidationError", _UNSUPPORTED) from problem
    path = unquote(parts.path.lstrip("/"))
    key = path
    if bucket == "":
        bucket, _, key = path.partition("/")
    if not bucket or not key:
        raise Refusal("ValidationError", _UNSUPPORTED)
    version = parse_qs(parts.query).get("versionId", [])
    return {"Bucket": bucket, "Key": key} | ({"VersionId": version[0]} if version else {})


def _bucket(parts: SplitResult, own: SplitResult) -> str | None:
    """The bucket in a URL's host name, empty where the path names it, None where the URL is none of S3's."""
    host = parts.hostname or ""
    if parts.scheme == "https" and _PATH_HOST.match(host):
        return ""
    virtual = _VIRTUAL_HOST.match(host)
    if parts.scheme == "https" and virtual:
        return virtual["bucket"]
    if (parts.scheme, parts.port) != (own.scheme, own.port) or (own.hostname or "").endswith(_AWS):
        return None
    for name in (own.hostname or "", *_LOOPBACK):
        if host in (name, f"s3.{name}"):
            return ""
        if host.endswith(f".{name}"):
            return host.removesuffix(f".{name}").removesuffix(".s3")
    return None
