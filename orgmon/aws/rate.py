"""How fast calls are made: evenly spaced, slower when AWS throttles, faster again when it does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from orgmon.failure import is_throttling

# AWS publishes no rates for CloudFormation: begin fast, and let each throttled answer halve the rate.
CALLS_PER_SECOND, SLOWEST = 200.0, 2.0


class RateLimiter:
    """Spaces calls evenly; one for each account, Region and service. Thread-safe.

    A throttled answer halves the rate, a good one brings back a hundredth of it. botocore's own retries repeat what
    was throttled.
    """

    def __init__(
        self,
        per_second: float = CALLS_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._shortest = self._gap = 1.0 / per_second
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next call may be made."""
        with self._lock:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + self._gap
        if at > now:
            self._sleep(at - now)

    def learn(self, response: tuple[object, dict[str, Any]] | None) -> None:
        """Adapt to an answer: (HTTP response, parsed response), or None where there was none."""
        if response is None:
            return
        error = response[1].get("Error", {})
        throttled = is_throttling(error.get("Code", ""), error.get("Message", ""))
        with self._lock:
            self._gap = (
                min(self._gap * 2, 1 / SLOWEST) if throttled else max(self._gap * 0.99, self._shortest)
            )
