"""What becomes of a rule file of somebody else's: exact, superset or refused, for each flow, and why."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from orgmon.detections.catalogue import own_files, usable
from orgmon.detections.codes import Code
from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.forwarding import forwarding
from orgmon.detections.model import Detection, Flow, RuleState
from orgmon.errors import DetectionError, Problem


class Verdict(enum.StrEnum):
    """How much of a rule a compiled form says."""

    EXACT = "exact"
    SUPERSET = "superset"
    """The form takes more; the hub looks at each event again."""
    REFUSED = "refused"
    COUNTED = "counted"
    """A threshold has no rule on the bus; the members' alarms count what is forwarded."""


@dataclass(frozen=True)
class FileVerdict:
    """What becomes of one file. ``detection`` is None where it cannot be read at all."""

    path: str
    detection: Detection | None
    metric: Verdict
    event: Verdict
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether a flow can carry it."""
        return self.detection is not None


def files_of(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The rule files among paths, folders opened. Raises DetectionError where a path does not exist."""
    files: list[Path] = []
    for path in paths:
        files += own_files(path) if not path.is_file() else [path]
    return tuple(dict.fromkeys(files))


def judge(path: Path) -> FileVerdict:
    """Read one file and compile it for both flows, whatever flows it asks for."""
    try:
        detection = usable(path)
    except DetectionError as error:
        return FileVerdict(str(path), None, Verdict.REFUSED, Verdict.REFUSED, error.problems)
    both = replace(detection, flows=frozenset(Flow))
    metric, why_metric = _metric(both)
    event, why_event = _event(both)
    warnings = (*detection.warnings, *_reads(both, event))
    return FileVerdict(str(path), detection, metric, event, (*why_metric, *why_event), warnings)


def _reads(detection: Detection, event: Verdict) -> tuple[Problem, ...]:
    """The warning that a rule takes read-only calls, of which there are many."""
    if event in (Verdict.REFUSED, Verdict.COUNTED) or not detection.needs_reads:
        return ()
    what = f"it can match List, Get or Describe calls: its rules get the state {RuleState.ENABLED_WITH_READS}"
    line = detection.line_of("eventName") or 1
    return (Problem(detection.origin, line, 1, f"{what} [{Code.READS}]", "name the calls that are meant"),)


def _metric(detection: Detection) -> tuple[Verdict, tuple[Problem, ...]]:
    try:
        metric_filters(detection)
    except DetectionError as error:
        return Verdict.REFUSED, error.problems
    return Verdict.EXACT, ()


def _event(detection: Detection) -> tuple[Verdict, tuple[Problem, ...]]:
    try:
        forwarding((detection,))
        rules = event_rules(detection)
    except DetectionError as error:
        return Verdict.REFUSED, error.problems
    if not rules:
        return Verdict.COUNTED, ()
    return (Verdict.SUPERSET if any(rule.recheck for rule in rules) else Verdict.EXACT), ()
