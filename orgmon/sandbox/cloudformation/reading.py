"""Template text -> its sections: JSON, or YAML with the short forms of functions."""

from __future__ import annotations

import json
from typing import Any

import yaml

from orgmon.sandbox.cloudformation.faults import format_error
from orgmon.sandbox.cloudformation.functions import template_error


def load(text: str) -> dict[str, Any]:
    """The text as a dictionary: JSON when it looks like it, else YAML. Raises Refusal when it is neither."""
    kind = "JSON" if text.lstrip().startswith("{") else "YAML"
    try:
        body = json.loads(text) if kind == "JSON" else _yaml(text)
    except (ValueError, RecursionError, yaml.YAMLError) as problem:
        where = str(problem).replace("\n", " ")
        raise format_error(f"{kind} not well-formed. ({where})") from problem
    if not isinstance(body, dict):
        raise format_error("unsupported structure.")
    return body


def _yaml(text: str) -> Any:
    if "&" in text and any(
        isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.CSafeLoader)
    ):
        raise template_error("YAML aliases are not allowed in CloudFormation templates")
    return _with_texts_as_keys(yaml.load(text, _Loader))  # noqa: S506


def _with_texts_as_keys(node: Any) -> Any:
    """YAML takes 2012 for a number and ``on`` for a truth, also where they name something."""
    if isinstance(node, list):
        return [_with_texts_as_keys(item) for item in node]
    if isinstance(node, dict):
        return {_key(key): _with_texts_as_keys(value) for key, value in node.items()}
    return node


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


class _Loader(yaml.CSafeLoader):
    """YAML as CloudFormation reads it: short-form functions, and dates stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
