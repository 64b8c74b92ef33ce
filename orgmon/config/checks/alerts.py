"""Alert routes, the trail's retention, and detections that are switched off."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from orgmon.alerting import Protocol, Severity
from orgmon.config.checks.subject import Subject, nearest
from orgmon.config.monitoring import TRAIL_RETENTION_DAYS
from orgmon.detections.catalogue import own_files
from orgmon.errors import Problem

SHAPES = {
    Protocol.EMAIL: (re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$"), "an e-mail address"),
    Protocol.HTTPS: (re.compile(r"^https://[^\s/]+\S*$"), "a URL that begins with https://"),
    Protocol.SQS: (
        re.compile(r"^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}$"),
        "the ARN of a queue",
    ),
}
# Somebody has to hear of these.
MUST_BE_ROUTED = (Severity.CRITICAL, Severity.HIGH)


def check(subject: Subject, folder: Path, known: Collection[str] | None) -> Iterator[Problem]:
    """Routes that lead nowhere, retention that CloudWatch does not have, detections that do not exist."""
    yield from _routes(subject)
    yield from _retention(subject)
    yield from _detections(subject, folder, known)


def _routes(subject: Subject) -> Iterator[Problem]:
    routes = subject.config.alerts.routes
    home = subject.config.organization.home_region
    routed = {severity for route in routes for severity in route.severities}
    for severity in MUST_BE_ROUTED:
        if severity not in routed:
            yield subject.problem(
                ("alerts", "routes"),
                f"{severity} alerts go nowhere",
                f"add a route for {severity}",
                at_key=True,
            )
    for number, route in enumerate(routes):
        where = ("alerts", "routes", number, "endpoint")
        shape, meaning = SHAPES[route.protocol]
        if not shape.match(route.endpoint):
            yield subject.problem(
                where, f"{route.endpoint} is not {meaning}", f"{route.protocol} needs {meaning}"
            )
        elif route.protocol is Protocol.SQS and route.endpoint.split(":")[3] != home:
            yield subject.problem(
                where,
                f"the queue is not in the home Region {home}, where the topics are",
                "name a queue there",
            )


def _retention(subject: Subject) -> Iterator[Problem]:
    days = subject.config.trail.retention_days
    if days not in TRAIL_RETENTION_DAYS:
        near = min(TRAIL_RETENTION_DAYS, key=lambda known: abs(known - days))
        yield subject.problem(
            ("trail", "retention_days"),
            f"CloudWatch Logs cannot keep events for {days} days",
            f"the nearest that it can is {near}",
        )
    locked, kept = subject.config.trail.object_lock_days, subject.config.trail.archive_days
    if locked is not None and locked > kept:
        yield subject.problem(
            ("trail", "object_lock_days"),
            f"files are locked for {locked} days and expire after {kept}",
            f"lock them for at most {kept} days, or raise trail.archive_days",
        )


def _detections(subject: Subject, folder: Path, known: Collection[str] | None) -> Iterator[Problem]:
    section = subject.config.detections
    if section.folder and not (folder / section.folder).is_dir():
        yield subject.problem(
            ("detections", "folder"),
            f"there is no folder {section.folder} beside this file",
            "make it, or correct it",
        )
    elif known is not None:
        own = own_files(folder / section.folder) if section.folder else ()
        names = sorted({*known, *(path.stem for path in own)})
        places: list[tuple[str, tuple[str | int, ...]]] = [
            *((name, ("detections", "disabled", number)) for number, name in enumerate(section.disabled)),
            *((name, ("detections", "overrides", name)) for name in section.overrides),
        ]
        for name, place in places:
            if name not in names:
                hint = nearest(name, names, f"known are {', '.join(names)}")
                yield subject.problem(place, f"there is no detection {name}", hint)
