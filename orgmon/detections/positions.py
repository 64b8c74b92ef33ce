"""Where in a Sigma file a key or a field stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orgmon.errors import DetectionError


def first_lines(text: str, origin: str) -> dict[str, int]:
    """The line, from 1, on which each key first stands; modifiers (``|contains``) do not belong to a key.

    Raises DetectionError with the line where the text is not YAML.
    """
    import yaml

    found: dict[str, int] = {}
    try:
        for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
            for key, line in _keys(document):
                found.setdefault(key.partition("|")[0], line)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        what = getattr(error, "problem", None) or str(error)
        raise DetectionError(f"not YAML: {what}", "correct the YAML", file=origin, line=line) from error
    return found


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
