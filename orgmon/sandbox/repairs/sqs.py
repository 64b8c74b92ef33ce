"""SQS: attributes that are not named stay as they are, those that are wrong are refused, and times are whole seconds.

Sources: SQS API reference, SetQueueAttributes; which attributes a queue has, and that one way of encryption ends the
other, is recorded in LocalStack's public tests (tests/aws/services/sqs).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.sqs.exceptions import SQSException
from moto.sqs.models import Queue

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.repairs.queue_arguments import (
    FIFO_ONLY,
    check_attributes,
    check_messages,
    unknown_attribute,
    wrong_value,
)
from orgmon.sandbox.world import World

_TIMES = ("CreatedTimestamp", "LastModifiedTimestamp")
_ALLOWED = "RedriveAllowPolicy"
_SHOWN = frozenset({"All", _ALLOWED, *Queue.BASE_ATTRIBUTES, *Queue.FIFO_ATTRIBUTES, *Queue.KMS_ATTRIBUTES})


def install(world: World) -> None:
    """Look at what is asked for, and put right what moto makes of it."""
    queues = _Queues(world)
    world.before.append(queues.check)
    world.operations.register("sqs", "SetQueueAttributes", queues.set_attributes)
    world.operations.amend("sqs", "CreateQueue", queues.created)
    world.operations.register("sqs", "GetQueueAttributes", queues.attributes)


class _Queues:
    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, call: Call) -> None:
        """Before a call: can its arguments be meant?"""
        if call.service != "sqs":
            return
        check_messages(call)
        attributes = call.params.get("Attributes") or {}
        if call.operation == "CreateQueue":
            check_attributes(attributes, self._has)
            is_fifo = attributes.get("FifoQueue") == "true"
            _check_type({name for name in attributes if name != "FifoQueue"}, is_fifo)
            self._check_same(call, attributes)
        if call.operation == "SetQueueAttributes":
            check_attributes(attributes, self._has)
            queue = self._find(call.resource)
            _check_type(set(attributes), queue is not None and bool(queue.fifo_queue))

    def set_attributes(self, call: Call) -> dict[str, Any]:
        """Set what is named only: moto drops a queue's policy whenever anything else of it is set."""
        attributes = call.params.get("Attributes", {})
        store = self._world.store("sqs", call.resource_account, call.region)
        name = str(call.params["QueueUrl"]).rsplit("/", 1)[-1]
        try:
            queue = store.get_queue(name)
            store.set_queue_attributes(name, {"Policy": queue.policy, **attributes})
        except SQSException as problem:
            raise Refusal(problem.code, problem.message) from problem
        queue.last_modified_timestamp = int(call.time.timestamp())
        _encrypt_once(queue, attributes)
        return {}

    def created(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """A new queue is as old as the sandbox says; moto's times are those of the machine, in fractions."""
        queue = self._find(call.resource)
        if queue is not None and isinstance(queue.created_timestamp, float):
            queue.created_timestamp = queue.last_modified_timestamp = int(call.time.timestamp())
            _encrypt_once(queue, call.params.get("Attributes") or {})
        return answer

    def attributes(self, call: Call) -> dict[str, Any]:
        """Those that are asked for; moto knows no redrive allow policy."""
        queue = self._find(call.resource)
        if queue is None:
            raise Refusal("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        names = set(call.params.get("AttributeNames") or ())
        unknown = sorted(names - _SHOWN)
        if unknown:
            raise unknown_attribute(unknown[0])
        told = {**queue.attributes, _ALLOWED: getattr(queue, "redrive_allow_policy", "")}
        told |= {name: int(told[name]) for name in _TIMES}
        return {
            "Attributes": {
                name: str(value)
                for name, value in told.items()
                if value not in (None, "") and ("All" in names or name in names)
            }
        }

    def _check_same(self, call: Call, attributes: Mapping[str, Any]) -> None:
        queue = self._find(call.resource)
        has = queue.attributes if queue is not None else {}
        for name, value in attributes.items():
            if queue is not None and _text(has.get(name)) != _text(value):
                text = "A queue already exists with the same name and a different value for attribute"
                raise Refusal("QueueAlreadyExists", f"{text} {name}")

    def _has(self, arn: str) -> bool:
        return self._find(arn) is not None

    def _find(self, arn: str) -> Any | None:
        if not arn.startswith("arn:"):
            return None
        _, _, _, region, account, name = arn.split(":", 5)
        return self._world.stores.find("sqs", account, region, "queues", name)


def _check_type(names: set[str], is_fifo: bool) -> None:
    wrong = sorted(names & FIFO_ONLY)
    if wrong and not is_fifo:
        raise unknown_attribute(wrong[0])
    if "FifoQueue" in names:
        raise wrong_value("FifoQueue", "Modifying queue type is not supported.")


def _encrypt_once(queue: Any, attributes: Mapping[str, Any]) -> None:
    """A key ends the encryption that SQS manages, and the other way round."""
    if attributes.get("KmsMasterKeyId"):
        queue.sqs_managed_sse_enabled = "false"
    elif attributes.get("SqsManagedSseEnabled") == "true":
        queue.kms_master_key_id = None


def _text(value: Any) -> str:
    return str("" if value is None else value).lower()
