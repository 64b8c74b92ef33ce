"""How long is waited between two looks, and for how long at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orgmon.aws.waiting import waits


@dataclass(frozen=True)
class Clock:
    """Time in seconds, and a way to let it pass; tests have one of their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


REAL = Clock()


def pauses(patience: float, clock: Clock) -> Iterator[float]:
    """Ever longer pauses in seconds, until ``patience`` seconds are over; the last one ends there."""
    end = clock.now() + patience
    for seconds in waits(first=1.0):
        left = end - clock.now()
        if left <= 0:
            return
        yield min(seconds, left)
