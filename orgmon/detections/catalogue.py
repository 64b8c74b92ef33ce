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

    Placeholders are still open. Raises DetectionError for all files that cannot be read or whose id is there
    already, and for the ids in ``off`` that do not exist.
    """
    found = [*shipped(), *(_own(folder) if folder is not None else ())]
    _check_off(off, {one.id for one in found})
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


def own_files(folder: Path) -> tuple[Path, ...]:
    """The rule files in a user's folder. Raises DetectionError where it is none."""
    if not folder.is_dir():
        raise DetectionError(f"{folder} is not a folder of detections", "name a folder of Sigma files")
    return tuple(path for path in sorted(folder.iterdir()) if path.suffix in (".yml", ".yaml"))


def _own(folder: Path) -> list[Detection]:
    origins = {one.id: one.origin for one in shipped()}
    found: list[Detection] = []
    errors: list[DetectionError] = []
    for path in own_files(folder):
        try:
            found.append(_new(path, origins))
        except DetectionError as error:
            errors.append(error)
        origins.setdefault(path.stem, str(path))
    if errors:
        raise errors[0] if len(errors) == 1 else DetectionError.of(errors)
    return found


def _new(path: Path, origins: Mapping[str, str]) -> Detection:
    """The detection in a file, whose id no other file may have."""
    from orgmon.detections.sigma import read_file

    if path.stem in origins:
        raise DetectionError(
            f"the detection {path.stem} is already in {origins[path.stem]}",
            "rename the file",
            file=str(path),
            line=1,
        )
    return read_file(path)


def _check_off(off: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(off) - set(known))
    if unknown:
        raise DetectionError(
            f"there is no detection {', '.join(unknown)} to switch off", f"known: {', '.join(sorted(known))}"
        )
