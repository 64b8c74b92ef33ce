"""The CloudTrail operations on trails that moto answers for one account only, or from the real clock."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.trail.delivery import Delivery
from orgmon.sandbox.trail.event_history import EventHistory
from orgmon.sandbox.trail.records import stamp
from orgmon.sandbox.trail.selector_api import SelectorApi
from orgmon.sandbox.trail.trails import Trails
from orgmon.sandbox.world import World

# The member of a call that names the trail it changes.
CHANGING = {
    "UpdateTrail": "Name",
    "DeleteTrail": "Name",
    "StartLogging": "Name",
    "StopLogging": "Name",
    "PutEventSelectors": "TrailName",
    "PutInsightSelectors": "TrailName",
}


class TrailApi:
    """Answers the calls; CreateTrail and UpdateTrail stay moto's, behind a check."""

    def __init__(self, world: World, trails: Trails, delivery: Delivery, history: EventHistory) -> None:
        self._world = world
        self._trails = trails
        self._delivery = delivery
        self._history = history

    def install(self) -> None:
        """Take the operations over."""
        for name, handler in (
            ("DescribeTrails", self.describe),
            ("ListTrails", self.list_trails),
            ("GetTrail", self.get),
            ("GetTrailStatus", self.status),
            ("StartLogging", self.start),
            ("StopLogging", self.stop),
            ("DeleteTrail", self.delete),
            ("LookupEvents", self._history.lookup),
        ):
            self._world.operations.register("cloudtrail", name, handler)
        SelectorApi(self._trails).install(self._world.operations)
        # Before all else: who may not change a trail must not learn what is wrong with the change.
        self._world.before.insert(0, self._guard)

    def describe(self, call: Call) -> dict[str, Any]:
        """All trails in sight, or the named ones."""
        with_shadows = call.params.get("includeShadowTrails", True)
        names = call.params.get("trailNameList") or []
        visible = self._trails.visible(call.account, call.region, bool(with_shadows) or bool(names))
        chosen = [each for each in visible if not names or each.arn in names or each.trail_name in names]
        return {"trailList": [_described(each) for each in chosen]}

    def list_trails(self, call: Call) -> dict[str, Any]:
        """Name, ARN and home Region of the trails in sight."""
        trails = self._trails.visible(call.account, call.region, True)
        return {"Trails": [each.short() for each in trails]}

    def get(self, call: Call) -> dict[str, Any]:
        """One trail."""
        return {"Trail": _described(self._trails.named(call))}

    def status(self, call: Call) -> dict[str, Any]:
        """Whether a trail logs, and how its last deliveries went."""
        trail = self._trails.named(call)
        answer: dict[str, Any] = {"IsLogging": trail.status.is_logging}
        for prefix, time in (("Start", trail.status.started), ("Stop", trail.status.stopped)):
            if time is not None:
                answer[f"{prefix}LoggingTime"] = time
                answer[f"TimeLogging{'Started' if prefix == 'Start' else 'Stopped'}"] = stamp(time)
        return {**answer, **self._delivery.status_of(trail), **self._delivery.digests.status_of(trail)}

    def start(self, call: Call) -> dict[str, Any]:
        """Begin to log."""
        trail = self._trails.changeable(call)
        trail.status.is_logging, trail.status.started = True, call.time
        return {}

    def stop(self, call: Call) -> dict[str, Any]:
        """Log no more; the call itself is still logged."""
        trail = self._trails.changeable(call)
        trail.status.is_logging, trail.status.stopped = False, call.time
        return {}

    def delete(self, call: Call) -> dict[str, Any]:
        """Remove a trail, in the members too if it is the organization's."""
        trail = self._trails.changeable(call)
        self._world.store("cloudtrail", trail.account_id, trail.region_name).trails.pop(
            trail.trail_name, None
        )
        return {}

    def _guard(self, call: Call) -> None:
        """Refuse changes by those who may not; for the calls that moto answers."""
        if call.service == "cloudtrail" and call.operation in CHANGING:
            self._trails.changeable(call, CHANGING[call.operation])


def _described(trail: Any) -> dict[str, Any]:
    description: dict[str, Any] = trail.description(include_region=True)
    description["HasCustomEventSelectors"] = bool(trail.event_selectors or trail.advanced_event_selectors)
    description["HasInsightSelectors"] = bool(trail.insight_selectors)
    return {name: value for name, value in description.items() if value not in (None, "")}
