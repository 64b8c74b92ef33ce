"""What can only be seen when the whole file is looked at."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path

from orgmon.config.model import Config
from orgmon.config.positions import Document
from orgmon.errors import Problem


def check(
    config: Config,
    document: Document,
    folder: Path,
    today: datetime.date,
    known_detections: Collection[str] | None,
) -> list[Problem]:
    """All problems between the parts of a file that are right each for itself."""
    return []
