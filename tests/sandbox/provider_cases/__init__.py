"""One case a resource type: made, looked at with the service's own API, changed, looked at again, removed."""

from __future__ import annotations

from .case import Case
from .compute import COMPUTE
from .messaging import MESSAGING
from .storage import STORAGE

CASES: tuple[Case, ...] = (*COMPUTE, *MESSAGING, *STORAGE)
__all__ = ["CASES", "Case"]
