"""The ``orgmon:`` block of a rule file: what Sigma has no field for.

A file without the block is a rule of somebody else's: scope and flow follow from what it looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.detections.condition import Condition
from orgmon.detections.model import Drill, Example, Flow, LogSource, Runbook, Scope
from orgmon.detections.projection import sources_of
from orgmon.detections.sigma.faults import Faults

BLOCK = "orgmon"
KEYS = frozenset({"scope", "flow", "reads", "runbook", "controls", "drill", "examples"})
FLOWS = {
    "both": frozenset(Flow),
    "event": frozenset({Flow.EVENTS}),
    "metric": frozenset({Flow.METRICS}),
}
STEPS = 3
GLOBAL_SOURCES = frozenset({"aws.iam", "aws.organizations", "aws.cloudfront", "aws.route53"})


@dataclass(frozen=True)
class Extension:
    """The block as values. ``flows`` is None where the file names none."""

    scope: Scope
    flows: frozenset[Flow] | None
    runbook: Runbook
    controls: tuple[tuple[str, tuple[str, ...]], ...] = ()
    drill: Drill | None = None
    examples: tuple[Example, ...] = ()
    sample_values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reads: bool = False


def extension(
    block: object, condition: Condition, log_source: LogSource, meaning: str, faults: Faults
) -> Extension:
    """The block, or what stands for it where the file has none; ``meaning`` is then the runbook."""
    events_only = log_source is not LogSource.CLOUDTRAIL
    if block is None:
        flows = FLOWS["event"] if events_only else None
        return Extension(_scope_of(condition), flows, Runbook(meaning))
    entries = faults.mapping(BLOCK, block, KEYS)
    scope = faults.one_of(Scope, "scope", entries["scope"], Scope.REGIONAL) if "scope" in entries else None
    examples = faults.mapping(
        "examples", entries.get("examples", {}), frozenset({"match", "ignore", "values"})
    )
    return Extension(
        scope=scope or _scope_of(condition),
        flows=_flows(entries, faults, events_only=events_only),
        runbook=_runbook(entries["runbook"], faults) if "runbook" in entries else Runbook(meaning),
        controls=faults.lists("controls", entries.get("controls", {})),
        drill=_drill(entries["drill"], faults) if "drill" in entries else None,
        examples=_examples(examples, faults),
        sample_values=faults.lists("values", examples.get("values", {})),
        reads=faults.flag("reads", entries.get("reads", False)),
    )


def _scope_of(condition: Condition) -> Scope:
    sources = sources_of(condition)
    if sources and sources <= GLOBAL_SOURCES:
        return Scope.GLOBAL
    return Scope.SIGN_IN if sources == frozenset({"aws.signin"}) else Scope.REGIONAL


def _flows(block: Mapping[str, Any], faults: Faults, *, events_only: bool) -> frozenset[Flow] | None:
    if "flow" not in block:
        return FLOWS["event"] if events_only else None
    word = block["flow"]
    if not isinstance(word, str) or word not in FLOWS:
        faults.mistake("flow", f"flow is {word!r}", f"write one of {', '.join(FLOWS)}")
        return None
    if events_only and word != "event":
        faults.mistake("flow", "only CloudTrail's records reach a log group", "write flow: event")
    return FLOWS[word]


def _runbook(value: object, faults: Faults) -> Runbook:
    entries = faults.mapping("runbook", value, frozenset({"meaning", "steps", "close"}))
    steps = entries.get("steps")
    if not isinstance(steps, list) or len(steps) != STEPS or not all(isinstance(step, str) for step in steps):
        faults.mistake("steps", f"steps is not a list of {STEPS} sentences", "write the first three steps")
        steps = []
    meaning = faults.text("meaning", entries.get("meaning"))
    return Runbook(meaning, tuple(step.strip() for step in steps), faults.text("close", entries.get("close")))


def _drill(value: object, faults: Faults) -> Drill:
    entries = faults.mapping("drill", value, frozenset({"how", "why_not"}))
    said = {name: faults.text(name, entries[name]) for name in ("how", "why_not") if name in entries}
    if len(said) != 1:
        faults.mistake("drill", "drill says how or why not, one of the two", "write drill: {how: ...}")
    return Drill(**said)


def _examples(value: Mapping[str, Any], faults: Faults) -> tuple[Example, ...]:
    lists = [(value.get(name, []), name == "match") for name in ("match", "ignore")]
    if not all(isinstance(records, list) for records, _ in lists):
        faults.mistake("examples", "match or ignore is not a list", "write a list of records")
        return ()
    pairs = [(record, matches) for records, matches in lists for record in records]
    if not all(isinstance(record, Mapping) for record, _ in pairs):
        faults.mistake("examples", "an example is not a record", "write the record as a mapping")
        return ()
    return tuple(Example(record, matches) for record, matches in pairs)
