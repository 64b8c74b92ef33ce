"""What has to be so before the embedded AWS is imported: its optional dependency, and no way to the real AWS."""

from __future__ import annotations

from importlib.util import find_spec

from orgmon.errors import MissingExtraError
from orgmon.rehearsal.environment import isolate


def require_sandbox() -> None:
    """Make this process ready to hold the embedded AWS.

    Raises MissingExtraError where the extra ``sandbox`` is not installed.
    """
    if find_spec("moto") is None or find_spec("flask") is None:
        raise MissingExtraError("sandbox")
    isolate()
