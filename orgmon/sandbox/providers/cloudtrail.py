"""CloudTrail: trails."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import chosen, differs, is_true, tag_changes, tag_list
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides

_TRUTHS = {
    "EnableLogFileValidation": "LogFileValidationEnabled",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "IsOrganizationTrail": "IsOrganizationTrail",
}
"""Properties that are truths, and what DescribeTrails calls them."""
_TEXTS = {
    "CloudWatchLogsLogGroupArn": "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn": "CloudWatchLogsRoleArn",
    "KMSKeyId": "KmsKeyId",
    "S3BucketName": "S3BucketName",
    "S3KeyPrefix": "S3KeyPrefix",
    "SnsTopicName": "SnsTopicName",
}
_MEMBERS = {"KMSKeyId": "KmsKeyId"}
_SELECTORS = ("EventSelectors", "AdvancedEventSelectors")


@provides("AWS::CloudTrail::Trail")
class Trail(Provider):
    """A trail; IsLogging starts and stops it."""

    name_property = "TrailName"
    name_limit = 128
    supports = frozenset(
        {"IsLogging", "Tags", "TrailName", "InsightSelectors", *_TRUTHS, *_TEXTS, *_SELECTORS}
    )

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateTrail, selectors, StartLogging."""
        name = self.name(place, wanted)
        client = place.client("cloudtrail")
        client.create_trail(Name=name, TagsList=wanted.get("Tags", []), **_trail_members(wanted))
        place.claim(name)
        self._set_selectors(client, name, {}, wanted)
        if is_true(wanted["IsLogging"]):
            client.start_logging(Name=name)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """UpdateTrail, selectors, StartLogging or StopLogging, tags; each where it differs."""
        client = place.client("cloudtrail")
        if differs(old, wanted, *_TRUTHS, *_TEXTS):
            dropped = {_MEMBERS.get(name, name): "" for name in _TEXTS if name in old and name not in wanted}
            client.update_trail(Name=physical_id, **{**dropped, **_trail_members(wanted)})
        self._set_selectors(client, physical_id, old, wanted)
        if is_true(old.get("IsLogging", False)) != is_true(wanted["IsLogging"]):
            change = client.start_logging if is_true(wanted["IsLogging"]) else client.stop_logging
            change(Name=physical_id)
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        arn = place.arn("cloudtrail", f"trail/{physical_id}")
        if removed:
            client.remove_tags(ResourceId=arn, TagsList=[{"Key": key} for key in removed])
        if changed:
            client.add_tags(ResourceId=arn, TagsList=tag_list(changed))

    def _set_selectors(self, client: Any, name: str, old: Properties, wanted: Properties) -> None:
        if differs(old, wanted, *_SELECTORS) and any(each in wanted for each in _SELECTORS):
            client.put_event_selectors(TrailName=name, **_selectors(wanted))
        if differs(old, wanted, "InsightSelectors"):
            client.put_insight_selectors(TrailName=name, InsightSelectors=wanted.get("InsightSelectors", []))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteTrail."""
        client = place.client("cloudtrail")
        client.get_trail(Name=physical_id)
        client.delete_trail(Name=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """All settings and whether it logs."""
        client = place.client("cloudtrail")
        trail = client.get_trail(Name=physical_id)["Trail"]
        names = {**_TRUTHS, **_TEXTS}
        settings = {
            name: trail[member] for name, member in names.items() if trail.get(member) not in (None, "")
        }
        logging = client.get_trail_status(Name=physical_id)["IsLogging"]
        return {"TrailName": physical_id, "IsLogging": logging, **settings}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN, and the topic's."""
        attributes = {"Arn": place.arn("cloudtrail", f"trail/{physical_id}")}
        topic = wanted.get("SnsTopicName")
        if topic:
            attributes["SnsTopicArn"] = topic if topic.startswith("arn:") else place.arn("sns", topic)
        return attributes


def _trail_members(wanted: Properties) -> dict[str, Any]:
    members: dict[str, Any] = {_MEMBERS.get(name, name): wanted[name] for name in _TEXTS if name in wanted}
    return members | {name: is_true(wanted[name]) for name in _TRUTHS if name in wanted}


def _selectors(wanted: Properties) -> dict[str, Any]:
    """Event selectors in the words of PutEventSelectors."""
    if "AdvancedEventSelectors" in wanted:
        return chosen(wanted, "AdvancedEventSelectors")
    return {"EventSelectors": [_basic_selector(each) for each in wanted["EventSelectors"]]}


def _basic_selector(wanted: dict[str, Any]) -> dict[str, Any]:
    selector = dict(wanted)
    if "IncludeManagementEvents" in wanted:
        selector["IncludeManagementEvents"] = is_true(wanted["IncludeManagementEvents"])
    return selector
