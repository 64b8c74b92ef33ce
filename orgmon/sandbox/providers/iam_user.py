"""IAM users and their access keys."""

from __future__ import annotations

from orgmon.sandbox.providers.iam_identity import (
    apply_boundary,
    apply_policies,
    apply_tags,
    global_arn,
    read_policies,
    strip,
)
from orgmon.sandbox.providers.properties import differs
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides


@provides("AWS::IAM::User")
class User(Provider):
    """A user with its policies, boundary, path and tags; groups are left out."""

    name_property = "UserName"
    name_limit = 64
    supports = frozenset({"ManagedPolicyArns", "Path", "PermissionsBoundary", "Policies", "Tags", "UserName"})

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateUser, then its policies."""
        name = self.name(place, wanted)
        client = place.client("iam")
        members = (
            {"PermissionsBoundary": wanted["PermissionsBoundary"]} if "PermissionsBoundary" in wanted else {}
        )
        client.create_user(
            UserName=name, Path=wanted.get("Path", "/"), Tags=wanted.get("Tags", []), **members
        )
        place.claim(name)
        apply_policies(client, "User", name, {}, wanted)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Path, policies, boundary and tags, each where it differs."""
        client = place.client("iam")
        if differs(old, wanted, "Path"):
            client.update_user(UserName=physical_id, NewPath=wanted.get("Path", "/"))
        apply_policies(client, "User", physical_id, old, wanted)
        apply_boundary(client, "User", physical_id, old, wanted)
        apply_tags(client, "User", physical_id, old, wanted)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Strip the user of its policies, then DeleteUser; IAM refuses while it has access keys."""
        client = place.client("iam")
        strip(client, "User", physical_id)
        client.delete_user(UserName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Path, tags and policies."""
        client = place.client("iam")
        user = client.get_user(UserName=physical_id)["User"]
        settings = {name: user[name] for name in ("UserName", "Path", "Tags") if name in user}
        return {**settings, **read_policies(client, "User", physical_id)}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN, path included."""
        return {"Arn": global_arn(place, f"user{wanted.get('Path', '/')}{physical_id}")}


@provides("AWS::IAM::AccessKey")
class AccessKey(Provider):
    """An access key of a user; the secret can be read only from the stack that made it."""

    supports = frozenset({"UserName", "Status", "Serial"})

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateAccessKey."""
        client = place.client("iam")
        made = client.create_access_key(UserName=wanted["UserName"])["AccessKey"]
        key = place.claim(str(made["AccessKeyId"]))
        place.keep("SecretAccessKey", made["SecretAccessKey"])
        if wanted.get("Status", "Active") != "Active":
            client.update_access_key(UserName=wanted["UserName"], AccessKeyId=key, Status=wanted["Status"])
        return key

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """UpdateAccessKey: active or not."""
        status = wanted.get("Status", "Active")
        place.client("iam").update_access_key(
            UserName=wanted["UserName"], AccessKeyId=physical_id, Status=status
        )

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteAccessKey."""
        place.client("iam").delete_access_key(UserName=last["UserName"], AccessKeyId=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Owner and status."""
        answer = place.client("iam").list_access_keys(UserName=last["UserName"])
        for key in answer["AccessKeyMetadata"]:
            if key["AccessKeyId"] == physical_id:
                return {"UserName": key["UserName"], "Status": key["Status"]}
        return None
