"""Pages of lists. A token says where the next page begins."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, TypeVar

from orgmon.sandbox.calls import Refusal

Item = TypeVar("Item")


def page(items: Sequence[Item], token: str | None, size: int = 100) -> tuple[list[Item], dict[str, Any]]:
    """One page of ``items`` and the members that lead to the next page (none on the last one)."""
    start = _start(token) if token else 0
    chosen = list(items[start : start + size])
    following = start + size
    return chosen, {"NextToken": _token(following)} if following < len(items) else {}


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(f"from:{start}".encode()).decode()


def _start(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from:"))
    except ValueError as problem:
        raise Refusal("ValidationError", "Invalid NextToken") from problem
