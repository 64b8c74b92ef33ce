"""PutEventSelectors and PutInsightSelectors: what a trail wants, the last call in force.

Source: CloudTrail API reference, PutEventSelectors (basic and advanced ones replace each other), EventSelector,
DataResource, AdvancedFieldSelector (fields for management events of trails), PutInsightSelectors (an empty list turns
insights off), GetInsightSelectors; botocore's model (limits in InvalidEventSelectorsException). The texts are ours.
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Operations, Refusal
from orgmon.sandbox.trail.selectors import DEFAULT
from orgmon.sandbox.trail.trails import Trails

_KINDS = ("All", "ReadOnly", "WriteOnly")
_EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
_DATA_TYPES = ("AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Object")
_INSIGHTS = ("ApiCallRateInsight", "ApiErrorRateInsight")
_MANAGEMENT_FIELDS = ("eventCategory", "eventSource", "readOnly")
_OPERATORS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
MOST_SELECTORS, MOST_RESOURCES, MOST_VALUES = 5, 250, 500


class SelectorApi:
    """Answers the calls about selectors."""

    def __init__(self, trails: Trails) -> None:
        self._trails = trails

    def install(self, operations: Operations) -> None:
        """Take the operations over."""
        for name, handler in (
            ("GetEventSelectors", self.get_events),
            ("PutEventSelectors", self.put_events),
            ("GetInsightSelectors", self.get_insights),
            ("PutInsightSelectors", self.put_insights),
        ):
            operations.register("cloudtrail", name, handler)

    def get_events(self, call: Call) -> dict[str, Any]:
        """The event selectors; the default one where none were put."""
        trail = self._trails.named(call, "TrailName")
        if trail.advanced_event_selectors:
            return {"TrailARN": trail.arn, "AdvancedEventSelectors": trail.advanced_event_selectors}
        return {"TrailARN": trail.arn, "EventSelectors": trail.event_selectors or [DEFAULT]}

    def put_events(self, call: Call) -> dict[str, Any]:
        """Basic or advanced selectors, in the place of all that were there."""
        trail = self._trails.changeable(call, "TrailName")
        basic = call.params.get("EventSelectors") or []
        advanced = call.params.get("AdvancedEventSelectors") or []
        is_one = bool(basic) is not bool(advanced)
        _check(is_one, "Specify either event selectors or advanced event selectors.")
        _check_basic(basic)
        _check_advanced(advanced)
        trail.event_selectors = [{**DEFAULT, **each} for each in basic]
        trail.advanced_event_selectors = advanced
        return self.get_events(call)

    def get_insights(self, call: Call) -> dict[str, Any]:
        """The insight selectors."""
        trail = self._trails.named(call, "TrailName")
        if not trail.insight_selectors:
            text = f"Trail {trail.arn} does not have Insights enabled."
            raise Refusal("InsightNotEnabledException", text)
        return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}

    def put_insights(self, call: Call) -> dict[str, Any]:
        """Insight selectors, in the place of those that were there."""
        trail = self._trails.changeable(call, "TrailName")
        wanted = call.params.get("InsightSelectors") or []
        if any(each.get("InsightType") not in _INSIGHTS for each in wanted):
            text = f"The insight type must be one of {', '.join(_INSIGHTS)}."
            raise Refusal("InvalidInsightSelectorsException", text)
        trail.insight_selectors = wanted
        return {"TrailARN": trail.arn, "InsightSelectors": wanted}


def _check(is_good: bool, text: str) -> None:
    if not is_good:
        raise Refusal("InvalidEventSelectorsException", text)


def _check_basic(selectors: list[dict[str, Any]]) -> None:
    _check(len(selectors) <= MOST_SELECTORS, f"A trail can have {MOST_SELECTORS} event selectors.")
    values = 0
    for selector in selectors:
        kind = selector.get("ReadWriteType", "All")
        _check(kind in _KINDS, f"ReadWriteType cannot be {kind}.")
        for source in selector.get("ExcludeManagementEventSources") or []:
            _check(source in _EXCLUDABLE, f"{source} cannot be excluded.")
        for resource in selector.get("DataResources") or []:
            data_type = resource.get("Type")
            _check(data_type in _DATA_TYPES, f"{data_type} needs an advanced event selector.")
            values += len(resource.get("Values") or [])
    _check(values <= MOST_RESOURCES, f"A trail can have {MOST_RESOURCES} data resources.")


def _check_advanced(selectors: list[dict[str, Any]]) -> None:
    values = 0
    for selector in selectors:
        fields = selector.get("FieldSelectors") or []
        category = next((each.get("Equals") for each in fields if each.get("Field") == "eventCategory"), None)
        _check(bool(category), "An advanced event selector must set eventCategory with Equals.")
        for each in fields:
            values += sum(len(each.get(name) or []) for name in _OPERATORS)
            if category == ["Management"]:
                name = each.get("Field")
                is_known = name in _MANAGEMENT_FIELDS
                _check(is_known, f"Trails cannot select management events by {name}.")
    _check(values <= MOST_VALUES, f"A trail can have {MOST_VALUES} values of conditions.")
