"""accounts.yaml -> Config, or every problem of the file at once."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orgmon.config import positions
from orgmon.config.checks import check
from orgmon.config.messages import problem_of
from orgmon.config.model import Config
from orgmon.config.positions import Document
from orgmon.errors import ConfigError, Problem


def load(path: Path, today: datetime.date | None = None) -> Config:
    """Read a config. Raises ConfigError with all problems of the file, in order."""
    config, problems = _read(path, today, None)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def problems_of(
    path: Path, known_detections: Collection[str] | None = None, today: datetime.date | None = None
) -> tuple[Problem, ...]:
    """All problems of a file, in order. ``known_detections`` are the ids that may be switched off."""
    try:
        return _read(path, today, known_detections)[1]
    except ConfigError as error:
        return error.problems


def _read(
    path: Path, today: datetime.date | None, known_detections: Collection[str] | None
) -> tuple[Config | None, tuple[Problem, ...]]:
    document = positions.read(path)
    problems = list(document.problems)
    config = _validated(document, problems)
    if config is not None:
        moment = today or datetime.datetime.now(datetime.UTC).date()
        problems += check(config, document, path.parent, moment, known_detections)
    return config, tuple(sorted(set(problems)))


def _validated(document: Document, problems: list[Problem]) -> Config | None:
    data: Any = document.data
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        problems += [problem_of(mistake, document) for mistake in error.errors()]
        return None
