"""The accounts.yaml that orgmon ships, as packaged."""

from __future__ import annotations

from importlib.resources import files


def sample() -> str:
    """Its text; the same as accounts.yaml in the project's folder."""
    return files("orgmon.config").joinpath("sample.yaml").read_text(encoding="utf-8")
