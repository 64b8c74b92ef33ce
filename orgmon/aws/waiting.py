"""How to wait for something in AWS that takes its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Sleep = Callable[[float], None]


def waits(first: float = 0.1, longest: float = 30.0) -> Iterator[float]:
    """Ever longer waits in seconds: quick things are seen quickly, long ones cost few calls."""
    current = first
    while True:
        yield current
        current = min(current * 1.6, longest)
