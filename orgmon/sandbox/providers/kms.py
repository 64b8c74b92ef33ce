"""KMS: keys and aliases."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import (
    differs,
    document,
    is_true,
    parsed,
    tag_changes,
    tag_map,
)
from orgmon.sandbox.providers.provider import HandlerError, Place, Properties, Provider, provides


def kms_tags(tags: Any) -> list[dict[str, str]]:
    """Tags with KMS's member names."""
    return [{"TagKey": key, "TagValue": value} for key, value in tag_map(tags).items()]


@provides("AWS::KMS::Key")
class Key(Provider):
    """Policy, description, rotation, state, tags. Deleting schedules the deletion."""

    supports = frozenset(
        {
            "Description",
            "EnableKeyRotation",
            "Enabled",
            "KeyPolicy",
            "KeySpec",
            "KeyUsage",
            "MultiRegion",
            "PendingWindowInDays",
            "RotationPeriodInDays",
            "Tags",
        }
    )

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateKey, then rotation and state where they differ from a fresh key's."""
        members: dict[str, Any] = {"Tags": kms_tags(wanted.get("Tags"))}
        for name in ("Description", "KeySpec", "KeyUsage"):
            if name in wanted:
                members[name] = wanted[name]
        if "KeyPolicy" in wanted:
            members["Policy"] = document(wanted["KeyPolicy"])
        if "MultiRegion" in wanted:
            members["MultiRegion"] = is_true(wanted["MultiRegion"])
        made = place.client("kms").create_key(**members)
        key_id = place.claim(str(made["KeyMetadata"]["KeyId"]))
        self._set_state(place, key_id, {}, wanted)
        return key_id

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """A call for each thing that differs."""
        if differs(old, wanted, "KeySpec", "KeyUsage", "MultiRegion"):
            raise HandlerError("NotUpdatable", "KeySpec, KeyUsage and MultiRegion of a key cannot be changed")
        client = place.client("kms")
        if differs(old, wanted, "Description"):
            client.update_key_description(KeyId=physical_id, Description=wanted.get("Description", ""))
        if differs(old, wanted, "KeyPolicy") and "KeyPolicy" in wanted:
            client.put_key_policy(
                KeyId=physical_id, PolicyName="default", Policy=document(wanted["KeyPolicy"])
            )
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        if removed:
            client.untag_resource(KeyId=physical_id, TagKeys=removed)
        if changed:
            client.tag_resource(KeyId=physical_id, Tags=kms_tags(changed))
        self._set_state(place, physical_id, old, wanted)

    def _set_state(self, place: Place, key_id: str, old: Properties, wanted: Properties) -> None:
        client = place.client("kms")
        rotates = is_true(wanted.get("EnableKeyRotation", False))
        if rotates and differs(old, wanted, "EnableKeyRotation", "RotationPeriodInDays"):
            period = wanted.get("RotationPeriodInDays")
            client.enable_key_rotation(
                KeyId=key_id, **({"RotationPeriodInDays": int(period)} if period else {})
            )
        elif not rotates and is_true(old.get("EnableKeyRotation", False)):
            client.disable_key_rotation(KeyId=key_id)
        enabled = is_true(wanted.get("Enabled", True))
        if enabled != is_true(old.get("Enabled", True)):
            change = client.enable_key if enabled else client.disable_key
            change(KeyId=key_id)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """ScheduleKeyDeletion, after 30 days unless the template says otherwise."""
        days = int(last.get("PendingWindowInDays", 30))
        place.client("kms").schedule_key_deletion(KeyId=physical_id, PendingWindowInDays=days)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Description, policy, rotation and state; None when it is pending deletion."""
        client = place.client("kms")
        about = client.describe_key(KeyId=physical_id)["KeyMetadata"]
        if about["KeyState"] == "PendingDeletion":
            return None
        policy = client.get_key_policy(KeyId=physical_id, PolicyName="default")["Policy"]
        tags = client.list_resource_tags(KeyId=physical_id).get("Tags", [])
        return {
            "Description": about.get("Description", ""),
            "Enabled": about["Enabled"],
            "EnableKeyRotation": client.get_key_rotation_status(KeyId=physical_id)["KeyRotationEnabled"],
            "KeyPolicy": parsed(policy),
            "Tags": [{"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in tags],
        }

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """Arn and KeyId."""
        return {"Arn": place.arn("kms", f"key/{physical_id}"), "KeyId": physical_id}


@provides("AWS::KMS::Alias")
class Alias(Provider):
    """A name of a key."""

    name_property = "AliasName"
    supports = frozenset({"AliasName", "TargetKeyId"})

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateAlias."""
        name = str(wanted["AliasName"])
        place.client("kms").create_alias(AliasName=name, TargetKeyId=wanted["TargetKeyId"])
        return place.claim(name)

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """UpdateAlias."""
        place.client("kms").update_alias(AliasName=physical_id, TargetKeyId=wanted["TargetKeyId"])

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteAlias."""
        place.client("kms").delete_alias(AliasName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The key that the alias points to."""
        for page in place.client("kms").get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == physical_id:
                    return {"AliasName": physical_id, "TargetKeyId": alias.get("TargetKeyId", "")}
        return None
