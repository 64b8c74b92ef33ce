"""The links of both flows, each with a way to take it away and put it back.

Taken away behind CloudTrail's back: these calls leave no record and set nothing off themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orgmon.sandbox.world import World

HOME = "us-east-1"
MANAGEMENT = "310247698127"
SECURITY = "482019375561"
MEMBER = "904417263085"
READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


@contextmanager
def without_bus_policy(world: World) -> Iterator[None]:
    """The hub's bus is closed to other accounts."""
    events = world.client("events", SECURITY, HOME)
    policy = events.describe_event_bus(Name="orgmon")["Policy"]
    events.remove_permission(EventBusName="orgmon", RemoveAllPermissions=True)
    yield
    events.put_permission(EventBusName="orgmon", Policy=policy)


@contextmanager
def without_forward_policy(world: World) -> Iterator[None]:
    """The member's role may not send to the hub."""
    with _without_role_policy(world, MEMBER, "orgmon-forward", "put-events-on-hub"):
        yield


@contextmanager
def without_edge_policy(world: World) -> Iterator[None]:
    """The edge takes no dead letters, and the hub's bus makes some."""
    with without_bus_policy(world), _without_queue_policy(world, "orgmon-edge"):
        yield


@contextmanager
def without_queue_policy(world: World) -> Iterator[None]:
    """The queue of urgent alerts is closed to the hub's rules."""
    with _without_queue_policy(world, "orgmon-urgent"):
        yield


@contextmanager
def without_key_for_rules(world: World) -> Iterator[None]:
    """EventBridge may not use the hub's key."""
    with _without_key_grant(world, "RulesSend"):
        yield


@contextmanager
def without_key_for_alarms(world: World) -> Iterator[None]:
    """CloudWatch may not use the hub's key."""
    with _without_key_grant(world, "AlarmsPublish"):
        yield


@contextmanager
def without_topic_policy(world: World) -> Iterator[None]:
    """The topic of critical alerts is closed to alarms."""
    sns = world.client("sns", SECURITY, HOME)
    topic = f"arn:aws:sns:{HOME}:{SECURITY}:orgmon-critical"
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    rest = _without_statement(policy, "AlarmsPublish")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(rest))
    yield
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))


@contextmanager
def without_log_policy(world: World) -> Iterator[None]:
    """The member's log group is closed to its rules."""
    logs = world.client("logs", MEMBER, HOME)
    [policy] = logs.describe_resource_policies(policyScope="RESOURCE")["resourcePolicies"]
    on_group = {"resourceArn": policy["resourceArn"]}
    logs.delete_resource_policy(expectedRevisionId=policy["revisionId"], **on_group)
    yield
    logs.put_resource_policy(policyDocument=policy["policyDocument"], **on_group)


@contextmanager
def without_publish(world: World) -> Iterator[None]:
    """The notifier may not publish."""
    with _without_role_statement(world, "orgmon-notifier", "take-remember-say", "Say"):
        yield


@contextmanager
def without_key_for_notifier(world: World) -> Iterator[None]:
    """The notifier may not use the hub's key."""
    with _without_role_statement(world, "orgmon-notifier", "take-remember-say", "UseKey"):
        yield


@contextmanager
def without_trail_policy(world: World) -> Iterator[None]:
    """CloudTrail's role may not write to the trail's log group."""
    with _without_role_policy(world, MANAGEMENT, "orgmon-trail", "write-log-streams"):
        yield


@contextmanager
def without_reads(world: World) -> Iterator[None]:
    """The member's rules are merely ENABLED: they see no read-only calls."""
    with _without_reads(world, MEMBER, "default"):
        yield


@contextmanager
def without_reads_in_the_hub(world: World) -> Iterator[None]:
    """The hub's rules are merely ENABLED."""
    with _without_reads(world, SECURITY, "orgmon"):
        yield


@contextmanager
def _without_reads(world: World, account: str, bus: str) -> Iterator[None]:
    events = world.client("events", account, HOME)
    reading = [rule for rule in events.list_rules(EventBusName=bus)["Rules"] if rule["State"] == READS]
    assert reading
    for state in ("ENABLED", READS):
        for rule in reading:
            events.put_rule(
                Name=rule["Name"], EventBusName=bus, EventPattern=rule["EventPattern"], State=state
            )
        if state == "ENABLED":
            yield


@contextmanager
def _without_role_policy(world: World, account: str, role: str, name: str) -> Iterator[None]:
    iam = world.client("iam", account, HOME)
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=name)
    yield
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


@contextmanager
def _without_role_statement(world: World, role: str, name: str, sid: str) -> Iterator[None]:
    iam = world.client("iam", SECURITY, HOME)
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    rest = _without_statement(policy, sid)
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(rest))
    yield
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


@contextmanager
def _without_queue_policy(world: World, name: str) -> Iterator[None]:
    sqs = world.client("sqs", SECURITY, HOME)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


@contextmanager
def _without_key_grant(world: World, sid: str) -> Iterator[None]:
    kms = world.client("kms", SECURITY, HOME)
    key = kms.describe_key(KeyId="alias/orgmon-hub")["KeyMetadata"]["KeyId"]
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    rest = json.dumps(_without_statement(json.loads(policy), sid))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=rest)
    yield
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


def _without_statement(policy: dict[str, Any], sid: str) -> dict[str, Any]:
    left = [statement for statement in policy["Statement"] if statement["Sid"] != sid]
    assert len(left) == len(policy["Statement"]) - 1
    return {**policy, "Statement": left}
