"""CloudWatch Logs: keys of log groups, metric filters of groups that exist, and members that moto leaves out.

Sources: CloudWatch Logs API reference, PutMetricFilter, DeleteMetricFilter, DeleteLogGroup (the
filters of a group go with it); AWS's answers as recorded in LocalStack's public tests (tests/aws/services/logs).
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

MOST_FILTERS = 100
"""Metric filters of one log group (CloudWatch Logs quota, not raised)."""
_STANDARD = "STANDARD"


def install(world: World) -> None:
    """Answer what moto does not have, look at what it does not check, and amend what it tells."""
    repairs = _Logs(world)
    for name, handler in (
        ("AssociateKmsKey", repairs.associate),
        ("DisassociateKmsKey", repairs.disassociate),
    ):
        world.operations.register("logs", name, handler)
    for name, amendment in (
        ("DescribeMetricFilters", _complete_filters),
        ("DescribeResourcePolicies", _complete_policies),
        ("PutResourcePolicy", _complete_policies),
    ):
        world.operations.amend("logs", name, amendment)
    world.before.append(repairs.check)
    world.after.append(repairs.changed)


class _Logs:
    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, int] = {}

    def associate(self, call: Call) -> dict[str, Any]:
        self._group(call).kms_key_id = call.params["kmsKeyId"]
        return {}

    def disassociate(self, call: Call) -> dict[str, Any]:
        self._group(call).kms_key_id = None
        return {}

    def check(self, call: Call) -> None:
        """Before a filter is put, read or deleted: its group must be there, and moto must not keep it twice."""
        if call.service != "logs":
            return
        if call.operation == "PutMetricFilter":
            self._group(call)
            self._make_room(call)
        elif call.operation == "DeleteMetricFilter":
            self._group(call)
            if not any(_is_named(each, call) for each in self._filters(call)):
                raise Refusal("ResourceNotFoundException", "The specified metric filter does not exist.")
        elif call.operation == "DescribeMetricFilters" and call.params.get("logGroupName"):
            self._group(call)

    def changed(self, call: Call) -> None:
        """Note when something was made, in the sandbox's time; forget the filters of a group that is gone."""
        if call.service != "logs" or call.error is not None:
            return
        now = int(call.time.timestamp() * 1000)
        if call.operation == "CreateLogGroup":
            group = self._group(call)
            group.creation_time = call.time.replace(tzinfo=None)
            group.log_group_class = call.params.get("logGroupClass", _STANDARD)
        elif call.operation == "PutMetricFilter":
            for each in self._filters(call):
                if _is_named(each, call):
                    each["creationTime"] = self._made.pop(call.request_id, now)
        elif call.operation == "DeleteLogGroup":
            filters = self._filters(call)
            filters[:] = [each for each in filters if each["logGroupName"] != call.params["logGroupName"]]

    def _make_room(self, call: Call) -> None:
        """A filter takes the place of the one of its name."""
        filters = self._filters(call)
        others = [each for each in filters if not _is_named(each, call)]
        group = call.params.get("logGroupName")
        if sum(each["logGroupName"] == group for each in others) >= MOST_FILTERS:
            raise Refusal("LimitExceededException", "Resource limit exceeded.")
        former = next((each for each in filters if _is_named(each, call)), {})
        if "creationTime" in former:
            self._made[call.request_id] = former["creationTime"]
        filters[:] = others

    def _filters(self, call: Call) -> list[dict[str, Any]]:
        filters: list[dict[str, Any]] = self._world.store(
            "logs", call.account, call.region
        ).filters.metric_filters
        return filters

    def _group(self, call: Call) -> Any:
        store = self._world.store("logs", call.account, call.region)
        name = call.params.get("logGroupName")
        if name not in store.groups:
            raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
        return store.groups[name]


def _is_named(metric_filter: dict[str, Any], call: Call) -> bool:
    return all(metric_filter[name] == call.params.get(name) for name in ("filterName", "logGroupName"))


def _complete_filters(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """Filters in the order of their names, with what AWS says of each."""
    listed = [{"applyOnTransformedLogs": False, **each} for each in answer.get("metricFilters", [])]
    return {**answer, "metricFilters": sorted(listed, key=lambda each: str(each["filterName"]))}


def _complete_policies(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """The scope of resource policies: moto has those of accounts only."""
    for each in (*answer.get("resourcePolicies", ()), answer.get("resourcePolicy", {})):
        each["policyScope"] = "ACCOUNT"
    return answer
