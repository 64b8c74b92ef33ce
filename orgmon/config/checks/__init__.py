"""What can only be seen when the whole file is looked at. A check is a function that yields problems."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path

from orgmon.config.checks import accounts, alerts, decoys, regions, rollout
from orgmon.config.checks.subject import Subject
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
    """All problems between the parts of a file that are right each for itself.

    ``folder`` is where the file lies, ``known_detections`` the ids that can be switched off (None: not checked).
    """
    subject = Subject(config, document)
    return [
        *accounts.check(subject, today),
        *regions.check(subject),
        *rollout.check(subject),
        *alerts.check(subject, folder, known_detections),
        *decoys.check(subject),
    ]
