"""Which detections are replayed, and why others are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from orgmon.detections.catalogue import own_files, usable
from orgmon.detections.meaning import resolve
from orgmon.detections.model import Detection, LogSource
from orgmon.detections.secrecy import Filling
from orgmon.errors import DetectionError, UsageError
from orgmon.replay.report import Unread


def from_folder(folder: Path) -> tuple[list[Detection], list[Unread]]:
    """The Sigma rules of a folder that orgmon can read, and what the others lack. Raises DetectionError for no folder.

    Of files with the same name the first counts.
    """
    detections: list[Detection] = []
    refused: list[Unread] = []
    known: set[str] = set()
    for path in own_files(folder):
        if path.stem in known:
            refused.append(Unread(str(path), "another file has this name"))
            continue
        known.add(path.stem)
        try:
            detections.append(usable(path))
        except DetectionError as error:
            refused.append(Unread(str(path), "; ".join(problem.what for problem in error.problems)))
    return detections, refused


def replayable(
    detections: Iterable[Detection], fillings: Sequence[Filling]
) -> tuple[list[Detection], list[Unread]]:
    """Those that records of CloudTrail can hit, with placeholders filled in, and why the others cannot.

    Placeholders without values that only except something except nothing.
    """
    kept: list[Detection] = []
    others: list[Unread] = []
    for detection in detections:
        if detection.log_source is not LogSource.CLOUDTRAIL:
            others.append(Unread(detection.id, f"it looks at findings of {detection.log_source}"))
        elif (filled := resolve(detection, fillings)) is None:
            names = ", ".join(sorted(detection.placeholders))
            others.append(Unread(detection.id, f"no values for {names}: name an accounts.yaml with --config"))
        else:
            kept.append(filled)
    return kept, others


def chosen(detections: Sequence[Detection], ids: Sequence[str], others: Sequence[Unread]) -> list[Detection]:
    """Only those of some ids; without ids all. Raises UsageError for ids that do not exist or are not replayed."""
    known = {detection.id for detection in detections}
    reasons = {other.name: other.reason for other in others}
    for name in ids:
        if name not in known and name in reasons:
            raise UsageError(f"the detection {name} cannot be replayed", reasons[name])
        if name not in known:
            raise UsageError(f"there is no detection {name}", f"known: {', '.join(sorted(known))}")
    return [detection for detection in detections if not ids or detection.id in ids]
