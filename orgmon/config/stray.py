"""A name in accounts.yaml that nothing in AWS has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stray:
    """Where it stands, what is wrong and what to do. ``selects``: accounts were to be found by it."""

    where: str
    what: str
    remedy: str
    selects: bool = False
