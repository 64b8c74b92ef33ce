"""The nouns of a detection."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgmon.alerting import Severity
from orgmon.detections.condition import Condition, Matches, Placeholder, tests_of
from orgmon.detections.projection import matches_reads
from orgmon.errors import Problem


class Scope(enum.StrEnum):
    """Where the events of a detection appear."""

    REGIONAL = "regional"
    """Every Region."""
    GLOBAL = "global"
    """us-east-1 only: IAM, Organizations."""
    SIGN_IN = "sign-in"
    """The Regions of console sign-in: us-east-1, us-east-2, eu-north-1, ap-southeast-2 and regional endpoints."""
    MANAGEMENT = "management"
    """us-east-1 of the management account only: the organization itself."""


class Flow(enum.StrEnum):
    """By which way a detection can alert."""

    METRICS = "metric"
    """Log group, metric filter, alarm."""
    EVENTS = "event"
    """Forwarding rule, hub bus, hub rule."""


class LogSource(enum.StrEnum):
    """Sigma's ``logsource.service``: what the records are. Only CloudTrail's reach log groups."""

    CLOUDTRAIL = "cloudtrail"
    GUARDDUTY = "guardduty"
    SECURITY_HUB = "securityhub"
    SECURITY_HUB_V2 = "securityhub_v2"


class RuleState(enum.StrEnum):
    """``AWS::Events::Rule.State``. A plain rule never sees calls named List, Get or Describe."""

    ENABLED = "ENABLED"
    ENABLED_WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


@dataclass(frozen=True)
class Threshold:
    """At least ``count`` matching records within ``seconds``, counted apart for each value of ``group_by`` fields."""

    count: int
    seconds: int
    group_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runbook:
    """What an alert means, what to do first, and when it can be closed."""

    meaning: str
    steps: tuple[str, ...] = ()
    close: str = ""

    def __str__(self) -> str:
        steps = [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        return " ".join(part for part in (self.meaning, *steps) if part)


@dataclass(frozen=True)
class Drill:
    """How to set a detection off safely, or why that is not done. One of the two is said."""

    how: str = ""
    why_not: str = ""


@dataclass(frozen=True)
class Example:
    """A CloudTrail record and whether the detection must match it."""

    record: Mapping[str, Any]
    matches: bool


@dataclass(frozen=True)
class Detection:
    """One thing to look for. ``id`` is the name of its file without the suffix.

    ``declares_reads`` says that the file means to take List, Get or Describe calls, ``flows_are_open`` that it names no
    flows: those count whose language can say the condition. ``sigma_id``, ``status``, ``author``, ``references``,
    ``falsepositives`` and ``tags`` are Sigma's own fields. ``controls`` maps a catalogue of controls to its numbers.
    ``sample_values`` are values of placeholders for the examples only. ``warnings`` are what may be wrong in
    ``origin``, ``lines`` where a field is first named in it, ``text`` is the whole file.
    """

    id: str
    title: str
    description: str
    severity: Severity
    condition: Condition
    scope: Scope
    runbook: Runbook
    flows: frozenset[Flow] = frozenset(Flow)
    flows_are_open: bool = False
    declares_reads: bool = False
    log_source: LogSource = LogSource.CLOUDTRAIL
    tags: tuple[str, ...] = ()
    controls: tuple[tuple[str, tuple[str, ...]], ...] = ()
    threshold: Threshold | None = None
    drill: Drill | None = None
    examples: tuple[Example, ...] = ()
    sample_values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sigma_id: str = ""
    status: str = ""
    author: str = ""
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    origin: str = ""
    warnings: tuple[Problem, ...] = field(default=(), compare=False, repr=False)
    lines: tuple[tuple[str, int], ...] = field(default=(), compare=False, repr=False)
    text: str = field(default="", compare=False, repr=False)

    @property
    def needs_reads(self) -> bool:
        """Whether it takes read-only calls that a rule in the state ENABLED never sees."""
        return matches_reads(self.condition)

    @property
    def placeholders(self) -> frozenset[str]:
        """The names whose values are not filled in yet."""
        return frozenset(test.name for test in tests_of(self.condition) if isinstance(test, Placeholder))

    @property
    def secrets(self) -> frozenset[str]:
        """What it tells that no member account may know."""
        return frozenset(
            test.secret for test in tests_of(self.condition) if isinstance(test, Matches) and test.secret
        )

    @property
    def is_secret(self) -> bool:
        """Whether it tells a secret, or may once its placeholders are filled in; then no member stack has it."""
        return bool(self.secrets or self.placeholders)

    def line_of(self, path: str) -> int:
        """The line of the file that first names a field; 0 when it is not known."""
        return dict(self.lines).get(path, 0)


@dataclass(frozen=True)
class MetricFilter:
    """What ``AWS::Logs::MetricFilter`` needs of a detection: the filter pattern, and a name for it.

    ``name`` is the detection's id, with a number when one pattern would be too long. All of a detection's filters
    belong to one metric. The pattern is sealed where it tells a secret.
    """

    name: str
    pattern: str
    detection: str


@dataclass(frozen=True)
class EventRule:
    """What ``AWS::Events::Rule`` needs: the pattern as parsed JSON, and the state.

    ``name`` is unique among the rules made together: the detection's id, with a number when it needs several, or
    the name of a forwarding group. ``detection`` is empty for a forwarding rule. ``recheck`` says that the
    pattern takes more than the detection, so that each event has to be looked at again. The texts of a pattern
    that tells a secret are sealed.
    """

    name: str
    pattern: Mapping[str, Any] = field(hash=False)
    state: RuleState
    detection: str = ""
    recheck: bool = False
