"""CloudWatch Logs: keys of log groups, and metric filters that replace the one of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orgmon.sandbox.calls import Call, Refusal

if TYPE_CHECKING:
    from orgmon.sandbox.world import World


def install(world: World) -> None:
    """moto has neither AssociateKmsKey nor DisassociateKmsKey, and keeps a filter twice that is put twice."""
    repairs = _Logs(world)
    world.operations.register("logs", "AssociateKmsKey", repairs.associate)
    world.operations.register("logs", "DisassociateKmsKey", repairs.disassociate)
    world.before.append(repairs.forget_former_filter)


class _Logs:
    def __init__(self, world: World) -> None:
        self._world = world

    def associate(self, call: Call) -> dict[str, Any]:
        self._group(call).kms_key_id = call.params["kmsKeyId"]
        return {}

    def disassociate(self, call: Call) -> dict[str, Any]:
        self._group(call).kms_key_id = None
        return {}

    def forget_former_filter(self, call: Call) -> None:
        """Before a filter is put: drop the one of that name, if its group exists (else moto refuses the call)."""
        if (call.service, call.operation) != ("logs", "PutMetricFilter"):
            return
        store = self._world.store("logs", call.account, call.region)
        name = call.params.get("filterName")
        group = call.params.get("logGroupName")
        filters = store.filters.metric_filters
        filters[:] = [each for each in filters if (each["filterName"], each["logGroupName"]) != (name, group)]

    def _group(self, call: Call) -> Any:
        store = self._world.store("logs", call.account, call.region)
        name = call.params.get("logGroupName")
        if name not in store.groups:
            raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
        return store.groups[name]
