"""Lambda: event source mappings tell how they change, and those of queues that cannot work are refused.

Sources: Lambda API reference, CreateEventSourceMapping, UpdateEventSourceMapping; states, defaults and the texts of
refusals are AWS's own, as recorded in LocalStack's public tests (tests/aws/services/lambda_/event_source_mapping).
Mappings of streams are left to moto.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from orgmon import eventpattern
from orgmon.errors import PatternError
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.world import World

_INVALID = "InvalidParameterValueException"
_BATCH_WITHOUT_WINDOW = 10
_PAGES = Pages(
    "EventSourceMappings", "MaxItems", 100, "Marker", "NextMarker", (_INVALID, "Invalid marker."), most=100
)


def install(world: World) -> None:
    """Look at what is made and changed, and complete what is told of it."""
    repairs = _Mappings(world)
    world.before.append(repairs.check)
    world.operations.amend("lambda", "CreateEventSourceMapping", repairs.created)
    world.operations.amend("lambda", "GetEventSourceMapping", repairs.told)
    world.operations.amend("lambda", "UpdateEventSourceMapping", repairs.updated)
    world.operations.amend("lambda", "DeleteEventSourceMapping", repairs.deleted)
    world.operations.register("lambda", "ListEventSourceMappings", repairs.listed)


class _Mappings:
    def __init__(self, world: World) -> None:
        self._world = world
        # Whether a mapping was enabled before it was changed.
        self._enabled: dict[str, bool] = {}

    def check(self, call: Call) -> None:
        """Before a call: is the mapping there, and could a new or changed one work?"""
        if call.service != "lambda" or not call.operation.endswith("EventSourceMapping"):
            return
        if call.operation == "CreateEventSourceMapping":
            self._check_new(call)
            return
        mapping = self._all(call).get(str(call.params["UUID"]))
        if mapping is None:
            text = "The resource you requested does not exist."
            raise Refusal("ResourceNotFoundException", text, 404, {"Type": "User"})
        if call.operation == "UpdateEventSourceMapping" and _is_queue(mapping.event_source_arn):
            self._enabled[mapping.uuid] = bool(mapping.enabled)
            window = call.params.get("MaximumBatchingWindowInSeconds", mapping.max_batch_window)
            _check_settings(call.params, int(call.params.get("BatchSize", mapping.batch_size)), window)

    def created(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """A mapping is not enabled at once."""
        told = self._changed(call, answer)
        return {**told, "State": "Creating"} if told["State"] == "Enabled" else told

    def updated(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """On its way to what was asked for."""
        told = self._changed(call, answer)
        was, enabled = self._enabled.get(str(told["UUID"]), True), told["State"] == "Enabled"
        if was != enabled:
            return {**told, "State": "Enabling" if enabled else "Disabling"}
        return {**told, "State": "Updating"} if enabled else told

    def deleted(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """What it was, on its way out."""
        self._enabled.pop(str(answer["UUID"]), None)
        return {**self.told(call, answer), "State": "Deleting"}

    def told(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """With the members that a queue's mapping always has."""
        if not _is_queue(str(answer["EventSourceArn"])):
            return answer
        defaults = {"FunctionResponseTypes": [], "MaximumBatchingWindowInSeconds": 0}
        return {**defaults, **answer, "StateTransitionReason": "USER_INITIATED"}

    def listed(self, call: Call) -> dict[str, Any]:
        """Those of a source and of a function; moto knows the function only by the name that was used first."""
        source, function = call.params.get("EventSourceArn"), call.params.get("FunctionName")
        wanted = [
            self.told(call, _settings(each))
            for each in list(self._all(call).values())
            if (not source or each.event_source_arn == source)
            and (not function or each.function_arn == call.resource)
        ]
        return _PAGES(call, {"EventSourceMappings": wanted})

    def _all(self, call: Call) -> dict[str, Any]:
        mappings: dict[str, Any] = self._world.store(
            "lambda", call.account, call.region
        )._event_source_mappings
        return mappings

    def _changed(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """Changed at the sandbox's time."""
        self._all(call)[str(answer["UUID"])].last_modified = int(call.time.timestamp())
        return self.told(call, {**answer, "LastModified": call.time.replace(microsecond=0)})

    def _check_new(self, call: Call) -> None:
        source = str(call.params.get("EventSourceArn", ""))
        if not _is_queue(source):
            return
        size = int(call.params.get("BatchSize", _BATCH_WITHOUT_WINDOW))
        _check_settings(call.params, size, call.params.get("MaximumBatchingWindowInSeconds"))
        function = self._function(call)
        _, _, _, region, account, name = source.split(":", 5)
        queue = self._world.stores.find("sqs", account, region, "queues", name) if account.isdigit() else None
        if queue is None or region != call.region:
            raise _invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
                "SQS Error Message: The specified queue does not exist."
            )
        if int(queue.visibility_timeout) < int(function.timeout):
            raise _invalid(
                f"Queue visibility timeout: {int(queue.visibility_timeout)} seconds "
                f"is less than Function timeout: {int(function.timeout)} seconds"
            )
        self._check_alone(call, source, function)

    def _function(self, call: Call) -> Any:
        function = self._world.stores.function(call.resource)
        if function is None:
            raise _invalid("Function does not exist")
        return function

    def _check_alone(self, call: Call, source: str, function: Any) -> None:
        for each in list(self._all(call).values()):
            if each.event_source_arn == source and each.function_arn == function.function_arn:
                text = (
                    f'An event source mapping with SQS arn (" {source} ") and function '
                    f'(" {function.function_name} ") already exists. '
                    f"Please update or delete the existing mapping with UUID {each.uuid}"
                )
                raise Refusal("ResourceConflictException", text, 409, {"Type": "User"})


def _is_queue(arn: str) -> bool:
    return arn.split(":")[2:3] == ["sqs"] and arn.count(":") == 5


def _settings(mapping: Any) -> dict[str, Any]:
    return {
        **mapping.get_configuration(),
        "LastModified": datetime.fromtimestamp(int(mapping.last_modified), UTC),
    }


def _check_settings(params: dict[str, Any], size: int, window: Any) -> None:
    if size > _BATCH_WITHOUT_WINDOW and not int(window or 0):
        raise _invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    for each in (params.get("FilterCriteria") or {}).get("Filters") or []:
        try:
            eventpattern.parse(each.get("Pattern") or "")
        except PatternError as problem:
            raise _invalid("Invalid filter pattern definition.") from problem


def _invalid(text: str) -> Refusal:
    return Refusal(_INVALID, text, details={"Type": "User"})
