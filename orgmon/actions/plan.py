"""What a plan comes to in money."""

from __future__ import annotations

from orgmon.desired.state import desired_state
from orgmon.plan.cost import Cost, Estimate, Saving, cost
from orgmon.plan.prices import Prices
from orgmon.stackset import State
from orgmon.workspace import Workspace


def estimate(workspace: Workspace, observed: State, prices: Prices, *, destroy: bool = False) -> Estimate:
    """What costs that is there, and that should be; with ``destroy`` that is nothing. Raises TemplateError."""
    then = cost(State() if destroy else workspace.desired, prices)
    return Estimate(cost(observed, prices), then, prices, _saving(workspace, then, prices))


def _saving(workspace: Workspace, then: Cost, prices: Prices) -> Saving | None:
    """The cheaper form of the members' alarms that accounts.yaml knows, where they are what costs."""
    if not then.is_mostly_member_alarms:
        return None
    config = workspace.config
    if config.detections.member_alarms:
        detections = config.detections.model_copy(update={"member_alarms": False})
        other = config.model_copy(update={"detections": detections})
        less = cost(desired_state(other, workspace.organization, workspace.detections), prices)
        return Saving("detections.member_alarms: false", then.usd - less.usd)
    governed = len(config.regions.governed)
    if governed == 1:
        return None
    return Saving("each Region less under regions.governed", then.member_alarms / governed)
