"""The stacks of orgmon. A new stack is one line; the order of the lines is the order of the stages."""

from __future__ import annotations

from orgmon.stacks import access, base, decoys, detection, edge, hub, logs, trail
from orgmon.stacks.definition import Inputs, StackDefinition

STACKS: tuple[StackDefinition, ...] = (
    base.STACK,
    logs.STACK,
    hub.STACK,
    edge.STACK,
    trail.STACK,
    access.STACK,
    detection.STACK,
    decoys.STACK,
)


def wanted(inputs: Inputs) -> tuple[StackDefinition, ...]:
    """The stacks that are wanted for these inputs, in stage order."""
    return tuple(definition for definition in STACKS if definition.is_wanted(inputs))
