"""A rule file as plain data, and where in it a key or a field stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orgmon import positions
from orgmon.errors import DetectionError
from orgmon.positions import NotYamlError, Where


def documents_and_lines(text: str, origin: str) -> tuple[list[Any], dict[str, int]]:
    """The documents of a file, and the line, from 1, on which each key first stands, in the detection if it does there.

    Modifiers (``|contains``) do not belong to a key. Raises DetectionError with the line where the text is not YAML.
    """
    try:
        documents = positions.documents(text)
    except NotYamlError as error:
        line, _ = error.position or (1, 1)
        what = f"not YAML: {error.problem}"
        raise DetectionError(what, "correct the YAML", file=origin, line=line) from error
    return [document.data for document in documents], dict(_lines(documents))


def _lines(documents: Iterable[positions.Document]) -> Iterator[tuple[str, int]]:
    """The later ones count: keys from bottom to top, last those of detections.

    A field there can have the name of one of Sigma's own keys. Examples hold records, which are no part of the rule.
    """
    keys = [(where, line) for document in documents for where, (line, _) in document.keys.items()]
    rule = [(where, line) for where, line in keys if "examples" not in where[:-1]]
    inside = [(where, line) for where, line in rule if _is_field(where)]
    for where, line in (*reversed(rule), *reversed(inside)):
        yield str(where[-1]).partition("|")[0], line


def _is_field(where: Where) -> bool:
    return where[0] == "detection" and len(where) > 1
