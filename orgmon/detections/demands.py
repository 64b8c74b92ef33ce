"""What a rule file has to have besides a condition that can be compiled.

Of any rule, a user's too: an example that it must match and one that it must ignore, because nothing is proved
without. Of a rule that orgmon ships also what makes it useful to a stranger at night; users keep their own style.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from orgmon import filterpattern
from orgmon.alerting import Severity
from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.model import Detection, Flow, LogSource
from orgmon.detections.sigma.extension import STEPS
from orgmon.errors import DetectionError, Problem

EXAMPLES = 2
"""Examples of each kind in a rule that orgmon ships: one alone is too easily the one that the rule was written to."""

TECHNIQUE = re.compile(r"attack\.t\d{4}(\.\d{3})?")
TAG = re.compile(r"attack\.(t\d{4}(\.\d{3})?|[a-z-]+)")


@dataclass(frozen=True)
class Demand:
    """Something that a rule has to have. ``key`` is where in the file it stands, or should."""

    key: str
    is_met: Callable[[Detection], bool]
    what: str
    remedy: str

    def problem(self, detection: Detection) -> Problem:
        """How the rule is told that it lacks this."""
        return Problem(detection.origin, detection.line_of(self.key) or 1, 1, self.what, self.remedy)


def _has(matches: bool, count: int) -> Callable[[Detection], bool]:
    return lambda detection: sum(example.matches is matches for example in detection.examples) >= count


def takes_reads(detection: Detection) -> bool:
    """Whether members forward List, Get and Describe calls for it, of which there are very many."""
    by_events = Flow.EVENTS in detection.flows and detection.log_source is LogSource.CLOUDTRAIL
    return by_events and detection.needs_reads


def _is_plain(detection: Detection) -> bool:
    """Whether its metric filters do without regular expressions; what cannot be compiled is told elsewhere."""
    if Flow.METRICS not in detection.flows or detection.placeholders:
        return True
    try:
        filters = metric_filters(detection)
    except DetectionError:
        return True
    return not any(filterpattern.parse(metric_filter.pattern).body.regexes() for metric_filter in filters)


OF_ANY = (
    Demand(
        "examples", _has(True, 1), "no example that it must match", "write one under orgmon: examples: match"
    ),
    Demand(
        "examples",
        _has(False, 1),
        "no example that it must ignore",
        "write one under orgmon: examples: ignore",
    ),
)

OF_OURS = (
    Demand("id", lambda rule: bool(rule.sigma_id), "no id", "write id: and a new UUID (python -m uuid)"),
    Demand(
        "status",
        lambda rule: rule.status == "stable",
        "the status is not stable",
        "write status: stable; a rule that is not yet may wait in a folder of yours",
    ),
    Demand(
        "description",
        lambda rule: bool(rule.description),
        "no description",
        "say what happens and what is left out",
    ),
    Demand("author", lambda rule: bool(rule.author), "no author", "write author: and who you are"),
    Demand(
        "falsepositives",
        lambda rule: bool(rule.falsepositives),
        "no false positives",
        "list who does this with good reason, or write that nobody does",
    ),
    Demand(
        "tags",
        lambda rule: any(TECHNIQUE.fullmatch(tag) for tag in rule.tags),
        "no technique of ATT&CK",
        "add a tag such as attack.t1562.008",
    ),
    Demand(
        "tags",
        lambda rule: all(TAG.fullmatch(tag) for tag in rule.tags),
        "a tag that is no tactic and no technique of ATT&CK",
        "write attack.defense-evasion or attack.t1562.008",
    ),
    Demand(
        "runbook",
        lambda rule: len(rule.runbook.steps) == STEPS and bool(rule.runbook.close),
        "no whole runbook",
        f"write orgmon: runbook: with meaning, {STEPS} steps and close",
    ),
    Demand(
        "controls",
        lambda rule: bool(rule.controls),
        "no controls that it serves",
        "write orgmon: controls: with a catalogue of controls and its numbers",
    ),
    Demand(
        "drill",
        lambda rule: rule.drill is not None,
        "no drill",
        "write orgmon: drill: {how: ...} or {why_not: ...}",
    ),
    Demand(
        "examples",
        _has(True, EXAMPLES),
        f"fewer than {EXAMPLES} examples that it must match",
        "add one that differs in a field that the condition names",
    ),
    Demand(
        "examples",
        _has(False, EXAMPLES),
        f"fewer than {EXAMPLES} examples that it must ignore",
        "add one that differs from a match in a single field",
    ),
    Demand(
        "eventName",
        lambda rule: rule.declares_reads or not takes_reads(rule),
        "it takes List, Get or Describe calls, which every member then forwards",
        "name the calls that are meant, or write orgmon: reads: true",
    ),
    Demand(
        "reads",
        lambda rule: takes_reads(rule) or not rule.declares_reads,
        "it declares reads and takes none",
        "remove reads: true",
    ),
    Demand(
        "flow",
        lambda rule: (
            rule.severity is not Severity.CRITICAL
            or (rule.flows == frozenset(Flow) and rule.threshold is None)
        ),
        "it is critical and does not alert by both flows",
        "write flow: both, without a threshold, or another level",
    ),
    Demand(
        "detection",
        _is_plain,
        "its metric filter needs a regular expression, and a log group takes five",
        "use startswith, endswith or contains",
    ),
)


def lacking(detection: Detection, ours: Sequence[Detection] = ()) -> tuple[Problem, ...]:
    """What a rule lacks; ``ours`` are the rules that orgmon ships, of which more is asked."""
    if detection not in ours:
        return tuple(demand.problem(detection) for demand in OF_ANY if not demand.is_met(detection))
    return tuple(_lacking_of_ours(detection, ours))


def _lacking_of_ours(detection: Detection, ours: Sequence[Detection]) -> Iterator[Problem]:
    yield from (demand.problem(detection) for demand in OF_OURS if not demand.is_met(detection))
    twins = [other.id for other in ours if other.sigma_id == detection.sigma_id and other.id != detection.id]
    if detection.sigma_id and twins:
        what = f"its id is that of {', '.join(twins)}"
        yield Demand("id", bool, what, "write a new UUID (python -m uuid)").problem(detection)
