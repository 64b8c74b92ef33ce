"""ARNs, taken apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Arn:
    """``arn:partition:service:region:account:local``."""

    text: str
    service: str
    region: str
    account: str
    local: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """The parts of an ARN. Raises ValueError for what is none."""
        parts = text.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn":
            raise ValueError(f"{text!r} is no ARN")
        return cls(text, parts[2], parts[3], parts[4], parts[5])
