"""The sandbox's clock: it runs, and tests can turn it."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(order=True)
class _Timer:
    due: datetime
    order: int
    action: Callable[[], object] = field(compare=False)


class Timer:
    """A pending action of the clock. ``cancel`` keeps it from running, if it has not run yet."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """Do not run the action."""
        self.cancelled = True


class Clock:
    """Sandbox time, always in UTC.

    ``speed`` is sandbox seconds per real second; 0 means that time passes only by ``advance``. Actions run one
    at a time, in order of their due time: in the thread that advances, or in the clock's own thread.
    What an action raises is handed to ``on_error`` and stops nothing.
    """

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        self._origin = start or datetime.now(UTC)
        self._real_origin = time.monotonic()
        self._speed = speed
        self._timers: list[_Timer] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._running = threading.RLock()
        self._closed = False
        self._thread: threading.Thread | None = None
        self.on_error: Callable[[BaseException], None] = _raise

    def now(self) -> datetime:
        """The sandbox's time."""
        passed = (time.monotonic() - self._real_origin) * self._speed
        return self._origin + timedelta(seconds=passed)

    def after(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Run ``action`` when that many sandbox seconds have passed. Returns at once, also for 0 seconds."""
        timer = Timer()

        def unless_cancelled() -> None:
            if not timer.cancelled:
                action()

        with self._changed:
            due = self.now() + timedelta(seconds=seconds)
            heapq.heappush(self._timers, _Timer(due, next(self._order), unless_cancelled))
            self._start_thread()
            self._changed.notify()
        return timer

    def every(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Run ``action`` again and again, with that many sandbox seconds between, until cancelled."""
        timer = Timer()

        def again() -> None:
            if timer.cancelled:
                return
            try:
                action()
            finally:
                self.after(seconds, again)

        self.after(seconds, again)
        return timer

    def advance(self, seconds: float) -> None:
        """Turn the clock forward; everything due on the way runs at its own time before this returns.

        Raises ValueError for negative seconds.
        """
        if seconds < 0:
            raise ValueError("the clock only turns forward")
        with self._running:
            goal = self.now() + timedelta(seconds=seconds)
            while timer := self._pop(goal):
                self._turn_to(timer.due)
                self._run(timer)
            self._turn_to(goal)

    def wait_idle(self, timeout: float = 5.0) -> bool:
        """Wait (real seconds) until nothing that is already due is left to run. False when time was up."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._running, self._changed:
                if not self._timers or self._timers[0].due > self.now():
                    return True
            time.sleep(0.001)
        return False

    def stop(self) -> None:
        """Forget what is pending; an action that is under way goes on."""
        with self._changed:
            self._closed = True
            self._timers.clear()
            self._changed.notify()

    def close(self) -> None:
        """Forget what is pending, and wait for the clock's thread to end."""
        self.stop()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _turn_to(self, moment: datetime) -> None:
        behind = (moment - self.now()).total_seconds()
        if behind > 0:
            with self._changed:
                self._origin += timedelta(seconds=behind)

    def _pop(self, goal: datetime) -> _Timer | None:
        with self._changed:
            if self._timers and self._timers[0].due <= goal:
                return heapq.heappop(self._timers)
        return None

    def _run(self, timer: _Timer) -> None:
        try:
            timer.action()
        except Exception as error:
            self.on_error(error)

    def _start_thread(self) -> None:
        if self._speed > 0 and self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._loop, name="sandbox-clock", daemon=True)
            self._thread.start()

    def _loop(self) -> None:
        while self._sleep_until_due():
            with self._running:
                timer = self._pop(self.now())
                if timer:
                    self._run(timer)

    def _sleep_until_due(self) -> bool:
        with self._changed:
            while not self._closed:
                if not self._timers:
                    self._changed.wait()
                    continue
                wait = (self._timers[0].due - self.now()).total_seconds() / self._speed
                if wait <= 0:
                    return True
                self._changed.wait(timeout=wait)
        return False


def _raise(error: BaseException) -> None:
    raise error
