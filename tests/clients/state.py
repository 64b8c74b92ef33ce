"""What an account has in one Region, as its APIs tell it: what was asked for, without times, counts and states."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Make = Callable[[str], Any]
Kind = dict[str, Any]

# Of alarms and queues, what nobody asked for.
TOLD = re.compile(r"State\w+|AlarmConfigurationUpdatedTimestamp|Approximate\w+|\w+Timestamp")
# The logical id in the name of an unnamed secret: what stands before it and the length of what follows is no
# concern of the template.
UNNAMED = re.compile(r"([A-Za-z0-9]+)-[A-Za-z0-9]{12,13}$")


def state(make: Make) -> dict[str, Kind]:
    """Kind -> name -> settings, read by the clients that ``make`` gives for a service."""
    return {
        "rules": _rules(make("events")),
        "alarms": _alarms(make("cloudwatch")),
        "log groups": _log_groups(make("logs")),
        "metric filters": _metric_filters(make("logs")),
        "topics": {each["TopicArn"]: None for each in _pages(make("sns"), "list_topics", "Topics")},
        "queues": _queues(make("sqs")),
        "roles": _roles(make("iam")),
        "secrets": _secrets(make("secretsmanager")),
    }


def everything(make: Make) -> dict[str, Kind]:
    """The same, and the stacks and buckets: what has to be as before when a client has cleaned up."""
    stacks = _pages(make("cloudformation"), "describe_stacks", "Stacks")
    return {
        **state(make),
        "stacks": {each["StackName"]: each["StackStatus"] for each in stacks},
        "buckets": {each["Name"]: None for each in make("s3").list_buckets()["Buckets"]},
    }


def _rules(client: Any) -> Kind:
    found: Kind = {}
    for bus in client.list_event_buses()["EventBuses"]:
        for rule in _pages(client, "list_rules", "Rules", EventBusName=bus["Name"]):
            name, where = rule["Name"], {"EventBusName": bus["Name"]}
            targets = client.list_targets_by_rule(Rule=name, **where)["Targets"]
            found[f"{bus['Name']}/{name}"] = {
                "pattern": json.loads(rule.get("EventPattern", "null")),
                "schedule": rule.get("ScheduleExpression"),
                "state": rule["State"],
                "targets": sorted(targets, key=lambda target: str(target["Id"])),
            }
    return found


def _alarms(client: Any) -> Kind:
    return {each["AlarmName"]: _asked(each) for each in _pages(client, "describe_alarms", "MetricAlarms")}


def _log_groups(client: Any) -> Kind:
    groups = _pages(client, "describe_log_groups", "logGroups")
    return {each["logGroupName"]: each.get("retentionInDays") for each in groups}


def _metric_filters(client: Any) -> Kind:
    return {
        f"{each['logGroupName']} {each['filterName']}": (each["filterPattern"], each["metricTransformations"])
        for each in _pages(client, "describe_metric_filters", "metricFilters")
    }


def _queues(client: Any) -> Kind:
    found: Kind = {}
    for url in client.list_queues().get("QueueUrls", ()):
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        policy = json.loads(attributes.pop("Policy", "null"))
        found[url.rpartition("/")[2]] = {**_asked(attributes), "Policy": policy}
    return found


def _roles(client: Any) -> Kind:
    """Roles of services and those that the organization brings are nobody's stack's."""
    found: Kind = {}
    for role in _pages(client, "list_roles", "Roles", PathPrefix="/orgmon/"):
        names = client.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        policies = {
            name: client.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for name in names
        }
        found[role["RoleName"]] = (role["AssumeRolePolicyDocument"], policies)
    return found


def _secrets(client: Any) -> Kind:
    found: Kind = {}
    for each in _pages(client, "list_secrets", "SecretList"):
        unnamed = UNNAMED.search(each["Name"])
        found[unnamed[1] if unnamed else each["Name"]] = each.get("Description", "")
    return found


def _asked(settings: dict[str, Any]) -> dict[str, Any]:
    """Without what is told only; an empty list says no more than none."""
    return {key: value for key, value in settings.items() if value != [] and not TOLD.fullmatch(key)}


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[key]
