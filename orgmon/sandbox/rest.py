"""REST requests: which operation a method and a path mean, and where its parameters are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from orgmon.sandbox.models import service_model
from orgmon.sandbox.unpack import from_json, from_text, from_xml_text

_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    """The address of one operation. ``fixed`` are query parameters that belong to the address."""

    method: str
    path: re.Pattern[str]
    labels: tuple[str, ...]
    fixed: tuple[tuple[str, str], ...]
    needed_query: frozenset[str]
    needed_headers: frozenset[str]
    operation: Any

    @property
    def weight(self) -> int:
        """How much the route asks for: of two that fit, the heavier is meant."""
        return len(self.fixed) + len(self.needed_query) + len(self.needed_headers)

    def match(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> dict[str, str] | None:
        """The labels of the path by name, or None if the request is not for this operation."""
        found = self.path.match(path) if method == self.method else None
        if found is None or any(query.get(name) != value for name, value in self.fixed):
            return None
        if self.needed_query - query.keys() or self.needed_headers - headers.keys():
            return None
        return {name: unquote(part) for name, part in zip(self.labels, found.groups(), strict=True)}


@cache
def routes(service: str) -> tuple[Route, ...]:
    """The routes of a service, the most demanding first, deprecated ones (S3 has twins) last among their like."""
    model = service_model(service)
    if model is None:
        return ()
    every = (_route(model.operation_model(name)) for name in model.operation_names)
    return tuple(
        sorted(every, key=lambda route: (-route.weight, len(route.labels), route.operation.deprecated))
    )


def _route(operation: Any) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    labels = tuple(name for name, _ in _LABEL.findall(path))
    return Route(
        method=operation.http["method"],
        path=_pattern(path),
        labels=labels,
        fixed=tuple(parse_qsl(query, keep_blank_values=True)),
        needed_query=_needed(operation.input_shape, "querystring"),
        needed_headers=frozenset(name.lower() for name in _needed(operation.input_shape, "header")),
        operation=operation,
    )


def _pattern(path: str) -> re.Pattern[str]:
    expression, end = "", 0
    for label in _LABEL.finditer(path):
        expression += re.escape(path[end : label.start()]) + ("(.+)" if label[2] else "([^/]+)")
        end = label.end()
    expression += re.escape(path[end:])
    return re.compile(f"^{expression.removesuffix('/')}/?$")


def _needed(shape: Any, location: str) -> frozenset[str]:
    if shape is None:
        return frozenset()
    required = set(shape.required_members)
    return frozenset(
        member.serialization.get("name", name)
        for name, member in shape.members.items()
        if name in required and member.serialization.get("location") == location
    )


def find(
    service: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[Any, dict[str, str]] | None:
    """The operation model and the labels that a request means, or None."""
    for route in routes(service):
        labels = route.match(method, path, query, headers)
        if labels is not None:
            return route.operation, labels
    return None


def parameters(
    operation: Any,
    labels: Mapping[str, str],
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, Any]:
    """The parameters of a REST request under botocore's member names."""
    shape = operation.input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = _located(member, member.serialization.get("name", name), labels, query, headers)
        if value is not None:
            params[name] = value
    params.update(_from_body(operation, shape, body))
    return params


def _located(
    member: Any,
    name: str,
    labels: Mapping[str, str],
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
) -> Any:
    location = member.serialization.get("location")
    if location == "uri" and name in labels:
        return from_text(member, labels[name])
    if location == "querystring":
        return _from_query(member, name, query)
    if location == "header" and name.lower() in headers:
        return from_text(member, headers[name.lower()])
    if location == "headers":
        prefix = name.lower()
        return {key[len(prefix) :]: value for key, value in headers.items() if key.startswith(prefix)} or None
    return None


def _from_query(member: Any, name: str, query: list[tuple[str, str]]) -> Any:
    values = [value for key, value in query if key == name]
    if member.type_name == "map":
        return dict(query) or None
    if not values:
        return None
    if member.type_name == "list":
        return [from_text(member.member, value) for value in values]
    return from_text(member, values[0])


def _from_body(operation: Any, shape: Any, body: bytes) -> dict[str, Any]:
    payload = shape.serialization.get("payload")
    if not body:
        return {}
    if payload and shape.members[payload].type_name == "blob":
        return {payload: body}
    if payload and shape.members[payload].type_name == "string":
        return {payload: body.decode("utf-8", "replace")}
    inner = shape.members[payload] if payload else shape
    is_xml = operation.service_model.metadata["protocol"] == "rest-xml"
    value = from_xml_text(inner, body) if is_xml else from_json(inner, body)
    if payload:
        return {payload: value}
    return {name: item for name, item in value.items() if "location" not in shape.members[name].serialization}
