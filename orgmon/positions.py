"""YAML with positions: the plain data of a text, and where each key and value stands.

Built on PyYAML's composed nodes, so that anchors and merge keys mean what they mean everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

Where = tuple[str | int, ...]
"""The keys and numbers that lead to a value."""

Position = tuple[int, int]
"""Line and column, both from 1."""


class NotYamlError(Exception):
    """A text is not YAML. ``position`` is None where that is true of the whole text."""

    def __init__(self, problem: str, position: Position | None) -> None:
        super().__init__(problem)
        self.problem, self.position = problem, position


class MeaninglessValueError(NotYamlError):
    """A text is YAML, and a value in it means nothing: a date with a thirteenth month."""


@dataclass(frozen=True)
class Document:
    """A document of YAML as plain data. ``places`` maps the path of a value to its position.

    ``keys`` does the same for the keys of mappings. A key that is there twice has the first position; ``repeated``
    has the later ones.
    """

    data: Any
    places: Mapping[Where, Position] = field(repr=False)
    keys: Mapping[Where, Position] = field(repr=False)
    repeated: tuple[tuple[Where, Position], ...] = ()


LARGEST = 500_000
"""So many values a document may hold: a few aliases of aliases can stand for more than any machine holds."""
TOO_DEEP = "it is nested too deeply"


def document(text: str) -> Document | None:
    """The only document of a text; None for an empty text. Raises NotYamlError, also for several documents."""
    node = _composed(lambda loader: yaml.compose(text, Loader=loader))
    return None if node is None else _document(node)


def documents(text: str) -> tuple[Document, ...]:
    """The documents of a text. Raises NotYamlError."""
    return tuple(map(_document, _composed(lambda loader: list(yaml.compose_all(text, Loader=loader)))))


def _composed(compose: Any) -> Any:
    """What the C parser makes of it, which is six times as fast; where it fails the other one says better why."""
    if yaml.__with_libyaml__:
        try:
            return compose(yaml.CSafeLoader)
        except yaml.YAMLError:
            pass
        except RecursionError as error:
            raise NotYamlError(TOO_DEEP, None) from error
    try:
        return compose(yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise NotYamlError(*_told(error)) from error
    except RecursionError as error:
        raise NotYamlError(TOO_DEEP, None) from error


def _told(error: Any) -> tuple[str, Position | None]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "context", None) or str(error)
    return problem, (mark.line + 1, mark.column + 1) if mark else None


def _document(node: yaml.Node) -> Document:
    places: dict[Where, Position] = {}
    keys: dict[Where, Position] = {}
    for number, (where, part, is_key) in enumerate(_walk(node, ())):
        if number > LARGEST:
            raise MeaninglessValueError(
                f"holds more than {LARGEST:,} values, aliases counted", _position(part)
            )
        (keys if is_key else places).setdefault(where, _position(part))
    repeated = tuple(
        _repeated(node)
    )  # before merge keys are put in place, which the constructor does in the node
    try:
        data = yaml.constructor.SafeConstructor().construct_document(node)
    except yaml.YAMLError as error:
        raise MeaninglessValueError(*_told(error)) from error
    except ValueError as error:
        raise MeaninglessValueError(f"holds a value that means nothing: {error}", None) from error
    return Document(data, places, keys, repeated)


def _position(node: yaml.Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _repeated(node: yaml.Node) -> Iterator[tuple[Where, Position]]:
    for path, part, is_key in _walk(node, ()):
        if is_key or not isinstance(part, yaml.MappingNode):
            continue
        seen: set[str] = set()
        for key, _ in part.value:
            name = str(key.value)
            if name in seen and name != "<<":
                yield (*path, name), _position(key)
            seen.add(name)


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
