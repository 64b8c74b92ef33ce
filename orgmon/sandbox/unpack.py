"""From the wire to values: text, JSON, CBOR, XML and query strings, read along botocore's shapes."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from orgmon.sandbox import cbor


def from_text(shape: Any, text: str) -> Any:
    """A scalar from its text form. Raises ValueError if it is not of the shape's type."""
    kind = shape.type_name
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        return text.lower() == "true"
    if kind == "timestamp":
        return moment(text)
    if kind == "blob":
        return base64.b64decode(text)
    if kind == "list":
        return [from_text(shape.member, part.strip()) for part in text.split(",")]
    return text


def moment(value: str | float) -> datetime:
    """A point in time from seconds since 1970, ISO 8601 or an HTTP date."""
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        return datetime.fromtimestamp(float(value), UTC)
    parsed = datetime.fromisoformat(value) if re.match(r"\d{4}-", value) else parsedate_to_datetime(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def from_json(shape: Any, body: bytes) -> Any:
    """A value from a JSON document. Raises ValueError if it is no JSON."""
    return from_data(shape, json.loads(body or b"{}"))


def from_cbor(shape: Any, body: bytes) -> Any:
    """A value from a CBOR document. Raises ValueError if it is no CBOR."""
    return from_data(shape, cbor.loads(body) if body else {})


def from_data(shape: Any, data: Any) -> Any:
    """A value from parsed JSON or CBOR. Members that the shape does not know are left out, as AWS does."""
    kind = shape.type_name
    if data is None or getattr(shape, "is_document_type", False):
        return data
    if kind == "structure":
        return _structure_from_data(shape, data)
    if kind == "list":
        return [from_data(shape.member, item) for item in data]
    if kind == "map":
        return {key: from_data(shape.value, item) for key, item in data.items()}
    if kind == "timestamp":
        return data if isinstance(data, datetime) else moment(data)
    if kind == "blob":
        return data if isinstance(data, bytes) else base64.b64decode(data)
    return data


def _structure_from_data(shape: Any, data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"{shape.name} must be an object")
    result = {}
    for name, member in shape.members.items():
        value = data.get(member.serialization.get("name", name))
        if value is not None:
            result[name] = from_data(member, value)
    return result


def from_query(shape: Any, form: Mapping[str, str], ec2: bool = False) -> dict[str, Any]:
    """The parameters of a query (or EC2 query) request. Raises ValueError for a value of the wrong type."""
    value = _QueryReader(form, ec2).read(shape, "")
    return value if isinstance(value, dict) else {}


class _QueryReader:
    def __init__(self, form: Mapping[str, str], ec2: bool) -> None:
        self.form = form
        self.ec2 = ec2
        self.prefixes = {key[:end] for key in form for end in _dots(key)}

    def read(self, shape: Any, prefix: str) -> Any:
        if shape.type_name == "structure":
            return self._structure(shape, prefix)
        if prefix not in self.prefixes:
            return None
        if shape.type_name == "list":
            return self._list(shape, prefix)
        if shape.type_name == "map":
            return self._map(shape, prefix)
        return from_text(shape, self.form[prefix]) if prefix in self.form else None

    def _structure(self, shape: Any, prefix: str) -> dict[str, Any] | None:
        if prefix and prefix not in self.prefixes:
            return None
        result = {}
        for name, member in shape.members.items():
            key = self._key(name, member)
            value = self.read(member, f"{prefix}.{key}" if prefix else key)
            if value is not None:
                result[name] = value
        return result

    def _key(self, name: str, member: Any) -> str:
        rules = member.serialization
        if self.ec2:
            plain = rules.get("name", name)
            return str(rules.get("queryName") or plain[:1].upper() + plain[1:])
        if member.type_name == "list" and rules.get("flattened"):
            return str(member.member.serialization.get("name", rules.get("name", name)))
        return str(rules.get("name", name))

    def _list(self, shape: Any, prefix: str) -> list[Any]:
        if self.form.get(prefix) == "":
            return []
        if not self.ec2 and not shape.serialization.get("flattened"):
            prefix = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        return [self.read(shape.member, f"{prefix}.{index}") for index in self._indexes(prefix)]

    def _map(self, shape: Any, prefix: str) -> dict[str, Any]:
        if not shape.serialization.get("flattened"):
            prefix = f"{prefix}.entry"
        key = shape.key.serialization.get("name", "key")
        value = shape.value.serialization.get("name", "value")
        return {
            self.form.get(f"{prefix}.{index}.{key}", ""): self.read(shape.value, f"{prefix}.{index}.{value}")
            for index in self._indexes(prefix)
        }

    def _indexes(self, prefix: str) -> list[int]:
        start = len(prefix) + 1
        numbers = {key[start:] for key in self.prefixes if key.startswith(f"{prefix}.")}
        return sorted(int(number) for number in numbers if number.isdigit())


def _dots(key: str) -> list[int]:
    return [index for index, letter in enumerate(key) if letter == "."] + [len(key)]


def from_xml_text(shape: Any, body: bytes) -> Any:
    """A value from an XML document. Raises ValueError if it is no XML."""
    try:
        return _from_xml(shape, ElementTree.fromstring(body))  # noqa: S314 (the client is the user himself)
    except ElementTree.ParseError as error:
        raise ValueError("not an XML document") from error


def _from_xml(shape: Any, node: ElementTree.Element) -> Any:
    if shape.type_name == "structure":
        return _structure_from_xml(shape, node)
    if shape.type_name == "list":
        return [_from_xml(shape.member, child) for child in node]
    if shape.type_name == "map":
        return _map_from_xml(shape, node)
    return from_text(shape, node.text or "")


def _structure_from_xml(shape: Any, node: ElementTree.Element) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            value = next((text for key, text in node.attrib.items() if _bare(key) == _bare(wire_name)), None)
            if value is not None:
                result[name] = value
            continue
        if member.type_name == "list" and member.serialization.get("flattened"):
            inner = member.member.serialization.get("name", wire_name)
            items = [
                _from_xml(member.member, child) for child in node if _bare(child.tag) in (inner, wire_name)
            ]
            if items:
                result[name] = items
            continue
        for child in node:
            if _bare(child.tag) == wire_name:
                result[name] = _from_xml(member, child)
    return result


def _map_from_xml(shape: Any, node: ElementTree.Element) -> dict[str, Any]:
    key = shape.key.serialization.get("name", "key")
    value = shape.value.serialization.get("name", "value")
    result = {}
    for entry in node:
        parts = {_bare(child.tag): child for child in entry}
        result[parts[key].text or ""] = _from_xml(shape.value, parts[value])
    return result


def _bare(tag: str) -> str:
    return tag.rsplit("}", 1)[-1].rsplit(":", 1)[-1]
