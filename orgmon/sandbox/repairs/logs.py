"""CloudWatch Logs: keys of log groups, and metric filters: so many, and in place of the one of the same name."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

MOST_FILTERS = 100
"""Metric filters of one log group (CloudWatch Logs quota, not raised)."""


def install(world: World) -> None:
    """moto has no AssociateKmsKey and DisassociateKmsKey, any number of filters, and one twice that is put twice."""
    repairs = _Logs(world)
    world.operations.register("logs", "AssociateKmsKey", repairs.associate)
    world.operations.register("logs", "DisassociateKmsKey", repairs.disassociate)
    world.before.append(repairs.make_room)


class _Logs:
    def __init__(self, world: World) -> None:
        self._world = world

    def associate(self, call: Call) -> dict[str, Any]:
        self._group(call).kms_key_id = call.params["kmsKeyId"]
        return {}

    def disassociate(self, call: Call) -> dict[str, Any]:
        self._group(call).kms_key_id = None
        return {}

    def make_room(self, call: Call) -> None:
        """Before a filter is put: drop the one of that name, if its group exists (else moto refuses the call)."""
        if (call.service, call.operation) != ("logs", "PutMetricFilter"):
            return
        filters = self._world.store("logs", call.account, call.region).filters.metric_filters
        name, group = call.params.get("filterName"), call.params.get("logGroupName")
        others = [each for each in filters if (each["filterName"], each["logGroupName"]) != (name, group)]
        if sum(each["logGroupName"] == group for each in others) >= MOST_FILTERS:
            raise Refusal("LimitExceededException", "Resource limit exceeded.")
        filters[:] = others

    def _group(self, call: Call) -> Any:
        store = self._world.store("logs", call.account, call.region)
        name = call.params.get("logGroupName")
        if name not in store.groups:
            raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
        return store.groups[name]
