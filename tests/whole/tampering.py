"""What somebody who wants no alarms would do to the monitoring: each as an administrator who is no deployer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orgmon.sandbox.world import World
from tests.whole.links import HOME, MEMBER, SECURITY


def _hub(world: World, service: str) -> Any:
    return world.session(SECURITY).client(service)


def _member(world: World, service: str) -> Any:
    return world.session(MEMBER).client(service)


def rule(world: World) -> None:
    """Switch a rule of the hub off, and on again."""
    _hub(world, "events").disable_rule(Name="trail-tampering", EventBusName="orgmon")
    world.client("events", SECURITY, HOME).enable_rule(Name="trail-tampering", EventBusName="orgmon")


def alarm(world: World) -> None:
    """Silence an alarm of the member, and let it speak again."""
    name = "orgmon-member-failed-sign-ins"
    _member(world, "cloudwatch").disable_alarm_actions(AlarmNames=[name])
    world.client("cloudwatch", MEMBER, HOME).enable_alarm_actions(AlarmNames=[name])


def subscription(world: World) -> None:
    """Change a topic."""
    topic = f"arn:aws:sns:{HOME}:{SECURITY}:orgmon-low"
    _hub(world, "sns").set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="x")


def bus(world: World) -> None:
    """Change the bus."""
    _hub(world, "events").update_event_bus(Name="orgmon", Description="x")


def key(world: World) -> None:
    """Point the alias of the hub's key somewhere, here to where it points already."""
    kms = _hub(world, "kms")
    kms.update_alias(
        AliasName="alias/orgmon-hub",
        TargetKeyId=kms.describe_key(KeyId="alias/orgmon-hub")["KeyMetadata"]["KeyId"],
    )


def store(world: World) -> None:
    """Change a queue and the notifier's table."""
    sqs = _hub(world, "sqs")
    url = sqs.get_queue_url(QueueName="orgmon-routine")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0"})
    _hub(world, "dynamodb").update_table(TableName="orgmon-state", DeletionProtectionEnabled=False)


def function(world: World) -> None:
    """Change the notifier."""
    _hub(world, "lambda").update_function_configuration(FunctionName="orgmon-notifier", Description="x")


def role(world: World) -> None:
    """Change the role that carries events to the hub."""
    _member(world, "iam").update_role(RoleName="orgmon-forward", Description="x")


def log(world: World) -> None:
    """Let the member's log group keep less, and more again."""
    group = "/aws/events/orgmon"
    trusted = world.client("logs", MEMBER, HOME)
    [before] = trusted.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    _member(world, "logs").put_retention_policy(logGroupName=group, retentionInDays=1)
    trusted.put_retention_policy(logGroupName=group, retentionInDays=before["retentionInDays"])


def stack(world: World) -> None:
    """Change a stack of a stack set."""
    cloudformation = _member(world, "cloudformation")
    summaries = cloudformation.list_stacks()["StackSummaries"]
    name = next(
        summary["StackName"] for summary in summaries if summary["StackName"].startswith("StackSet-orgmon-")
    )
    cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)


TAMPERINGS: dict[str, Callable[[World], None]] = {
    f"monitoring-{tamper.__name__}-changed": tamper
    for tamper in (rule, alarm, subscription, bus, key, store, function, role, log, stack)
}
