"""A rule file as plain data, and where in it a key or a field stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orgmon.errors import DetectionError


def documents_and_lines(text: str, origin: str) -> tuple[list[Any], dict[str, int]]:
    """The documents of a file, and the line, from 1, on which each key first stands, in the detection if it does there.

    Modifiers (``|contains``) do not belong to a key. Raises DetectionError with the line where the text is not YAML.
    """
    import yaml

    try:
        nodes = _nodes(text)
        documents = [yaml.constructor.SafeConstructor().construct_document(node) for node in nodes]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        what = getattr(error, "problem", None) or str(error)
        raise DetectionError(f"not YAML: {what}", "correct the YAML", file=origin, line=line) from error
    lines: dict[str, int] = {}
    for node in (*_detections(nodes), *nodes):
        for key, line in _keys(node):
            lines.setdefault(key.partition("|")[0], line)
    return documents, lines


def _detections(nodes: list[Any]) -> Iterator[Any]:
    """What stands under ``detection``: a field there can have the name of one of Sigma's own keys."""
    import yaml

    for node in nodes:
        if isinstance(node, yaml.MappingNode):
            yield from (value for key, value in node.value if key.value == "detection")


def _nodes(text: str) -> list[Any]:
    """The documents as nodes. The C parser is six times as fast, the other one says better what is wrong."""
    import yaml

    if yaml.__with_libyaml__:
        try:
            return list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
        except yaml.YAMLError:
            pass  # said by the other one
    return list(yaml.compose_all(text, Loader=yaml.SafeLoader))


def _keys(node: Any) -> Iterator[tuple[str, int]]:
    """Keys of mappings, from top to bottom; examples hold records, which are no part of the rule."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark.line + 1
            if key.value != "examples":
                yield from _keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for element in node.value:
            yield from _keys(element)
