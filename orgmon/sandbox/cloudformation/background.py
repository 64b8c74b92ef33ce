"""Threads that somebody can wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Work that goes on by itself. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def run(self, work: Callable[[], object]) -> None:
        """Start ``work`` in a thread of its own."""

        def worked() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=worked, daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def wait(self) -> None:
        """Wait until nothing is at work."""
        while True:
            with self._lock:
                thread = next(iter(self._threads), None)
            if thread is None:
                return
            thread.join()
