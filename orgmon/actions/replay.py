"""A replay from the input's name to its report: which detections, which files, all of them read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orgmon.alerting import Severity
from orgmon.aws.objects import Objects, client_of, split
from orgmon.detections.catalogue import shipped
from orgmon.detections.model import Detection
from orgmon.errors import UsageError
from orgmon.recordings.buckets import fetched, listed
from orgmon.recordings.sources import Source, local, may_hold
from orgmon.recordings.work import Progress, collect
from orgmon.replay import selection
from orgmon.replay.report import ReplayReport, Unread, report
from orgmon.replay.scan import Rules
from orgmon.workspace import Workspace

S3 = "s3://"
SHOWN = 5
"""Reasons that are told where nothing can be replayed."""


@dataclass(frozen=True)
class Request:
    """What is to be replayed. ``processes`` is None for as many as are worth it."""

    path: str
    rules: Path | None = None
    since: str = ""
    until: str = ""
    ids: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    verify: bool = False
    processes: int | None = None


def replay(
    request: Request,
    workspace: Workspace | None = None,
    make_session: Callable[[str | None], Any] | None = None,
    progress: Callable[[Progress], None] = lambda progress: None,
) -> ReplayReport:
    """Read everything and report. Without a workspace the shipped detections are replayed, decoys left out.

    Raises UsageError, DetectionError, ConfigError and AwsError; input that cannot be read is in the report.
    """
    detections, others = _detections(request, workspace)
    rules = Rules(tuple(detections), time(request.since), time(request.until), request.verify)
    there, opened = _sources(request.path, workspace, make_session)
    kept = [source for source in there if may_hold(source.name, rules.since, rules.until)]
    total = sum(source.size for source in kept)
    collected = collect(opened(kept), rules, total=total, processes=request.processes, report=progress)
    return report(
        collected.tally,
        source=request.path,
        files=collected.files,
        files_left_out=len(there) - len(kept),
        bytes_read=collected.progress.done,
        unread=collected.unread,
        not_replayed=others,
    )


def _detections(request: Request, workspace: Workspace | None) -> tuple[list[Detection], list[Unread]]:
    """The detections that were asked for, and those that cannot be replayed."""
    refused: list[Unread] = []
    wanted: Iterable[Detection]
    if request.rules is not None:
        wanted, refused = selection.from_folder(request.rules)
    else:
        wanted = workspace.detections if workspace is not None else shipped()
    usable, others = selection.replayable(wanted, workspace.placeholders if workspace is not None else ())
    others = [*refused, *others]
    for ids in (request.ids, request.expected):
        selection.chosen(usable, ids, others)
    chosen = selection.chosen(usable, request.ids, others)
    if not chosen:
        reasons = "".join(f"\n  {other.name}: {other.reason}" for other in others[:SHOWN])
        raise UsageError(
            f"there is no detection to replay{reasons}", "name a folder of Sigma rules with --rules"
        )
    return chosen, others


def _sources(
    path: str, workspace: Workspace | None, make_session: Callable[[str | None], Any] | None
) -> tuple[list[Source], Callable[[list[Source]], Iterable[Source]]]:
    """What there is, and how it is opened."""
    if not path.startswith(S3):
        return local(path), lambda sources: sources
    bucket, prefix = split(path)
    sessions = workspace.sessions if workspace is not None else None
    objects = Objects(client_of(bucket, sessions, make_session), bucket, prefix)
    return listed(objects), functools.partial(fetched, objects)


def time(text: str) -> str:
    """A day or a time (UTC unless it says otherwise) as CloudTrail writes times. Raises UsageError."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text} is no time", "write 2026-11-27 or 2026-11-27T18:30:00Z") from error
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{utc:%Y-%m-%dT%H:%M:%SZ}"


def complaints(report: ReplayReport, fail_on: Severity | None, expected: Sequence[str]) -> tuple[str, ...]:
    """What was asked to be told by the exit code: hits so severe, detections that stayed silent, disagreements."""
    order = list(Severity)
    severe = [
        detection.id
        for detection in report.detections
        if fail_on is not None and detection.hits and order.index(detection.severity) <= order.index(fail_on)
    ]
    silent = [detection for detection in dict.fromkeys(expected) if not report.alerted(detection)]
    told = [f"hit: {', '.join(severe)}"] if severe else []
    told += [f"stayed silent: {', '.join(silent)}"] if silent else []
    if report.disagreements:
        told.append(f"{report.disagreements:,} disagreements between the replay and what goes to AWS")
    return tuple(told)
