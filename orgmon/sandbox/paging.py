"""Lists that AWS hands out page by page, where moto hands out everything at once."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.calls import Call, Refusal


@dataclass(frozen=True)
class Pages:
    """Cuts an answer into pages: an amendment of moto's answer, or of one of ours.

    ``member`` is the list in the answer, ``limit`` the parameter that asks for fewer than ``default``; ``token`` asks
    for the page that ``following`` announces. ``wrong`` are code and text of the refusal of a token that nobody gave.
    ``most`` is the longest page of operations that take a higher limit and do not keep to it.
    """

    member: str
    limit: str
    default: int
    token: str
    following: str
    wrong: tuple[str, str]
    most: int | None = None

    def __call__(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer with one page of the list. Raises Refusal for a token of another list, or of none."""
        items = list(answer.get(self.member) or [])
        start = self._start(call)
        size = int(call.params.get(self.limit) or self.default)
        end = start + min(size, self.most or size)
        page = {**answer, self.member: items[start:end], self.following: None}
        if end < len(items):
            page[self.following] = _token(call.operation, end)
        if "Truncated" in answer:
            page["Truncated"] = end < len(items)
        return page

    def _start(self, call: Call) -> int:
        token = call.params.get(self.token)
        if not token:
            return 0
        try:
            operation, _, start = base64.urlsafe_b64decode(str(token).encode()).decode().partition(":")
            if operation == call.operation:
                return int(start)
        except (binascii.Error, ValueError):
            pass
        raise Refusal(*self.wrong)


def _token(operation: str, start: int) -> str:
    return base64.urlsafe_b64encode(f"{operation}:{start}".encode()).decode()
