"""Taking over a resource that exists already, as ImportExistingResources allows it."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.cloudformation.reasons import is_gone
from orgmon.sandbox.cloudformation.template import Definition
from orgmon.sandbox.providers.provider import Place, Provider

RETAINED = ("Retain", "RetainExceptOnCreate")


def is_adoptable(provider: Provider, definition: Definition) -> bool:
    """Whether ImportExistingResources may take this resource over: a literal name, and a policy that retains."""
    name = definition.properties.get(provider.name_property)
    return isinstance(name, str) and definition.deletion_policy in RETAINED


def live(provider: Provider, place: Place, physical_id: str, last: dict[str, Any]) -> dict[str, Any] | None:
    """The live properties of a resource, or None when its service does not know it."""
    try:
        return provider.read(place, physical_id, last)
    except Exception as problem:
        if is_gone(problem):
            return None
        raise


def adopt(provider: Provider, place: Place, physical_id: str, wanted: dict[str, Any]) -> None:
    """Bring an existing resource to what the template says of it."""
    current = live(provider, place, physical_id, wanted) or {}
    provider.update(place, physical_id, current, wanted)
