"""Customer managed IAM policies."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.iam_identity import call, global_arn
from orgmon.sandbox.providers.properties import differs, document, parsed
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides

_HOLDERS = (("Role", "Roles"), ("User", "Users"), ("Group", "Groups"))


def _held(properties: Properties) -> list[tuple[str, str]]:
    """Pairs of kind and name of those that a policy is attached to."""
    return [(kind, name) for kind, member in _HOLDERS for name in properties.get(member, [])]


@provides("AWS::IAM::ManagedPolicy")
class ManagedPolicy(Provider):
    """A customer managed policy; its physical id is the ARN. An update makes a new default version."""

    name_property = "ManagedPolicyName"
    name_limit = 128
    supports = frozenset(
        {"Description", "Groups", "ManagedPolicyName", "Path", "PolicyDocument", "Roles", "Users"}
    )

    def identify(self, place: Place, wanted: Properties) -> str:
        """The ARN of the named policy."""
        name = wanted.get("ManagedPolicyName")
        return global_arn(place, f"policy{wanted.get('Path', '/')}{name}") if name else ""

    def create(self, place: Place, wanted: Properties) -> str:
        """CreatePolicy, then attach it."""
        client = place.client("iam")
        made = client.create_policy(
            PolicyName=self.name(place, wanted),
            Path=wanted.get("Path", "/"),
            Description=wanted.get("Description", ""),
            PolicyDocument=document(wanted["PolicyDocument"]),
        )
        arn = place.claim(str(made["Policy"]["Arn"]))
        self._attach(client, arn, {}, wanted)
        return arn

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """CreatePolicyVersion as the default one (the former is removed), then the attachments."""
        client = place.client("iam")
        if differs(old, wanted, "PolicyDocument"):
            text = document(wanted["PolicyDocument"])
            client.create_policy_version(PolicyArn=physical_id, PolicyDocument=text, SetAsDefault=True)
            _drop_versions(client, physical_id)
        self._attach(client, physical_id, old, wanted)

    def _attach(self, client: Any, arn: str, old: Properties, wanted: Properties) -> None:
        before = set(_held(old))
        after = set(_held(wanted))
        for kind, holder in sorted(after - before):
            call(client, "attach_{kind}_policy", kind, holder, PolicyArn=arn)
        for kind, holder in sorted(before - after):
            call(client, "detach_{kind}_policy", kind, holder, PolicyArn=arn)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Detach it, remove the other versions, then DeletePolicy."""
        client = place.client("iam")
        self._attach(client, physical_id, last, {})
        _drop_versions(client, physical_id)
        client.delete_policy(PolicyArn=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The document of the default version."""
        client = place.client("iam")
        policy = client.get_policy(PolicyArn=physical_id)["Policy"]
        version = client.get_policy_version(PolicyArn=physical_id, VersionId=policy["DefaultVersionId"])
        text = parsed(version["PolicyVersion"]["Document"])
        return {"ManagedPolicyName": policy["PolicyName"], "Path": policy["Path"], "PolicyDocument": text}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN."""
        return {"PolicyArn": physical_id}


def _drop_versions(client: Any, arn: str) -> None:
    """Remove all versions but the default one."""
    for version in client.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
