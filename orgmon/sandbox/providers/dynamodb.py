"""DynamoDB: tables."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import chosen, differs, is_true, numbers, tag_changes, tag_list
from orgmon.sandbox.providers.provider import HandlerError, Place, Properties, Provider, provides

_FIXED = ("AttributeDefinitions", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes")


@provides("AWS::DynamoDB::Table")
class Table(Provider):
    """A table with keys, billing, time to live, encryption, point-in-time recovery, stream and tags."""

    name_property = "TableName"
    supports = frozenset(
        {
            "BillingMode",
            "DeletionProtectionEnabled",
            "PointInTimeRecoverySpecification",
            "ProvisionedThroughput",
            "SSESpecification",
            "StreamSpecification",
            "TableName",
            "Tags",
            "TimeToLiveSpecification",
            *_FIXED,
        }
    )

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateTable, then time to live and point-in-time recovery."""
        name = self.name(place, wanted)
        members = {**chosen(wanted, *_FIXED, "BillingMode", "Tags"), **_table_settings(wanted)}
        client = place.client("dynamodb")
        made = client.create_table(TableName=name, **members)["TableDescription"]
        place.claim(name)
        if "LatestStreamArn" in made:
            place.keep("StreamArn", made["LatestStreamArn"])
        self._set_extras(client, name, {}, wanted)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """UpdateTable, the extras and the tags, each where it differs. Keys and indexes cannot change here."""
        if differs(old, wanted, *_FIXED):
            raise HandlerError("NotUpdatable", "Keys and indexes of a table are not updatable in the sandbox")
        client = place.client("dynamodb")
        settings = ("BillingMode", "ProvisionedThroughput", "SSESpecification", "StreamSpecification")
        if differs(old, wanted, *settings, "DeletionProtectionEnabled"):
            members = {**chosen(wanted, "BillingMode"), **_table_settings(wanted)}
            client.update_table(TableName=physical_id, **members)
        self._set_extras(client, physical_id, old, wanted)
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        arn = place.arn("dynamodb", f"table/{physical_id}")
        if removed:
            client.untag_resource(ResourceArn=arn, TagKeys=removed)
        if changed:
            client.tag_resource(ResourceArn=arn, Tags=tag_list(changed))

    def _set_extras(self, client: Any, name: str, old: Properties, wanted: Properties) -> None:
        if differs(old, wanted, "TimeToLiveSpecification"):
            _set_time_to_live(client, name, old, wanted)
        if differs(old, wanted, "PointInTimeRecoverySpecification"):
            kept = wanted.get("PointInTimeRecoverySpecification", {})
            enabled = is_true(kept.get("PointInTimeRecoveryEnabled", False))
            client.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
            )

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteTable."""
        place.client("dynamodb").delete_table(TableName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Keys, billing, time to live and encryption."""
        client = place.client("dynamodb")
        table = client.describe_table(TableName=physical_id)["Table"]
        settings = chosen(
            table, "TableName", "AttributeDefinitions", "KeySchema", "DeletionProtectionEnabled"
        )
        settings["BillingMode"] = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
        time_to_live = client.describe_time_to_live(TableName=physical_id)["TimeToLiveDescription"]
        if time_to_live["TimeToLiveStatus"] == "ENABLED":
            name = time_to_live["AttributeName"]
            settings["TimeToLiveSpecification"] = {"AttributeName": name, "Enabled": True}
        if "SSEDescription" in table:
            about = table["SSEDescription"]
            settings["SSESpecification"] = {"SSEEnabled": about["Status"] == "ENABLED"}
        return settings

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN."""
        return {"Arn": place.arn("dynamodb", f"table/{physical_id}")}


def _set_time_to_live(client: Any, name: str, old: Properties, wanted: Properties) -> None:
    """UpdateTimeToLive; dropping the specification switches it off for the attribute it had."""
    former = {**old.get("TimeToLiveSpecification", {}), "Enabled": False}
    target = wanted.get("TimeToLiveSpecification", former)
    client.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={
            "AttributeName": target["AttributeName"],
            "Enabled": is_true(target["Enabled"]),
        },
    )


def _table_settings(wanted: Properties) -> dict[str, Any]:
    """The settings that CreateTable and UpdateTable share, in their words."""
    members: dict[str, Any] = {}
    if "ProvisionedThroughput" in wanted:
        units = ("ReadCapacityUnits", "WriteCapacityUnits")
        members["ProvisionedThroughput"] = numbers(wanted["ProvisionedThroughput"], units)
    if "SSESpecification" in wanted:
        asked = wanted["SSESpecification"]
        members["SSESpecification"] = {
            "Enabled": is_true(asked["SSEEnabled"]),
            **chosen(asked, "SSEType", "KMSMasterKeyId"),
        }
    if "StreamSpecification" in wanted:
        view = wanted["StreamSpecification"]["StreamViewType"]
        members["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    if "DeletionProtectionEnabled" in wanted:
        members["DeletionProtectionEnabled"] = is_true(wanted["DeletionProtectionEnabled"])
    return members
