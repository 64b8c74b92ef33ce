"""Lists in pages, and lists that lag behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.cloudformation.paging import page
from orgmon.sandbox.stacksets.checks import page_size
from orgmon.sandbox.stacksets.engine import StackSetEngine

Members = dict[str, Any]


class Lists:
    """Cuts lists into pages.

    Where the engine's ``stale_lists`` is on, a list that has changed is answered once more as it was before: the
    list calls are only eventually consistent.
    """

    def __init__(self, engine: StackSetEngine) -> None:
        self._engine = engine
        self._seen: dict[tuple[str, ...], list[Members]] = {}

    def answer(self, call: Call, about: str, summaries: Sequence[Members]) -> Members:
        """Output members ``Summaries`` and, where there are more, ``NextToken``. ``about`` names the list."""
        size = page_size(call.params)
        token = call.params.get("NextToken")
        listed = list(summaries)
        if self._engine.stale_lists and not token:
            listed = self._lagging(call, about, listed)
        chosen, more = page(listed, token, size)
        return {"Summaries": chosen, **more}

    def _lagging(self, call: Call, about: str, now: list[Members]) -> list[Members]:
        key = (call.account, call.operation, about)
        with self._engine.lock:
            before = self._seen.get(key, [])
            self._seen[key] = now
        return before if before != now else now
