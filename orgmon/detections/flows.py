"""Which flows can carry a detection whose file does not say."""

from __future__ import annotations

from dataclasses import replace

from orgmon.detections.codes import Code
from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.forwarding import forwarding
from orgmon.detections.model import Detection, Flow
from orgmon.errors import DetectionError


def settled(detection: Detection) -> Detection:
    """The detection with the flows that its file names or, where it names none, those whose language can say it.

    Raises DetectionError where none can. Placeholders without values are no reason to refuse.
    """
    if not detection.flows_are_open:
        return detection
    refusals = {flow: refusal(detection, flow) for flow in Flow}
    able = frozenset(flow for flow, error in refusals.items() if error is None or _is_open(error))
    if able:
        return replace(detection, flows=able, flows_are_open=False)
    raise DetectionError.of([error for error in refusals.values() if error is not None])


def refusal(detection: Detection, flow: Flow) -> DetectionError | None:
    """Why a flow cannot carry the detection, or None where it can."""
    try:
        if flow is Flow.METRICS:
            metric_filters(detection)
        else:
            alone = replace(detection, flows=frozenset({flow}))
            event_rules(alone)
            forwarding((alone,))
    except DetectionError as error:
        return error
    return None


def _is_open(error: DetectionError) -> bool:
    return f"[{Code.PLACEHOLDER}]" in error.what
