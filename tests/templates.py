"""Looking into templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Every policy statement within a piece of a template."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for inner in value.values():
            yield from statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statements(inner)
