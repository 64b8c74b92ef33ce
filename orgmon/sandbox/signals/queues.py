"""SQS queues as other services see them: sending needs the queue's policy, and its key's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.grants import USE_TO_SEND, Grants, Sender
from orgmon.sandbox.signals.losses import NO_RESOURCE, Undeliverable
from orgmon.sandbox.world import World

Listener = Callable[[str, Any], None]
_SENDING = ("SendMessage", "SendMessageBatch")


class Queues:
    """Sends to queues, and tells ``listeners`` (queue ARN, moto's message) of everything that arrives in one."""

    def __init__(self, world: World, grants: Grants) -> None:
        self._world = world
        self._grants = grants
        self.listeners: list[Listener] = []

    def install(self) -> None:
        """Look at the API calls that send and receive, too."""
        self._world.before.append(self._check_key)
        self._world.after.append(self._heard)

    def find(self, arn: str) -> Any:
        """moto's queue. Raises Undeliverable (NO_RESOURCE) if there is none."""
        where = Arn.parse(arn)
        queue = self._world.stores.find("sqs", where.account, where.region, "queues", where.local)
        if queue is None:
            raise Undeliverable(NO_RESOURCE, f"The queue {arn} does not exist.")
        return queue

    def send(
        self,
        arn: str,
        body: str,
        sender: Sender,
        attributes: Mapping[str, str] | None = None,
        group_id: str | None = None,
    ) -> None:
        """Send a message. Raises Undeliverable if the queue is missing, or a policy refuses the sender."""
        queue = self.find(arn)
        self._grants.require(sender, "sqs:SendMessage", arn)
        self._grants.require_key(queue.kms_master_key_id, arn, sender)
        members = {
            name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()
        }
        store = self._world.store("sqs", queue.account_id, queue.region)
        message = store.send_message(queue.name, body, message_attributes=members, group_id=group_id)
        self._arrived(arn, message)

    def waiting(self) -> Iterator[tuple[str, int]]:
        """The ARN of every queue that holds messages, and how many of them are visible."""
        for queue in self.all():
            visible = len(queue.messages)
            if visible:
                yield queue.queue_arn, visible

    def all(self) -> Iterator[Any]:
        """moto's queues of all accounts and Regions."""
        for _, _, store in self._world.stores.everywhere("sqs"):
            yield from list(store.queues.values())

    def _arrived(self, arn: str, message: Any) -> None:
        message.sent_timestamp = int(self._world.clock.now().timestamp() * 1000)
        for listener in tuple(self.listeners):
            listener(arn, message)

    def _check_key(self, call: Call) -> None:
        """An encrypted queue asks of its callers what it asks of services."""
        is_using = call.service == "sqs" and call.operation in (*_SENDING, "ReceiveMessage")
        if not is_using or call.trusted or not call.resource.startswith("arn:"):
            return
        arn = Arn.parse(call.resource)
        queue = self._world.stores.find("sqs", arn.account, arn.region, "queues", arn.local)
        if queue is None or not queue.kms_master_key_id:
            return
        needed = USE_TO_SEND if call.operation in _SENDING else ("kms:Decrypt",)
        why = self._grants.key_refusal(queue.kms_master_key_id, arn.text, Sender(call.principal), needed)
        if why is not None:
            raise Refusal("KMS.AccessDeniedException", f"User: {why}", 400)

    def _heard(self, call: Call) -> None:
        if call.service != "sqs" or call.operation not in _SENDING or call.response is None:
            return
        sent = call.response.get("Successful", [call.response])
        ids = {entry.get("MessageId") for entry in sent}
        queue = self.find(call.resource)
        for message in list(queue._messages):
            if message.id in ids:
                self._arrived(call.resource, message)
