"""Sigma rule files to detections. The only place that knows pySigma, which is imported when a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orgmon.detections.condition import All, Condition, Either, Not, tests_of
from orgmon.detections.fields import Kind, field_type, nearest
from orgmon.detections.model import Detection, Example, Flow, Regions, Severity, Threshold
from orgmon.detections.positions import first_lines
from orgmon.detections.sigma_values import test
from orgmon.errors import DetectionError

REMEDY = "see the shipped rules for the form"


def read(text: str, detection_id: str, origin: str) -> Detection:
    """One Sigma file as a detection; ``origin`` is its name in messages.

    A second document of the type ``event_count`` is the threshold. Raises DetectionError with ``origin:line``.
    """
    lines = first_lines(text, origin)
    rule, correlation = _documents(text, origin)
    custom = rule.custom_attributes or {}
    reader = _Reader(origin, lines)
    return Detection(
        id=detection_id,
        title=rule.title,
        description=str(rule.description or "").strip(),
        severity=reader.one_of(Severity, "level", rule.level.name.lower() if rule.level else None),
        condition=reader.condition(rule),
        regions=reader.one_of(Regions, "regions", custom.get("regions")),
        runbook=reader.text("runbook", custom.get("runbook")),
        flows=reader.flows(custom.get("flows", list(Flow))),
        tags=tuple(str(tag) for tag in rule.tags),
        controls=reader.controls(custom.get("controls", {})),
        threshold=reader.threshold(correlation) if correlation is not None else None,
        examples=reader.examples(custom.get("examples", {})),
        sample_values=reader.sample_values(custom.get("examples", {})),
        origin=origin,
        lines=tuple(sorted(lines.items())),
    )


def read_file(path: Path) -> Detection:
    """The file as a detection whose id is the file's name without the suffix."""
    try:
        return read(path.read_text(encoding="utf-8"), path.stem, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DetectionError(
            f"cannot be read: {error}", "give a readable UTF-8 file", file=str(path), line=1
        ) from error


def _documents(text: str, origin: str) -> tuple[Any, Any]:
    """The rule and the correlation, if there is one."""
    from sigma.collection import SigmaCollection
    from sigma.correlations import SigmaCorrelationRule
    from sigma.exceptions import SigmaError

    try:
        collection = SigmaCollection.from_yaml(text)
    except (SigmaError, AttributeError, TypeError, ValueError) as error:
        raise DetectionError(f"not a Sigma rule: {error}", REMEDY, file=origin, line=1) from error
    rules = [rule for rule in collection.rules if not isinstance(rule, SigmaCorrelationRule)]
    correlations = [rule for rule in collection.rules if isinstance(rule, SigmaCorrelationRule)]
    if len(rules) != 1 or len(correlations) > 1:
        raise DetectionError(
            "a file holds one rule and at most one correlation", "use a file a rule", file=origin, line=1
        )
    return rules[0], correlations[0] if correlations else None


class _Reader:
    """Reads the parts of one file, so that every error says where."""

    def __init__(self, origin: str, lines: Mapping[str, int]) -> None:
        self.origin, self.lines = origin, lines

    def error(self, key: str, what: str, remedy: str = REMEDY) -> DetectionError:
        """The error at the line of a key."""
        return DetectionError(what, remedy, file=self.origin, line=self.lines.get(key, 1))

    def one_of(self, kind: Any, key: str, value: object) -> Any:
        """The member of an enum."""
        try:
            return kind(value)
        except ValueError as error:
            allowed = ", ".join(str(one) for one in kind)
            raise self.error(key, f"{key} is {value!r}", f"write one of {allowed}") from error

    def text(self, key: str, value: object) -> str:
        """A text that must be there."""
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"{key} is missing", f"write a line of text under {key}")
        return value.strip()

    def flows(self, value: object) -> frozenset[Flow]:
        """The flows that alert."""
        if not isinstance(value, list):
            raise self.error("flows", "flows is not a list", f"write flows: [{', '.join(Flow)}]")
        return frozenset(self.one_of(Flow, "flows", flow) for flow in value)

    def controls(self, value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Catalogues of controls and their numbers."""
        if not isinstance(value, Mapping) or not all(isinstance(numbers, list) for numbers in value.values()):
            raise self.error(
                "controls", "controls is not a mapping of lists", 'write controls: {cis-aws: ["4.3"]}'
            )
        return tuple(
            (str(name), tuple(str(number) for number in value[name])) for name in sorted(value, key=str)
        )

    def examples(self, value: object) -> tuple[Example, ...]:
        """Records that must match and records that must not."""
        if not isinstance(value, Mapping) or value.keys() - {"match", "ignore", "values"}:
            raise self.error("examples", "examples holds other things than match, ignore, values")
        lists = [(value.get(name, []), name == "match") for name in ("match", "ignore")]
        if not all(isinstance(records, list) for records, _ in lists):
            raise self.error("examples", "match or ignore is not a list", "write a list of records")
        found = [(record, matches) for records, matches in lists for record in records]
        if not all(isinstance(record, Mapping) for record, _ in found):
            raise self.error(
                "examples", "an example is not a CloudTrail record", "write the record as a mapping"
            )
        return tuple(Example(record, matches) for record, matches in found)

    def sample_values(self, value: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Values of placeholders for the examples."""
        values = value.get("values", {})
        if not isinstance(values, Mapping) or not all(isinstance(found, list) for found in values.values()):
            raise self.error("examples", "values is not a mapping of lists", "write values: {name: [value]}")
        return tuple((str(name), tuple(str(one) for one in values[name])) for name in sorted(values, key=str))

    def threshold(self, correlation: Any) -> Threshold:
        """How many events in which time."""
        kind, operator = correlation.type.name.lower(), correlation.condition.op.name.lower()
        if kind != "event_count" or correlation.group_by:
            raise self.error(
                "correlation", f"a correlation {kind} with or without group-by", "count events, ungrouped"
            )
        if operator not in ("gte", "gt"):
            raise self.error("correlation", f"the comparison {operator}", "use gte: an alarm counts upwards")
        seconds = int(correlation.timespan.seconds)
        if seconds % 60 or seconds > 86_400:
            raise self.error("timespan", f"a timespan of {seconds} s", "use whole minutes, at most a day")
        return Threshold(int(correlation.condition.count) + (operator == "gt"), seconds)

    def condition(self, rule: Any) -> Condition:
        """The rule's conditions; several are alternatives."""
        from sigma.exceptions import SigmaError

        try:
            trees = [one.parsed for one in rule.detection.parsed_condition]
        except (SigmaError, AttributeError, TypeError) as error:
            # pySigma looks into whatever stands there as if it were text.
            raise self.error("condition", f"the condition cannot be read: {error}") from error
        parts = tuple(self.tree(tree) for tree in trees)
        found = parts[0] if len(parts) == 1 else Either(parts)
        for one in tests_of(found):
            self.check_field(one.field)
        return found

    def tree(self, node: Any) -> Condition:
        """A node of pySigma's tree."""
        from sigma.conditions import (
            ConditionAND,
            ConditionFieldEqualsValueExpression,
            ConditionNOT,
            ConditionOR,
        )

        if isinstance(node, ConditionNOT):
            return Not(self.tree(node.args[0]))
        if isinstance(node, ConditionAND | ConditionOR):
            parts = tuple(self.tree(part) for part in node.args)
            return All(parts) if isinstance(node, ConditionAND) else Either(parts)
        if not isinstance(node, ConditionFieldEqualsValueExpression):
            raise self.error("condition", "keywords without a field", "name the field of the record")
        self.check_field(node.field)
        try:
            return test(node.field, node.value)
        except DetectionError as error:
            raise self.error(node.field, error.what, error.remedy) from error

    def check_field(self, path: str) -> None:
        """The field must be one that can be compared."""
        kind = field_type(path)
        if kind is None:
            close = nearest(path)
            raise self.error(
                path,
                f"no CloudTrail record has the field {path}",
                f"write {close}" if close else "correct the name",
            )
        if kind.kind is Kind.OBJECT:
            raise self.error(path, f"{path} is an object and cannot be compared", "name a field inside it")
