"""Before anything is imported: no test may meet the profiles, keys and endpoints of whoever runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orgmon.rehearsal.environment import isolate

isolate()

WITH_SANDBOX = (Path(__file__).parent / "sandbox", Path(__file__).parent / "whole")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies in the folders of the embedded AWS starts one."""
    for item in items:
        if item.path.is_relative_to(WITH_SANDBOX[0]) or item.path.is_relative_to(WITH_SANDBOX[1]):
            item.add_marker("sandbox")
