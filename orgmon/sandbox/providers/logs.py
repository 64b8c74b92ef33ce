"""CloudWatch Logs: log groups, metric filters, resource policies."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import (
    differs,
    document,
    lowered,
    raised,
    tag_changes,
    tag_list,
    tag_map,
)
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides


@provides("AWS::Logs::LogGroup")
class LogGroup(Provider):
    """Name, retention in days, key, own policy, tags."""

    name_property = "LogGroupName"
    name_limit = 512
    supports = frozenset(
        {"LogGroupName", "RetentionInDays", "KmsKeyId", "LogGroupClass", "ResourcePolicyDocument", "Tags"}
    )

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateLogGroup, then the retention."""
        name = self.name(place, wanted)
        members: dict[str, Any] = {"logGroupName": name}
        if wanted.get("Tags"):
            members["tags"] = tag_map(wanted["Tags"])
        if "KmsKeyId" in wanted:
            members["kmsKeyId"] = wanted["KmsKeyId"]
        if "LogGroupClass" in wanted:
            members["logGroupClass"] = wanted["LogGroupClass"]
        place.client("logs").create_log_group(**members)
        self._set_retention(place, place.claim(name), {}, wanted)
        self._set_policy(place, name, {}, wanted)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Retention, key and tags, each where it differs."""
        client = place.client("logs")
        self._set_retention(place, physical_id, old, wanted)
        self._set_policy(place, physical_id, old, wanted)
        if differs(old, wanted, "KmsKeyId"):
            if "KmsKeyId" in wanted:
                client.associate_kms_key(logGroupName=physical_id, kmsKeyId=wanted["KmsKeyId"])
            else:
                client.disassociate_kms_key(logGroupName=physical_id)
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        arn = place.arn("logs", f"log-group:{physical_id}")
        if removed:
            client.untag_resource(resourceArn=arn, tagKeys=removed)
        if changed:
            client.tag_resource(resourceArn=arn, tags=changed)

    def _set_retention(self, place: Place, name: str, old: Properties, wanted: Properties) -> None:
        if not differs(old, wanted, "RetentionInDays"):
            return
        client = place.client("logs")
        if "RetentionInDays" in wanted:
            client.put_retention_policy(logGroupName=name, retentionInDays=int(wanted["RetentionInDays"]))
        else:
            client.delete_retention_policy(logGroupName=name)

    def _set_policy(self, place: Place, name: str, old: Properties, wanted: Properties) -> None:
        if not differs(old, wanted, "ResourcePolicyDocument"):
            return
        client = place.client("logs")
        arn = place.arn("logs", f"log-group:{name}")
        found = client.describe_resource_policies(resourceArn=arn)["resourcePolicies"]
        revision = {"expectedRevisionId": found[0]["revisionId"]} if found else {}
        if "ResourcePolicyDocument" in wanted:
            text = document(wanted["ResourcePolicyDocument"])
            client.put_resource_policy(resourceArn=arn, policyDocument=text, **revision)
        else:
            client.delete_resource_policy(resourceArn=arn, **revision)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteLogGroup."""
        place.client("logs").delete_log_group(logGroupName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Retention, key, policy and tags."""
        client = place.client("logs")
        groups = client.describe_log_groups(logGroupNamePrefix=physical_id)["logGroups"]
        for group in groups:
            if group["logGroupName"] == physical_id:
                arn = place.arn("logs", f"log-group:{physical_id}")
                tags = client.list_tags_for_resource(resourceArn=arn).get("tags", {})
                shape = _group_shape(group, tags)
                for policy in client.describe_resource_policies(resourceArn=arn)["resourcePolicies"]:
                    shape["ResourcePolicyDocument"] = policy["policyDocument"]
                return shape
        return None

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN, which ends in ``:*`` as the service gives it."""
        return {"Arn": place.arn("logs", f"log-group:{physical_id}:*")}


def _group_shape(group: dict[str, Any], tags: dict[str, str]) -> Properties:
    shape: Properties = {"LogGroupName": group["logGroupName"], "Tags": tag_list(tags)}
    if "retentionInDays" in group:
        shape["RetentionInDays"] = group["retentionInDays"]
    if group.get("kmsKeyId"):
        shape["KmsKeyId"] = group["kmsKeyId"]
    if "logGroupClass" in group:
        shape["LogGroupClass"] = group["logGroupClass"]
    return shape


@provides("AWS::Logs::MetricFilter")
class MetricFilter(Provider):
    """A pattern on a log group and the metric that its matches count."""

    name_property = "FilterName"
    name_limit = 512
    overwrites = True
    supports = frozenset({"FilterName", "FilterPattern", "LogGroupName", "MetricTransformations"})

    def create(self, place: Place, wanted: Properties) -> str:
        """PutMetricFilter."""
        name = self.name(place, wanted)
        self._put(place, name, wanted)
        return place.claim(name)

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """PutMetricFilter."""
        self._put(place, physical_id, wanted)

    def _put(self, place: Place, name: str, wanted: Properties) -> None:
        place.client("logs").put_metric_filter(
            logGroupName=wanted["LogGroupName"],
            filterName=name,
            filterPattern=wanted["FilterPattern"],
            metricTransformations=[_transformation(each) for each in wanted["MetricTransformations"]],
        )

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteMetricFilter."""
        place.client("logs").delete_metric_filter(logGroupName=last["LogGroupName"], filterName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Pattern and transformations."""
        group = last["LogGroupName"]
        answer = place.client("logs").describe_metric_filters(
            logGroupName=group, filterNamePrefix=physical_id
        )
        for metric_filter in answer["metricFilters"]:
            if metric_filter["filterName"] == physical_id:
                return {
                    "FilterName": physical_id,
                    "LogGroupName": group,
                    "FilterPattern": metric_filter["filterPattern"],
                    "MetricTransformations": raised(metric_filter["metricTransformations"]),
                }
        return None


def _transformation(wanted: dict[str, Any]) -> dict[str, Any]:
    transformation: dict[str, Any] = lowered(
        {name: each for name, each in wanted.items() if name != "Dimensions"}
    )
    transformation["metricValue"] = str(transformation["metricValue"])
    if "defaultValue" in transformation:
        transformation["defaultValue"] = float(transformation["defaultValue"])
    if "Dimensions" in wanted:
        transformation["dimensions"] = {each["Key"]: each["Value"] for each in wanted["Dimensions"]}
    return transformation


@provides("AWS::Logs::ResourcePolicy")
class ResourcePolicy(Provider):
    """What other services may do with the Region's log groups."""

    name_property = "PolicyName"
    overwrites = True
    supports = frozenset({"PolicyName", "PolicyDocument"})

    def create(self, place: Place, wanted: Properties) -> str:
        """PutResourcePolicy."""
        name = str(wanted["PolicyName"])
        self.update(place, name, {}, wanted)
        return place.claim(name)

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """PutResourcePolicy."""
        policy = document(wanted["PolicyDocument"])
        place.client("logs").put_resource_policy(policyName=physical_id, policyDocument=policy)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteResourcePolicy."""
        place.client("logs").delete_resource_policy(policyName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The document of that name."""
        for policy in place.client("logs").describe_resource_policies()["resourcePolicies"]:
            if policy["policyName"] == physical_id:
                return {"PolicyName": physical_id, "PolicyDocument": policy["policyDocument"]}
        return None
