"""IAM roles."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.iam_identity import (
    apply_boundary,
    apply_policies,
    apply_tags,
    global_arn,
    read_policies,
    strip,
)
from orgmon.sandbox.providers.properties import differs, document, parsed
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides


@provides("AWS::IAM::Role")
class Role(Provider):
    """A role with its trust, policies, boundary, path and session length."""

    name_property = "RoleName"
    name_limit = 64
    supports = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        }
    )

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateRole, then its policies."""
        name = self.name(place, wanted)
        members: dict[str, Any] = {
            "AssumeRolePolicyDocument": document(wanted["AssumeRolePolicyDocument"]),
            "Path": wanted.get("Path", "/"),
            "Tags": wanted.get("Tags", []),
        }
        if "MaxSessionDuration" in wanted:
            members["MaxSessionDuration"] = int(wanted["MaxSessionDuration"])
        for optional in ("Description", "PermissionsBoundary"):
            if optional in wanted:
                members[optional] = wanted[optional]
        client = place.client("iam")
        made = client.create_role(RoleName=name, **members)["Role"]
        place.claim(name)
        place.keep("RoleId", made["RoleId"])
        apply_policies(client, "Role", name, {}, wanted)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Trust, description, session length, policies, boundary and tags, each where it differs."""
        client = place.client("iam")
        if differs(old, wanted, "AssumeRolePolicyDocument"):
            trust = document(wanted["AssumeRolePolicyDocument"])
            client.update_assume_role_policy(RoleName=physical_id, PolicyDocument=trust)
        if differs(old, wanted, "Description", "MaxSessionDuration"):
            client.update_role(
                RoleName=physical_id,
                Description=wanted.get("Description", ""),
                MaxSessionDuration=int(wanted.get("MaxSessionDuration", 3600)),
            )
        apply_policies(client, "Role", physical_id, old, wanted)
        apply_boundary(client, "Role", physical_id, old, wanted)
        apply_tags(client, "Role", physical_id, old, wanted)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Strip the role of its policies, then DeleteRole."""
        client = place.client("iam")
        strip(client, "Role", physical_id)
        client.delete_role(RoleName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Trust, path, session length and policies."""
        client = place.client("iam")
        role = client.get_role(RoleName=physical_id)["Role"]
        names = ("RoleName", "Path", "Description", "MaxSessionDuration", "Tags")
        settings = {name: role[name] for name in names if name in role}
        trust = {"AssumeRolePolicyDocument": parsed(role["AssumeRolePolicyDocument"])}
        return {**settings, **trust, **read_policies(client, "Role", physical_id)}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN, path included."""
        return {"Arn": global_arn(place, f"role{wanted.get('Path', '/')}{physical_id}")}
