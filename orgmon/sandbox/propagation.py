"""Who is too new to be known everywhere: what IAM makes is visible to other services after a while.

Source: IAM user guide, "Changes that I make are not always immediately visible". How long it takes is published
nowhere; without rehearsed trouble it takes no time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from orgmon.sandbox.trouble import Trouble


class Propagation:
    """When roles and users were made, by their unique ids. Those that nobody noted have been there for ever."""

    def __init__(self, trouble: Trouble, now: Callable[[], datetime]) -> None:
        self._trouble = trouble
        self._now = now
        self._lock = threading.Lock()
        self._made: dict[str, datetime] = {}

    def note(self, unique_id: str) -> None:
        """A role or user is made now."""
        with self._lock:
            self._made[unique_id] = self._now()

    def is_under_way(self, unique_id: str, patience: float = 0.0) -> bool:
        """True while other services do not know a role or user yet.

        ``patience`` is for how many sandbox seconds the asker would try again.
        """
        made = self._made.get(unique_id)
        if made is None:
            return False
        late = self._trouble.lateness - patience
        return self._now() < made + timedelta(seconds=late)
