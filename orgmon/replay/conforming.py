"""Whether parsed JSON has the shape that a layout takes for granted, as generated code: every record is asked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from orgmon.replay.paths import CLASSES, Node, Shape


def conforming(node: Node) -> Callable[[Any], bool]:
    """A function that says whether a value is an object whose members have the shapes of a node's children."""
    constants: dict[str, Any] = {}
    names = (f"v{number}" for number in count())

    def object_test(value: str, children: dict[str, Node]) -> str:
        read = {name: child for name, child in children.items() if child.shape is not Shape.RAW}
        return " and ".join(
            [f"{value}.__class__ is dict", *(member(value, name, child) for name, child in read.items())]
        )

    def member(value: str, name: str, child: Node) -> str:
        variable = next(names)
        return f"(({variable} := {value}.get({name!r})) is None or {shape_test(variable, child)})"

    def shape_test(variable: str, node: Node) -> str:
        if node.shape is Shape.OBJECT:
            return f"({object_test(variable, node.children)})"
        if node.shape is Shape.LIST:
            constants[f"element_{variable}"] = conforming(node)
            return f"({variable}.__class__ is list and all(map(element_{variable}, {variable})))"
        return " or ".join(f"{variable}.__class__ is {kind.__name__}" for kind in CLASSES[node.shape])

    conforms: Callable[[Any], bool] = eval(f"lambda r: {object_test('r', node.children)}", constants)  # noqa: S307
    return conforms
