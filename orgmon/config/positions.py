"""YAML with positions: the plain data of a file, and where each key and value stands.

Built on PyYAML's composed nodes, so that anchors and merge keys mean what they mean everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from orgmon.errors import ConfigError, Problem

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data. ``places`` maps the path of a value to its line and column, from 1.

    ``keys`` does the same for the keys of mappings, ``problems`` holds what is wrong with the YAML itself.
    """

    file: str
    data: Any
    places: dict[Where, tuple[int, int]] = field(repr=False)
    keys: dict[Where, tuple[int, int]] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def problem(self, where: Where, what: str, remedy: str, *, at_key: bool = False) -> Problem:
        """A problem at a value, or at its key; where the value is missing, at the nearest one above it."""
        table = self.keys if at_key else self.places
        path = where
        while path and path not in table:
            path = path[:-1]
            table = self.places
        line, column = table.get(path, (1, 1))
        return Problem(self.file, line, column, what, remedy)


def read(path: Path) -> Document:
    """Read a file. Raises ConfigError where it cannot be read or is no YAML at all."""
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        remedy = "name another file with --config, or begin with: orgmon validate --sample > accounts.yaml"
        raise _whole(file, f"cannot be read: {error.strerror}", remedy) from error
    except UnicodeDecodeError as error:
        raise _whole(file, "is not UTF-8 text", "save it as UTF-8") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = f"is not YAML: {error.problem or error.context or 'cannot be read'}"
        raise ConfigError(
            (Problem(file, line, column, what, "correct the line or the one above it"),)
        ) from error
    except yaml.YAMLError as error:
        raise _whole(file, f"is not YAML: {error}", "remove what is not text") from error
    if node is None:
        raise _whole(file, "is empty", "begin with: orgmon validate --sample > accounts.yaml")
    return _document(file, node)


def _whole(file: str, what: str, remedy: str) -> ConfigError:
    return ConfigError((Problem(file, 1, 1, what, remedy),))


def _document(file: str, node: yaml.Node) -> Document:
    places: dict[Where, tuple[int, int]] = {}
    keys: dict[Where, tuple[int, int]] = {}
    problems: list[Problem] = []
    for where, found, is_key in _walk(node, ()):
        (keys if is_key else places).setdefault(where, _position(found))
    for where, key in _repeated(node, ()):
        line, column = _position(key)
        name = where[-1]
        problems.append(
            Problem(
                file, line, column, f"'{name}' is there twice", "keep one of them: YAML would drop the first"
            )
        )
    try:
        data = yaml.SafeLoader("").construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ConfigError(
            (Problem(file, line, column, str(error.problem), "write it as text in quotes"),)
        ) from error
    except ValueError as error:
        raise _whole(
            file, f"holds a value that means nothing: {error}", "write it as text in quotes"
        ) from error
    return Document(file, data, places, keys, tuple(problems))


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _walk(
    node: yaml.Node, where: Where, above: tuple[int, ...] = ()
) -> Iterator[tuple[Where, yaml.Node, bool]]:
    """Every value and key with its path. An alias that leads back to itself is walked once."""
    if id(node) in above:
        return
    yield where, node, False
    inside = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            yield (*where, name), key, True
            yield from _walk(value, (*where, name), inside)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _walk(item, (*where, number), inside)


def _repeated(node: yaml.Node, where: Where) -> Iterator[tuple[Where, yaml.Node]]:
    mappings = ((path, found) for path, found, is_key in _walk(node, where) if not is_key)
    for path, found in mappings:
        if not isinstance(found, yaml.MappingNode):
            continue
        seen: set[str] = set()
        for key, _ in found.value:
            name = str(key.value)
            if name in seen and name != "<<":
                yield (*path, name), key
            seen.add(name)
