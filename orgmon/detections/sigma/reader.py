"""A Sigma rule file to a detection."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from orgmon.alerting import Severity
from orgmon.detections.codes import Code
from orgmon.detections.condition import All, Condition, Either, Not, either, tests_of
from orgmon.detections.fields import Kind, field_type, nearest
from orgmon.detections.model import Detection, Flow, LogSource
from orgmon.detections.sigma.extension import BLOCK, extension
from orgmon.detections.sigma.faults import REMEDY, Faults
from orgmon.detections.sigma.rule_file import documents_and_lines
from orgmon.detections.sigma.thresholds import threshold
from orgmon.detections.sigma.values import Doubt, condition_of
from orgmon.errors import DetectionError

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,57}")
"""What names of AWS::Events::Rule take, with room for a number."""

LISTS = ("falsepositives", "references", "fields")
COUNTING = (
    "count in a second document, a correlation of type event_count: `orgmon detections show secret-bulk-read`"
)


def read(text: str, detection_id: str, origin: str) -> Detection:
    """One Sigma file as a detection; ``origin`` is its name in messages.

    A second document, a correlation, is the threshold. Raises DetectionError with every mistake and its
    ``origin:line``; what is only doubtful is in the detection's ``warnings``. Whether a flow can carry the rule is not
    asked: ``flows.settled`` does that.
    """
    documents, lines = documents_and_lines(text, origin)
    faults = Faults(origin, lines)
    rule, correlation = _parts(documents, faults)
    custom = rule.custom_attributes or {}
    if not ID.fullmatch(detection_id):
        faults.mistake(
            "title", f"{detection_id!r} is no id", "rename the file: letters, digits, - _, at most 58"
        )
    log_source = _log_source(rule, faults)
    condition = _condition(rule, faults)
    description = str(rule.description or "").strip()
    ours = extension(custom.get(BLOCK), condition, log_source, description or rule.title, faults)
    limit = threshold(correlation, faults) if correlation is not None else None
    severity = Severity(rule.level.name.lower()) if rule.level else Severity.MEDIUM
    faults.raise_any()
    return Detection(
        id=detection_id,
        title=rule.title,
        description=description,
        severity=severity,
        condition=condition,
        scope=ours.scope,
        runbook=ours.runbook,
        flows=frozenset(Flow) if ours.flows is None else ours.flows,
        declares_reads=ours.reads,
        flows_are_open=ours.flows is None,
        log_source=log_source,
        tags=tuple(str(tag) for tag in rule.tags),
        controls=ours.controls,
        threshold=limit,
        drill=ours.drill,
        examples=ours.examples,
        sample_values=ours.sample_values,
        sigma_id=str(rule.id or ""),
        status=rule.status.name.lower() if rule.status else "",
        author=str(rule.author or ""),
        references=tuple(str(reference) for reference in rule.references),
        falsepositives=tuple(str(cause) for cause in rule.falsepositives),
        origin=origin,
        warnings=faults.doubts,
        lines=tuple(sorted(faults.lines.items())),
        text=text,
    )


def read_file(path: Path) -> Detection:
    """The file as a detection whose id is the file's name without the suffix."""
    try:
        return read(path.read_text(encoding="utf-8"), path.stem, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DetectionError(
            f"cannot be read: {error}", "give a readable UTF-8 file", file=str(path), line=1
        ) from error


def _parts(documents: list[Any], faults: Faults) -> tuple[Any, Any]:
    """The rule and the correlation, if there is one. Raises DetectionError with all that pySigma refuses."""
    from sigma.collection import SigmaCollection
    from sigma.correlations import SigmaCorrelationRule
    from sigma.exceptions import SigmaError

    try:
        collection = SigmaCollection.from_dicts(
            [_with_lists(document) for document in documents], collect_errors=True
        )
    except (SigmaError, AttributeError, TypeError, ValueError) as error:
        raise DetectionError(f"not a Sigma rule: {error}", REMEDY, file=faults.origin, line=1) from error
    for refused in collection.errors:
        faults.mistake(_key_of(refused), f"not a Sigma rule: {refused}")
    rules = [rule for rule in collection.rules if not isinstance(rule, SigmaCorrelationRule)]
    correlations = [rule for rule in collection.rules if isinstance(rule, SigmaCorrelationRule)]
    if len(rules) != 1 or len(correlations) > 1:
        faults.mistake("title", "a file holds one rule and at most one correlation", "use a file a rule")
    faults.raise_any()  # what pySigma has refused is left in the rule as it stood, of any type
    return rules[0], correlations[0] if correlations else None


def _key_of(error: Exception) -> str:
    """The key that an error of pySigma is about: it has a class for each, such as SigmaLevelError."""
    return type(error).__name__.removeprefix("Sigma").removesuffix("Error").lower()


def _with_lists(document: Any) -> Any:
    """The document with lists where pySigma insists on them and rules in the field have a text."""
    if not isinstance(document, dict):
        return document
    texts = {key: [document[key]] for key in LISTS if isinstance(document.get(key), str)}
    return document | texts


def _log_source(rule: Any, faults: Faults) -> LogSource:
    """The service whose records the rule is about."""
    product, service = rule.logsource.product, rule.logsource.service
    if product == "aws" and service in tuple(LogSource):
        return LogSource(service)
    remedy = f"write product: aws and service: {', '.join(LogSource)}"
    faults.mistake("logsource", f"the log source {product}/{service} is not one of AWS's", remedy)
    return LogSource.CLOUDTRAIL


def _condition(rule: Any, faults: Faults) -> Condition:
    """The rule's conditions; several are alternatives."""
    from sigma.exceptions import SigmaError

    try:
        trees = [condition.parsed for condition in rule.detection.parsed_condition]
    except (SigmaError, AttributeError, TypeError) as error:
        # pySigma looks into whatever stands there as if it were text.
        counts = any("|" in str(text) for text in rule.detection.condition)
        remedy = COUNTING if counts else REMEDY
        faults.mistake("condition", f"the condition cannot be read: {error}", remedy)
        return Either(())
    condition = either(_tree(tree, faults) for tree in trees)
    for path in dict.fromkeys(test.field for test in tests_of(condition)):
        _check_field(path, faults)
    return condition


def _tree(node: Any, faults: Faults) -> Condition:
    """A node of pySigma's tree; a mistake in it is told and stands for a test that never holds."""
    from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR

    if isinstance(node, ConditionNOT):
        return Not(_tree(node.args[0], faults))
    if isinstance(node, ConditionAND | ConditionOR):
        parts = tuple(_tree(part, faults) for part in node.args)
        return All(parts) if isinstance(node, ConditionAND) else Either(parts)
    if not isinstance(node, ConditionFieldEqualsValueExpression):
        remedy = "name the field of the record"
        faults.mistake("condition", "keywords without a field", remedy, Code.KEYWORD)
        return Either(())
    return _leaf(node, faults)


def _leaf(node: Any, faults: Faults) -> Condition:
    doubts: list[Doubt] = []
    try:
        condition = condition_of(node.field, node.value, doubts)
    except DetectionError as error:
        faults.mistake(node.field, error.what, error.remedy)
        return Either(())
    for doubt in doubts:
        faults.doubt(node.field, doubt.what, doubt.remedy, doubt.code)
    return condition


def _check_field(path: str, faults: Faults) -> None:
    """An object cannot be compared; a field that nobody knows is doubtful."""
    kind = field_type(path)
    if kind is None:
        close = nearest(path)
        remedy = f"did you mean {close}?" if close else "correct the name, or leave it if you are sure"
        faults.doubt(path, f"no CloudTrail record is known to have {path}", remedy, Code.FIELD_UNKNOWN)
    elif kind.kind is Kind.OBJECT:
        what = f"{path} is an object and cannot be compared"
        faults.mistake(path, what, "name a field inside it", Code.FIELD_OBJECT)
