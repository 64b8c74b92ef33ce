"""How generated code reaches a part of a record: as attributes of typed structs, or as members of plain JSON."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import Any, Protocol

from orgmon.replay.paths import Layout, Node, Shape

try:
    import msgspec
except ImportError:  # the extra "fast" is not installed
    msgspec = None  # type: ignore[assignment]


class Missing:
    """The value of what is not there, where msgspec has no say; false as msgspec's own is."""

    def __bool__(self) -> bool:
        return False


MISSING = Missing()


class Access(Protocol):
    """What generated code needs to know of a record's form."""

    @property
    def missing(self) -> Any:
        """What stands for what is not there."""

    def member(self, variable: str, name: str) -> str:
        """The expression of a member of the object in a variable, which is an object for sure."""

    def raw(self, variable: str, name: str) -> str:
        """The expression of a member that was left as it is, as plain JSON."""

    def constants(self) -> dict[str, Any]:
        """What these expressions use by name."""


@dataclass(frozen=True)
class PlainAccess:
    """Records as the ``json`` module makes them."""

    missing: Any = MISSING

    def member(self, variable: str, name: str) -> str:
        """A look-up."""
        return f"{variable}.get({name!r}, U)"

    def raw(self, variable: str, name: str) -> str:
        """A look-up too."""
        return self.member(variable, name)

    def constants(self) -> dict[str, Any]:
        """Nothing but what is missing."""
        return {"U": self.missing}


@dataclass(frozen=True)
class TypedAccess:
    """Records as msgspec's structs."""

    missing: Any

    def member(self, variable: str, name: str) -> str:
        """An attribute."""
        return f"{variable}.{attribute(name)}"

    def raw(self, variable: str, name: str) -> str:
        """The member's text, parsed now."""
        return f"parsed({self.member(variable, name)})"

    def constants(self) -> dict[str, Any]:
        """The function that parses text which was left alone."""
        missing, decode = self.missing, msgspec.json.Decoder().decode

        def parsed(raw: Any) -> Any:
            return missing if raw is missing else decode(raw)

        return {"U": missing, "parsed": parsed}


def attribute(name: str) -> str:
    """The name of a struct's field for any name in JSON."""
    plain = name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and name[0] != "_"
    return name if plain and not name.startswith("x_") else "x_" + name.encode().hex()


def is_fast() -> bool:
    """Whether typed reading is possible here."""
    return msgspec is not None


def typed_access() -> TypedAccess:
    """Access to structs. Only where ``is_fast()``."""
    return TypedAccess(msgspec.UNSET)


def record_type(layout: Layout, **more: Any) -> Any:
    """The struct of a layout's records; ``more`` are fields of types of their own."""
    return _struct("Record", layout.root, more)


def _struct(name: str, node: Node, more: dict[str, Any] | None = None) -> Any:
    unset = msgspec.UNSET
    types = {child: _type(child, below) for child, below in node.children.items()} | (more or {})
    fields = [(attribute(child), kind | msgspec.UnsetType, unset) for child, kind in types.items()]
    renamed = {attribute(child): child for child in types}
    return msgspec.defstruct(name, fields, gc=False, rename=renamed)


def _type(name: str, node: Node) -> Any:
    if node.shape is Shape.OBJECT:
        return _struct(name if name.isidentifier() else "Part", node) | None
    if node.shape is Shape.LIST:
        return list[_struct("Element", node)] | None  # type: ignore[misc]
    simple: dict[Shape, Any] = {
        Shape.STRING: str | None,
        Shape.BOOL: bool | None,
        Shape.NUMBER: int | float | None,
        Shape.RAW: msgspec.Raw,
    }
    return simple[node.shape]
