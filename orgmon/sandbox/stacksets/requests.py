"""From a request to the operation that it asks for."""

from __future__ import annotations

from orgmon.sandbox.calls import Call
from orgmon.sandbox.stacksets.checks import Params, operation_id_of, preferences_of, wire_preferences_of
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.records import Operation
from orgmon.sandbox.stacksets.targeting import Targets
from orgmon.sandbox.stacksets.tasks import Overrides, Task


def operation_of(
    engine: StackSetEngine, call: Call, task: Task, targets: Targets | None, retain: bool | None = None
) -> Operation:
    """The operation of a request, not yet accepted. Raises Refusal for a bad id or bad preferences."""
    return Operation(
        id=operation_id_of(call.params),
        task=task,
        preferences=preferences_of(call.params),
        wire_preferences=wire_preferences_of(call.params),
        created=engine.world.clock.now(),
        targets=targets.wire if targets and targets.units else None,
        retain=retain,
    )


def overrides_of(params: Params) -> Overrides | None:
    """ParameterOverrides: None where the member is absent, which is not the same as empty."""
    given = params.get("ParameterOverrides")
    if given is None:
        return None
    return {
        str(each["ParameterKey"]): (each.get("ParameterValue"), bool(each.get("UsePreviousValue")))
        for each in given
    }
