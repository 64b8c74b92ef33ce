"""The optional dependency of everything that needs the embedded AWS."""

from __future__ import annotations

from importlib.util import find_spec

from orgmon.errors import MissingExtraError


def require_sandbox() -> None:
    """Raises MissingExtraError where the extra ``sandbox`` is not installed."""
    if find_spec("moto") is None or find_spec("flask") is None:
        raise MissingExtraError("sandbox")
