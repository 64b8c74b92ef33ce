"""EventBridge targets: handing an event over, and dead letters when that is refused.

Sources: EventBridge user guide, "Event bus targets", "Using dead-letter queues" (permission and missing-resource
errors go there at once), "Permissions for event bus targets in other accounts" (a role since February 2023),
"Monitoring Amazon EventBridge" (what is counted of invocations that failed, and of their dead letters).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from orgmon.sandbox.signals import transformer
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.bus import Event, Put, count, is_archive
from orgmon.sandbox.signals.functions import Functions
from orgmon.sandbox.signals.grants import Grants, Sender
from orgmon.sandbox.signals.log_groups import LogGroups
from orgmon.sandbox.signals.losses import INVALID_JSON, NO_PERMISSIONS, NO_RESOURCE, Losses, Undeliverable
from orgmon.sandbox.signals.metrics import Metrics
from orgmon.sandbox.signals.queues import Queues
from orgmon.sandbox.signals.topics import NO_SUBJECT, Topics
from orgmon.sandbox.world import World

_LOG_WRITERS = ("events", "delivery.logs")
ONE_HOP = "ONE_HOP"


class Targets:
    """Delivers what rules let through."""

    def __init__(
        self,
        world: World,
        grants: Grants,
        queues: Queues,
        topics: Topics,
        log_groups: LogGroups,
        functions: Functions,
        metrics: Metrics,
        lost: Losses,
    ) -> None:
        self._world = world
        self._grants = grants
        self._queues = queues
        self._topics = topics
        self._log_groups = log_groups
        self._functions = functions
        self._metrics = metrics
        self._lost = lost
        self._kinds: dict[str, Callable[[Any, dict[str, Any], Arn, Event], None]] = {
            "sqs": self._to_queue,
            "sns": self._to_topic,
            "logs": self._to_log_group,
            "lambda": self._to_function,
        }

    def deliver(self, rule: Any, target: dict[str, Any], event: Event, hops: int, put: Put) -> None:
        """Hand an event to one target of a rule; never raises: what fails goes to the dead letters or is lost.

        ``hops`` is how often it has been forwarded; ``put`` takes it to another bus.
        """
        if is_archive(rule):
            self._keep(rule, event)
            return
        arn = Arn.parse(str(target["Arn"]))
        try:
            if arn.service == "events":
                self._to_bus(rule, target, arn, event, hops, put)
            elif arn.service in self._kinds:
                self._require_same_region(rule, arn)
                self._kinds[arn.service](rule, target, arn, event)
            else:
                raise Undeliverable(NO_RESOURCE, f"The sandbox has no targets of {arn.service}.")
        except Undeliverable as problem:
            self._failed(rule, target, event, problem)

    def _require_same_region(self, rule: Any, arn: Arn) -> None:
        if arn.region != rule.region_name:
            raise Undeliverable(NO_RESOURCE, f"{arn.text} is not in the rule's Region {rule.region_name}.")

    def _sender(self, rule: Any, target: dict[str, Any]) -> Sender:
        """EventBridge itself, or a session of the target's role where it names one."""
        service = self._grants.service("events", rule.arn, rule.account_id)
        role_arn = target.get("RoleArn") or rule.role_arn
        return self._grants.assume(str(role_arn), service, uuid.uuid4().hex) if role_arn else service

    def _text(self, rule: Any, target: dict[str, Any], event: Event) -> str:
        origin = transformer.Origin(rule.arn, rule.name, self._world.clock.now())
        return transformer.render(target, event, origin)

    def _to_queue(self, rule: Any, target: dict[str, Any], arn: Arn, event: Event) -> None:
        group_id = (target.get("SqsParameters") or {}).get("MessageGroupId")
        body = self._text(rule, target, event)
        self._queues.send(arn.text, body, self._sender(rule, target), group_id=group_id)

    def _to_topic(self, rule: Any, target: dict[str, Any], arn: Arn, event: Event) -> None:
        text = self._text(rule, target, event)
        self._topics.publish_as(self._sender(rule, target), arn.text, text, NO_SUBJECT)

    def _to_function(self, rule: Any, target: dict[str, Any], arn: Arn, event: Event) -> None:
        text = self._text(rule, target, event)
        try:
            content = json.loads(text)
        except ValueError as problem:
            raise Undeliverable(INVALID_JSON, f"A function wants JSON: {problem}") from problem
        self._functions.invoke_later(arn.text, content, self._sender(rule, target))

    def _to_log_group(self, rule: Any, target: dict[str, Any], arn: Arn, event: Event) -> None:
        """No role: the Region's log resource policies decide. The whole envelope is the message."""
        if arn.account != rule.account_id:
            raise Undeliverable(NO_PERMISSIONS, "A log group must be in the rule's account.")
        group = arn.local.split(":")[1]
        stream = str(uuid.uuid4())
        self._require_log_policy(rule, arn, group, stream)
        text = self._text(rule, target, event)
        if target.get("InputTransformer"):
            text = _log_message(text)
        self._log_groups.write(arn.account, arn.region, group, stream, [text])

    def _require_log_policy(self, rule: Any, arn: Arn, group: str, stream: str) -> None:
        resource = f"arn:aws:logs:{arn.region}:{arn.account}:log-group:{group}:log-stream:{stream}"
        policies = self._log_groups.resource_policies(arn.account, arn.region, group)
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            senders = [self._grants.service(name, rule.arn, rule.account_id) for name in _LOG_WRITERS]
            if not any(
                self._grants.allows(policy, sender, action, resource)
                for policy in policies
                for sender in senders
            ):
                text = f"no log resource policy lets events.amazonaws.com do {action} on {resource}"
                raise Undeliverable(NO_PERMISSIONS, text)

    def _to_bus(self, rule: Any, target: dict[str, Any], arn: Arn, event: Event, hops: int, put: Put) -> None:
        """To another bus: as the target's role, which both its own policies and the bus's policy must allow."""
        if hops:
            problem = Undeliverable(ONE_HOP, "An event that came from another bus is not sent on.")
            self._lost.note(rule.arn, arn.text, problem)
            return
        if not target.get("RoleArn"):
            raise Undeliverable(NO_PERMISSIONS, f"The target {arn.text} needs a role.")
        sender = self._sender(rule, target)
        self._grants.require_role(sender, "events:PutEvents", arn.text)
        self._grants.require(sender, "events:PutEvents", arn.text)
        # A bus gives every event that it takes an id of its own, also one that comes from another bus.
        forwarded = {**event, "id": str(uuid.uuid4())}
        put(arn.account, arn.region, arn.local.partition("/")[2], forwarded, hops + 1)

    def _keep(self, rule: Any, event: Event) -> None:
        archives = self._world.store("events", rule.account_id, rule.region_name).archives
        archive = archives.get(rule.name.removeprefix("Events-Archive-"))
        if archive is not None:
            archive.events.append(event)

    def _failed(self, rule: Any, target: dict[str, Any], event: Event, problem: Undeliverable) -> None:
        count(self._metrics, rule, "FailedInvocations")
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            self._lost.note(rule.arn, str(target["Arn"]), problem)
            return
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": str(target["Arn"]),
            "ERROR_CODE": problem.code,
            "ERROR_MESSAGE": problem.message,
        }
        sender = self._grants.service("events", rule.arn, rule.account_id)
        try:
            self._require_same_region(rule, Arn.parse(str(queue)))
            self._queues.send(str(queue), json.dumps(event), sender, attributes)
            count(self._metrics, rule, "InvocationsSentToDlq")
        except Undeliverable as second:
            count(self._metrics, rule, "InvocationsFailedToBeSentToDlq")
            self._lost.note(rule.arn, str(target["Arn"]), problem)
            self._lost.note(rule.arn, str(queue), second)


def _log_message(text: str) -> str:
    """The message in a template for log groups, which is ``{"timestamp": ..., "message": ...}``."""
    try:
        content = json.loads(text)
        message = content["message"]
    except (ValueError, KeyError, TypeError) as problem:
        raise Undeliverable(INVALID_JSON, "A log group wants {timestamp, message}.") from problem
    return message if isinstance(message, str) else json.dumps(message)
