"""SNS: attributes of subscriptions that cannot be meant.

Source: SNS API reference, Subscribe, SetSubscriptionAttributes; texts as recorded in LocalStack's public tests
(tests/aws/services/sns), but for where in a text its JSON breaks off.
"""

from __future__ import annotations

import json
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

_SETTABLE = frozenset(
    {
        "DeliveryPolicy",
        "FilterPolicy",
        "FilterPolicyScope",
        "RawMessageDelivery",
        "RedrivePolicy",
        "ReplayPolicy",
        "SubscriptionRoleArn",
    }
)
_IN_JSON = ("DeliveryPolicy", "FilterPolicy", "RedrivePolicy")


def install(world: World) -> None:
    """Look at the attributes before they are kept."""

    def check(call: Call) -> None:
        if call.service != "sns":
            return
        if call.operation == "SetSubscriptionAttributes":
            name, value = str(call.params["AttributeName"]), str(call.params.get("AttributeValue", ""))
            if wrong := _wrong(name, value):
                raise _invalid(wrong)
        if call.operation == "Subscribe":
            _check_new(world, call)

    world.before.append(check)


def _check_new(world: World, call: Call) -> None:
    given = {str(name): str(value) for name, value in (call.params.get("Attributes") or {}).items()}
    for name, value in given.items():
        if wrong := _wrong(name, value):
            raise _invalid(f"Attributes Reason: {wrong}")
    existing = _same(world, call)
    if existing is not None and any(
        existing.attributes.get(name, _default(name)) != value for name, value in given.items()
    ):
        raise _invalid("Attributes Reason: Subscription already exists with different attributes")


def _same(world: World, call: Call) -> Any | None:
    """moto's subscription of the same endpoint to the same topic."""
    wanted = tuple(str(call.params.get(name, "")) for name in ("TopicArn", "Protocol", "Endpoint"))
    store = world.store("sns", wanted[0].split(":")[4], call.region)
    subscriptions = list(store.subscriptions.values())
    return next(
        (each for each in subscriptions if (each.topic.arn, each.protocol, each.endpoint) == wanted), None
    )


def _default(name: str) -> str:
    return {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}.get(name, "")


def _wrong(name: str, value: str) -> str:
    """What is wrong with an attribute, an empty string if nothing is. An empty value takes a policy away."""
    if name not in _SETTABLE:
        return "AttributeName"
    if name == "RawMessageDelivery" and value.lower() not in ("true", "false"):
        return f"{name}: Invalid value [{value}]. Must be true or false."
    if name not in _IN_JSON or not value:
        return ""
    try:
        policy = json.loads(value)
    except ValueError:
        return f"{name}: failed to parse JSON."
    if name == "RedrivePolicy" and not str(policy.get("deadLetterTargetArn", "")).startswith("arn:"):
        return f"{name}: deadLetterTargetArn is an invalid arn"
    return ""


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidParameter", f"Invalid parameter: {text}")
