"""The decoys, and nothing else: no name, tag, description or output of this stack gives orgmon away.

They carry no name, so CloudFormation makes ``<LogicalId>-<random>`` of the phrase.
"""

from __future__ import annotations

from collections.abc import Mapping

from troposphere import AWSObject, Template

from orgmon.honeytokens import Decoy
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who


def _build(inputs: Inputs) -> Template:
    template = Template(Description="Service configuration")
    template.set_version("2010-09-09")
    for decoy in inputs.decoys:
        template.add_resource(_resource(decoy))
    return template


def _resource(decoy: Decoy) -> AWSObject:
    made = decoy.resource

    class Placed(AWSObject):  # type: ignore[misc] # Troposphere is untyped
        resource_type = made.type
        props = dict.fromkeys(made.properties, (object, True))

    return Placed(str(decoy.phrase), **made.properties)  # no longer sealed: here it is meant to be read


def _values(inputs: Inputs) -> Mapping[str, str]:
    return {}


STACK = StackDefinition(
    "decoys",
    Placement(Who.CHOSEN_MEMBERS, Where.CHOSEN),
    "decoys",
    _build,
    _values,
    is_neutral=True,
    is_wanted=lambda inputs: bool(inputs.decoys),
    plants=lambda inputs: frozenset(decoy.prefix for decoy in inputs.decoys),
)
