"""Which parts of a record the detections look at, and the shape that these parts have.

A part whose type every record shares is read as a field of that type; a record that holds anything else there is
odd, and is looked at by the slow path. What differs by service stays plain JSON and is only read when a detection
gets that far.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orgmon.detections.fields import KNOWN, OBJECTS, OPEN_BELOW, Array, FieldType, Kind, field_type

OPAQUE = frozenset(prefix.removesuffix(".") for prefix in OPEN_BELOW)

WRITTEN = (
    "userIdentity type principalId arn accountId accessKeyId userName sessionContext invokedBy eventTime eventSource "
    "eventName awsRegion sourceIPAddress userAgent errorCode errorMessage requestParameters responseElements "
    "additionalEventData requestID eventID readOnly resources eventType managementEvent recipientAccountId "
    "sharedEventID vpcEndpointId eventCategory tlsDetails"
)
"""The order in which CloudTrail writes what is in a record."""

PLACES = {name: place for place, name in enumerate(WRITTEN.split())}


class Shape(enum.Enum):
    """What a part of a record is; each may also be null or missing."""

    STRING = "a string"
    BOOL = "true or false"
    NUMBER = "a number"
    OBJECT = "an object"
    LIST = "a list of objects"
    RAW = "anything, read when it is asked for"


SCALARS = {Kind.STRING: Shape.STRING, Kind.BOOL: Shape.BOOL, Kind.NUMBER: Shape.NUMBER}
CLASSES: dict[Shape, tuple[type, ...]] = {
    Shape.STRING: (str,),
    Shape.BOOL: (bool,),
    Shape.NUMBER: (int, float),
}


@dataclass
class Node:
    """A part of a record and the parts below it, by their names in JSON."""

    shape: Shape
    children: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Slot:
    """Where the values of a path are: ``way`` leads through nodes to one of this shape, ``rest`` on from there."""

    way: tuple[str, ...]
    rest: tuple[str, ...]
    shape: Shape


class Layout:
    """The tree of the parts that a set of dotted paths needs."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(sorted(set(paths), key=_written))
        self._opaque = frozenset(_opaque(self.paths))
        self.root = Node(Shape.OBJECT)
        self.slots = {path: self._added(path) for path in self.paths}
        self.scalars = frozenset(path for path, slot in self.slots.items() if slot.shape in CLASSES)

    def _added(self, path: str) -> Slot:
        """The slot of a path, whose nodes are put into the tree."""
        names = path.split(".")
        node = self.root
        for depth, name in enumerate(names, 1):
            way = tuple(names[:depth])
            node = node.children.setdefault(name, Node(self._shape(way)))
            if node.shape is Shape.LIST:
                member = SCALARS[KNOWN[path].kind]
                node.children.setdefault(names[depth], Node(member))
            if node.shape is not Shape.OBJECT:
                return Slot(way, tuple(names[depth:]), node.shape)
        raise AssertionError(path)  # an object that is a path itself makes its top opaque

    def _shape(self, way: tuple[str, ...]) -> Shape:
        if way[0] in self._opaque:
            return Shape.RAW
        path = ".".join(way)
        if path in KNOWN:
            return SCALARS.get(KNOWN[path].kind, Shape.RAW)
        if path not in OBJECTS or len(way) > 1:
            return Shape.RAW
        return Shape.LIST if _is_list(path) else Shape.OBJECT

    def violations(self, record: Mapping[str, Any]) -> frozenset[str]:
        """The paths at which a record holds something that the fields of CloudTrail never hold."""
        return frozenset(path for path in self.paths if violates(path, record))


def _written(path: str) -> tuple[list[int], str]:
    """Sorts paths as CloudTrail writes them: a parser that expects the members in their order finds them sooner."""
    return [PLACES.get(name, len(PLACES)) for name in path.split(".")], path


def _opaque(paths: Iterable[str]) -> Iterator[str]:
    """The top members that stay plain JSON: what differs by service, and what nobody knows."""
    for path in paths:
        top = path.partition(".")[0]
        known = path in KNOWN and KNOWN[path].array is not Array.VALUES
        foreign = not known and (_is_list(top) or (top not in OBJECTS and top not in KNOWN))
        if top in OPAQUE or path in OBJECTS or foreign:
            yield top


def _is_list(path: str) -> bool:
    return any(known.startswith(f"{path}.") and kind.array is Array.OBJECTS for known, kind in KNOWN.items())


def violates(path: str, record: object) -> bool:
    """Whether the record holds something at the path, or above it, that the field's type does not allow."""
    known = field_type(path)
    return known is not None and breaks(known, record, tuple(path.split(".")))


def breaks(known: FieldType, value: object, names: tuple[str, ...], *, in_list: bool = False) -> bool:
    """Whether what ``names`` lead to from this value is of another type, or in another kind of array."""
    for depth, name in enumerate(names):
        if isinstance(value, list):
            return known.array is not Array.OBJECTS or any(
                breaks(known, element, names[depth:], in_list=True) for element in value
            )
        if not isinstance(value, dict):
            return value is not None or in_list
        if name not in value:
            return False
        value = value[name]
    if isinstance(value, list):
        return known.array is not Array.VALUES or any(_is_other(known, element) for element in value)
    return value is not None and (known.array is Array.VALUES or _is_other(known, value))


def _is_other(known: FieldType, value: object) -> bool:
    if value is None or known.kind is Kind.OBJECT:
        return False
    allowed = (bool, str) if known.kind is Kind.OPEN else CLASSES[SCALARS[known.kind]]
    return type(value) not in allowed
