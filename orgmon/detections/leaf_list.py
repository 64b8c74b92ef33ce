"""A set of values as a leaf list of an event pattern, and what its wildcards are."""

from __future__ import annotations

from typing import Any, assert_never

from orgmon.detections.condition import Glob
from orgmon.detections.fieldset import Anything, Atom, Block, Constant, FieldSet, Missing, Other, Range, Text


def wildcards(values: FieldSet) -> list[str]:
    """The wildcards of the leaf list: they are scarce in EventBridge."""
    texts: list[str] = []
    for atom in values:
        if isinstance(atom, Text) and _needs_wildcard(atom.glob):
            texts.append(wildcard_text(atom.glob))
        elif isinstance(atom, Other) and _shape(atom.globs) == "wildcard":
            texts += [wildcard_text(glob) for glob in atom.globs]
    return texts


def _needs_wildcard(glob: Glob) -> bool:
    return not (glob.literal is not None or glob.prefix or glob.suffix or glob.takes_all)


def leaf_list(values: FieldSet) -> list[Any]:
    """The set as a leaf list of an event pattern, in an order that depends on nothing but the set."""
    literals = sorted(
        atom.glob.literal for atom in values if isinstance(atom, Text) and atom.glob.literal is not None
    )
    rest = [atom for atom in values if not (isinstance(atom, Text) and atom.glob.literal is not None)]
    return [*literals, *sorted((_element(atom) for atom in rest), key=repr)]


def _element(atom: Atom) -> Any:
    match atom:
        case Text(glob):
            return _text_element(glob)
        case Other(globs):
            return {"anything-but": _excluded(globs)}
        case Constant(value):
            return value
        case Range(bounds):
            return {"numeric": [part for bound in bounds for part in bound]}
        case Block(cidr):
            return {"cidr": cidr}
        case Anything():
            return {"exists": True}
        case Missing():
            return {"exists": False}
        case _:
            assert_never(atom)


def _text_element(glob: Glob) -> dict[str, str]:
    if glob.takes_all:
        return {"prefix": ""}
    if glob.prefix:
        return {"prefix": glob.prefix}
    if glob.suffix:
        return {"suffix": glob.suffix}
    return {"wildcard": wildcard_text(glob)}


def wildcard_text(glob: Glob) -> str:
    """The shape in EventBridge's wildcard language."""
    escaped = [piece.replace("\\", "\\\\").replace("*", "\\*") for piece in glob.pieces]
    return "*".join(escaped)


def _shape(globs: frozenset[Glob]) -> str:
    """The one operator that can name all shapes: ``anything-but`` holds one operator only."""
    if all(glob.literal is not None for glob in globs):
        return "literal"
    if all(glob.prefix for glob in globs):
        return "prefix"
    return "suffix" if all(glob.suffix for glob in globs) else "wildcard"


def _excluded(globs: frozenset[Glob]) -> Any:
    shape = _shape(globs)
    ordered = sorted(globs)
    if shape == "literal":
        return [str(glob) for glob in ordered]
    if shape == "wildcard":
        return {"wildcard": [wildcard_text(glob) for glob in ordered]}
    return {shape: [glob.prefix or glob.suffix for glob in ordered]}
