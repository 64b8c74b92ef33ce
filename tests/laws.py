"""How many examples a law is tried with: some each time, many by `make fuzz`."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("ORGMON_LAWS", "1"))


def examples(number: int) -> int:
    """So many examples, times what the environment asks for."""
    return number * TIMES
