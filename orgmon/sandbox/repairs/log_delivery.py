"""CloudWatch Logs: where log data is delivered to must be an ARN of something that takes it.

Sources: CloudWatch Logs API reference, PutSubscriptionFilter, PutDeliveryDestination, PutDeliverySource,
DescribeDestinations; "cannot work with destinationArn for vendor" is quoted in public issues.
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox import wording
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.world import World

_PAGES = Pages(
    "destinations",
    "limit",
    50,
    "nextToken",
    "nextToken",
    ("InvalidParameterException", "The specified nextToken is invalid."),
)
_SUBSCRIBERS = ("firehose", "kinesis", "lambda", "logs")
_DELIVERIES = ("firehose", "logs", "s3")
_ARN_PARTS = 6


def install(world: World) -> None:
    """Look at destinations before moto takes them apart, and list them page by page."""

    def destinations(call: Call) -> dict[str, Any]:
        prefix = str(call.params.get("DestinationNamePrefix", ""))
        kept = world.store("logs", call.account, call.region).destinations
        told = [kept[name].to_dict() for name in sorted(kept) if name.startswith(prefix)]
        return _PAGES(call, {"destinations": told})

    world.before.append(_check)
    world.operations.register("logs", "DescribeDestinations", destinations)


def _check(call: Call) -> None:
    if call.service != "logs":
        return
    if call.operation == "PutSubscriptionFilter":
        vendor = _vendor(str(call.params["destinationArn"]))
        if not vendor:
            raise Refusal("InvalidParameterException", "The destinationArn is no ARN.")
        if vendor not in _SUBSCRIBERS:
            text = f"PutSubscriptionFilter operation cannot work with destinationArn for vendor {vendor}"
            raise Refusal("InvalidParameterException", text)
    if call.operation == "PutDeliveryDestination":
        _check_destination(call)
    if call.operation == "PutDeliverySource" and not _vendor(str(call.params["resourceArn"])):
        raise Refusal("ValidationException", "The resourceArn is no ARN.")


def _check_destination(call: Call) -> None:
    if call.params.get("deliveryDestinationType") == "XRAY":
        raise wording.not_there(call.service, call.operation)
    configuration = call.params.get("deliveryDestinationConfiguration") or {}
    if _vendor(str(configuration.get("destinationResourceArn", ""))) not in _DELIVERIES:
        raise Refusal("ValidationException", "The destinationResourceArn is of no service that takes logs.")


def _vendor(arn: str) -> str:
    """The service in an ARN, or an empty string for what is none."""
    parts = arn.split(":")
    return parts[2] if len(parts) >= _ARN_PARTS and parts[0] == "arn" else ""
