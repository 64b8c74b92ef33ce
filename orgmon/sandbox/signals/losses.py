"""What can go wrong on the way from one service to another, and what is noted about it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

NO_PERMISSIONS = "NO_PERMISSIONS"
NO_RESOURCE = "NO_RESOURCE"
INVALID_JSON = "INVALID_JSON"


class Undeliverable(Exception):
    """A service could not hand something on. ``code`` is EventBridge's word for it (``NO_PERMISSIONS``)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Loss:
    """Something that AWS drops without telling anybody: from ``source`` (an ARN) to ``target``, and why."""

    time: datetime
    source: str
    target: str
    code: str
    message: str


class Losses:
    """Everything that was dropped, the oldest first; for tests and for those who look for an alert."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._losses: list[Loss] = []

    def note(self, source: str, target: str, problem: Undeliverable) -> None:
        """Remember that something did not arrive."""
        with self._lock:
            self._losses.append(Loss(self._now(), source, target, problem.code, problem.message))

    def __iter__(self) -> Iterator[Loss]:
        return iter(tuple(self._losses))

    def __len__(self) -> int:
        return len(self._losses)
