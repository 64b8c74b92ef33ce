"""Resource providers: one class a resource type, one file a service (IAM has several).

To add a type, write a class with ``@provides("AWS::Service::Type")`` in a file of this folder; nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from orgmon.sandbox.providers.provider import REGISTRY, Provider


def provider_of(type_name: str) -> Provider | None:
    """The provider of a resource type, or None when the sandbox has none."""
    _load()
    return REGISTRY.get(type_name)


def supported_types() -> tuple[str, ...]:
    """All resource types that the sandbox can make, sorted."""
    _load()
    return tuple(sorted(REGISTRY))


@cache
def _load() -> None:
    """Import every file of this folder; their classes register themselves."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
