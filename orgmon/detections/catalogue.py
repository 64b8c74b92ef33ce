"""The detections that orgmon ships, and the user's own."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orgmon.alerting import Severity
from orgmon.detections.flows import settled
from orgmon.detections.meaning import resolve
from orgmon.detections.model import Detection, Scope
from orgmon.detections.secrecy import Filling
from orgmon.errors import DetectionError


@dataclass(frozen=True)
class Change:
    """What a user wants otherwise in a detection; None leaves it."""

    severity: Severity | None = None
    scope: Scope | None = None
    count: int | None = None
    seconds: int | None = None


def load(
    folder: Path | None = None, off: Collection[str] = (), changes: Mapping[str, Change] | None = None
) -> tuple[Detection, ...]:
    """The shipped detections and those of a folder, sorted by id, changed, without those switched off by id.

    Placeholders are still open. Raises DetectionError for all files that cannot be read or whose id is there
    already, for ids in ``off`` and ``changes`` that do not exist, and for a change of a threshold that is not there.
    """
    detections = [*shipped(), *(own(folder, off) if folder is not None else ())]
    known = {detection.id for detection in detections} | (
        {path.stem for path in own_files(folder)} if folder else set()
    )
    _check_known(off, known, "switch off")
    _check_known(changes or (), known, "change")
    wanted = sorted(
        (detection for detection in detections if detection.id not in off), key=lambda detection: detection.id
    )
    return tuple(_changed(detection, (changes or {}).get(detection.id, Change())) for detection in wanted)


def _changed(detection: Detection, change: Change) -> Detection:
    threshold = detection.threshold
    if change.count or change.seconds:
        if threshold is None:
            raise DetectionError(f"the detection {detection.id} has no threshold to change", "leave it out")
        count, seconds = change.count or threshold.count, change.seconds or threshold.seconds
        threshold = replace(threshold, count=count, seconds=seconds)
    return replace(
        detection,
        severity=change.severity or detection.severity,
        scope=change.scope or detection.scope,
        threshold=threshold,
    )


def resolved(detections: Iterable[Detection], fillings: Sequence[Filling]) -> tuple[Detection, ...]:
    """The detections with placeholders filled in, without those that cannot match for want of values."""
    return tuple(filled for detection in detections if (filled := resolve(detection, fillings)) is not None)


@functools.cache
def shipped() -> tuple[Detection, ...]:
    """The detections in this package."""
    from orgmon.detections.sigma.reader import read

    rules = importlib.resources.files("orgmon.detections") / "rules"
    files = sorted(
        (file for file in rules.iterdir() if file.name.endswith(".yml")), key=lambda file: file.name
    )
    return tuple(
        settled(read(file.read_text(encoding="utf-8"), file.name.removesuffix(".yml"), f"rules/{file.name}"))
        for file in files
    )


def own_files(folder: Path) -> tuple[Path, ...]:
    """The rule files in a user's folder, or the one file. Raises DetectionError where it is neither."""
    if folder.is_file():
        return (folder,)
    if not folder.is_dir():
        raise DetectionError(f"{folder} is not a folder of detections", "name a folder of Sigma files")
    return tuple(path for path in sorted(folder.rglob("*")) if path.suffix in (".yml", ".yaml"))


def usable(path: Path) -> Detection:
    """The detection in a file, with the flows that can carry it. Raises DetectionError with every mistake."""
    from orgmon.detections.sigma.reader import read_file

    return settled(read_file(path))


def own(folder: Path, off: Collection[str] = (), *, alone: bool = False) -> list[Detection]:
    """The detections in a user's folder; files switched off by their id are not read.

    ``alone`` says that the shipped ones are not used beside them, so that ids may be the same.
    Raises DetectionError with every mistake of every file.
    """
    origins = {} if alone else {detection.id: detection.origin for detection in shipped()}
    detections: list[Detection] = []
    errors: list[DetectionError] = []
    for path in own_files(folder):
        if path.stem in off:
            continue
        try:
            detections.append(_new(path, origins))
        except DetectionError as error:
            errors.append(error)
        origins.setdefault(path.stem, str(path))
    if errors:
        raise DetectionError.of(errors)
    return detections


def _new(path: Path, origins: Mapping[str, str]) -> Detection:
    """The detection in a file, whose id no other file may have."""
    if path.stem in origins:
        raise DetectionError(
            f"the detection {path.stem} is already in {origins[path.stem]}",
            "rename the file",
            file=str(path),
            line=1,
        )
    return usable(path)


def _check_known(ids: Collection[str], known: Collection[str], purpose: str) -> None:
    unknown = sorted(set(ids) - set(known))
    if unknown:
        raise DetectionError(
            f"there is no detection {', '.join(unknown)} to {purpose}", f"known: {', '.join(sorted(known))}"
        )
