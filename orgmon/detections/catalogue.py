"""The detections that orgmon ships, and the user's own."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from orgmon.detections.meaning import resolve
from orgmon.detections.model import Detection
from orgmon.errors import DetectionError


def load(folder: Path | None = None, off: Collection[str] = ()) -> tuple[Detection, ...]:
    """The shipped detections and those of a folder, sorted by id, without those switched off by id.

    Placeholders are still open. Raises DetectionError for a file that cannot be read, an id that is there twice,
    and an id in ``off`` that does not exist.
    """
    found = [*shipped(), *(_own(folder) if folder is not None else ())]
    _check_ids(found, off)
    return tuple(sorted((one for one in found if one.id not in off), key=lambda one: one.id))


def resolved(detections: Iterable[Detection], values: Mapping[str, tuple[str, ...]]) -> tuple[Detection, ...]:
    """The detections with placeholders filled in, without those for which there is no value."""
    return tuple(filled for one in detections if (filled := resolve(one, values)) is not None)


@functools.cache
def shipped() -> tuple[Detection, ...]:
    """The detections in this package."""
    from orgmon.detections.sigma import read

    rules = importlib.resources.files("orgmon.detections") / "rules"
    files = sorted(
        (file for file in rules.iterdir() if file.name.endswith(".yml")), key=lambda file: file.name
    )
    return tuple(
        read(file.read_text(encoding="utf-8"), file.name.removesuffix(".yml"), f"rules/{file.name}")
        for file in files
    )


def _own(folder: Path) -> Iterable[Detection]:
    from orgmon.detections.sigma import read_file

    if not folder.is_dir():
        raise DetectionError(f"{folder} is not a folder of detections", "name a folder of Sigma files")
    return [read_file(path) for path in sorted(folder.iterdir()) if path.suffix in (".yml", ".yaml")]


def _check_ids(detections: Iterable[Detection], off: Collection[str]) -> None:
    origins: dict[str, str] = {}
    for one in detections:
        if one.id in origins:
            raise DetectionError(
                f"{one.origin}:1: the detection {one.id} is already in {origins[one.id]}", "rename the file"
            )
        origins[one.id] = one.origin
    for unknown in sorted(set(off) - origins.keys()):
        raise DetectionError(
            f"there is no detection {unknown} to switch off", f"known: {', '.join(sorted(origins))}"
        )
