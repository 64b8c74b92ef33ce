"""How the work on one instance ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class End(Enum):
    """How the work on one instance ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class Outcome:
    """The end of the work on one instance. ``stack_id``: of the stack that was made, if one was.

    ``stack_is_there`` says whether the instance has a living stack now. ``took_time``: something was really done.
    """

    end: End
    reason: str = ""
    stack_id: str = ""
    stack_is_there: bool = False
    took_time: bool = True
    is_inoperable: bool = False
