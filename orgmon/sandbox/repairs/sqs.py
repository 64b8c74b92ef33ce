"""SQS: attributes that are not named stay as they are."""

from __future__ import annotations

from typing import Any

from moto.sqs.exceptions import SQSException

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World


def install(world: World) -> None:
    """Answer SetQueueAttributes: moto drops a queue's policy whenever anything else of it is set."""

    def set_attributes(call: Call) -> dict[str, Any]:
        store = world.store("sqs", call.resource_account, call.region)
        name = str(call.params["QueueUrl"]).rsplit("/", 1)[-1]
        try:
            kept = {"Policy": store.get_queue(name).policy}
            store.set_queue_attributes(name, kept | call.params.get("Attributes", {}))
        except SQSException as problem:
            raise Refusal(problem.code, problem.message) from problem
        return {}

    world.operations.register("sqs", "SetQueueAttributes", set_attributes)
