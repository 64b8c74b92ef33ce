"""Systems Manager: parameters."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import chosen, tag_changes, tag_list, tag_map
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides

_MEMBERS = ("AllowedPattern", "DataType", "Description", "Policies", "Tier", "Type", "Value")


@provides("AWS::SSM::Parameter")
class Parameter(Provider):
    """A parameter."""

    name_property = "Name"
    supports = frozenset({"Name", "Tags", *_MEMBERS})

    def create(self, place: Place, wanted: Properties) -> str:
        """PutParameter."""
        name = self.name(place, wanted)
        members: dict[str, Any] = chosen(wanted, *_MEMBERS)
        if wanted.get("Tags"):
            members["Tags"] = tag_list(tag_map(wanted["Tags"]))
        place.client("ssm").put_parameter(Name=name, **members)
        return place.claim(name)

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """PutParameter over the old one, then the tags."""
        client = place.client("ssm")
        client.put_parameter(Name=physical_id, Overwrite=True, **chosen(wanted, *_MEMBERS))
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        if removed:
            client.remove_tags_from_resource(
                ResourceType="Parameter", ResourceId=physical_id, TagKeys=removed
            )
        if changed:
            client.add_tags_to_resource(
                ResourceType="Parameter", ResourceId=physical_id, Tags=tag_list(changed)
            )

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteParameter."""
        place.client("ssm").delete_parameter(Name=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Value, type and description."""
        client = place.client("ssm")
        parameter = client.get_parameter(Name=physical_id)["Parameter"]
        wanted = {"Key": "Name", "Option": "Equals", "Values": [physical_id]}
        about = client.describe_parameters(ParameterFilters=[wanted])["Parameters"]
        described = chosen(about[0], "Description", "Tier") if about else {}
        tags = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=physical_id)["TagList"]
        return {**chosen(parameter, "Name", "Type", "Value", "DataType"), **described, "Tags": tag_map(tags)}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """Arn, Type and Value."""
        arn = place.arn("ssm", f"parameter/{physical_id.lstrip('/')}")
        return {"Arn": arn, "Type": wanted["Type"], "Value": wanted["Value"]}
