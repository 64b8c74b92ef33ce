"""IAM: roles, users, access keys, inline and managed policies."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import differs, document, parsed, tag_changes, tag_list
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides


def _documents(wanted: Properties) -> dict[str, str]:
    """The inline policies by name."""
    return {entry["PolicyName"]: document(entry["PolicyDocument"]) for entry in wanted.get("Policies", [])}


def _call(client: Any, verb: str, kind: str, name: str, **members: Any) -> Any:
    """An IAM call that exists for roles, users and groups alike, e.g. put_role_policy."""
    return getattr(client, verb.format(kind=kind.lower()))(**{f"{kind}Name": name}, **members)


def _apply_policies(client: Any, kind: str, name: str, old: Properties, wanted: Properties) -> None:
    """Inline and managed policies of a role or user, from the old properties to the wanted ones."""
    before = _documents(old)
    after = _documents(wanted)
    for policy, text in after.items():
        if before.get(policy) != text:
            _call(client, "put_{kind}_policy", kind, name, PolicyName=policy, PolicyDocument=text)
    for policy in before:
        if policy not in after:
            _call(client, "delete_{kind}_policy", kind, name, PolicyName=policy)
    attached = set(old.get("ManagedPolicyArns", []))
    needed = set(wanted.get("ManagedPolicyArns", []))
    for arn in sorted(needed - attached):
        _call(client, "attach_{kind}_policy", kind, name, PolicyArn=arn)
    for arn in sorted(attached - needed):
        _call(client, "detach_{kind}_policy", kind, name, PolicyArn=arn)


def _apply_tags(client: Any, kind: str, name: str, old: Properties, wanted: Properties) -> None:
    changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
    if removed:
        _call(client, "untag_{kind}", kind, name, TagKeys=removed)
    if changed:
        _call(client, "tag_{kind}", kind, name, Tags=tag_list(changed))


def _apply_boundary(client: Any, kind: str, name: str, old: Properties, wanted: Properties) -> None:
    if not differs(old, wanted, "PermissionsBoundary"):
        return
    if "PermissionsBoundary" in wanted:
        boundary = wanted["PermissionsBoundary"]
        _call(client, "put_{kind}_permissions_boundary", kind, name, PermissionsBoundary=boundary)
    else:
        _call(client, "delete_{kind}_permissions_boundary", kind, name)


def _strip(client: Any, kind: str, name: str) -> None:
    """Take away every policy, since IAM deletes neither a role nor a user that has some."""
    for policy in _call(client, "list_{kind}_policies", kind, name)["PolicyNames"]:
        _call(client, "delete_{kind}_policy", kind, name, PolicyName=policy)
    for policy in _call(client, "list_attached_{kind}_policies", kind, name)["AttachedPolicies"]:
        _call(client, "detach_{kind}_policy", kind, name, PolicyArn=policy["PolicyArn"])


def _read_policies(client: Any, kind: str, name: str) -> Properties:
    names = _call(client, "list_{kind}_policies", kind, name)["PolicyNames"]
    attached = _call(client, "list_attached_{kind}_policies", kind, name)["AttachedPolicies"]
    inline = [_inline(client, kind, name, policy) for policy in names]
    return {"Policies": inline, "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached]}


def _inline(client: Any, kind: str, name: str, policy: str) -> dict[str, Any]:
    answer = _call(client, "get_{kind}_policy", kind, name, PolicyName=policy)
    return {"PolicyName": policy, "PolicyDocument": parsed(answer["PolicyDocument"])}


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
        _apply_policies(client, "Role", name, {}, wanted)
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
        _apply_policies(client, "Role", physical_id, old, wanted)
        _apply_boundary(client, "Role", physical_id, old, wanted)
        _apply_tags(client, "Role", physical_id, old, wanted)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Strip the role of its policies, then DeleteRole."""
        client = place.client("iam")
        _strip(client, "Role", physical_id)
        client.delete_role(RoleName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Trust, path, session length and policies."""
        client = place.client("iam")
        role = client.get_role(RoleName=physical_id)["Role"]
        names = ("RoleName", "Path", "Description", "MaxSessionDuration", "Tags")
        settings = {name: role[name] for name in names if name in role}
        trust = {"AssumeRolePolicyDocument": parsed(role["AssumeRolePolicyDocument"])}
        return {**settings, **trust, **_read_policies(client, "Role", physical_id)}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN, path included."""
        return {"Arn": _global_arn(place, f"role{wanted.get('Path', '/')}{physical_id}")}


def _global_arn(place: Place, resource: str) -> str:
    return f"arn:{place.partition}:iam::{place.account}:{resource}"


@provides("AWS::IAM::User")
class User(Provider):
    """A user with policies, path and groups left out."""

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
        _apply_policies(client, "User", name, {}, wanted)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Path, policies, boundary and tags, each where it differs."""
        client = place.client("iam")
        if differs(old, wanted, "Path"):
            client.update_user(UserName=physical_id, NewPath=wanted.get("Path", "/"))
        _apply_policies(client, "User", physical_id, old, wanted)
        _apply_boundary(client, "User", physical_id, old, wanted)
        _apply_tags(client, "User", physical_id, old, wanted)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Strip the user of its policies, then DeleteUser; IAM refuses while it has access keys."""
        client = place.client("iam")
        _strip(client, "User", physical_id)
        client.delete_user(UserName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Path, tags and policies."""
        client = place.client("iam")
        user = client.get_user(UserName=physical_id)["User"]
        settings = {name: user[name] for name in ("UserName", "Path", "Tags") if name in user}
        return {**settings, **_read_policies(client, "User", physical_id)}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN, path included."""
        return {"Arn": _global_arn(place, f"user{wanted.get('Path', '/')}{physical_id}")}


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


_HOLDERS = (("Role", "Roles"), ("User", "Users"), ("Group", "Groups"))


@provides("AWS::IAM::Policy")
class InlinePolicy(Provider):
    """An inline policy of roles, users and groups."""

    supports = frozenset({"PolicyName", "PolicyDocument", "Roles", "Users", "Groups"})

    def create(self, place: Place, wanted: Properties) -> str:
        """A put call for each holder."""
        self.update(place, "", {}, wanted)
        return place.claim(place.invent())

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Put it on all wanted holders, and take the old one from where it no longer belongs."""
        client = place.client("iam")
        name = wanted["PolicyName"]
        text = document(wanted["PolicyDocument"])
        kept = set(_held(wanted))
        for kind, holder in _held(wanted):
            _call(client, "put_{kind}_policy", kind, holder, PolicyName=name, PolicyDocument=text)
        for kind, holder in _held(old):
            if (kind, holder) not in kept or old["PolicyName"] != name:
                _call(client, "delete_{kind}_policy", kind, holder, PolicyName=old["PolicyName"])

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """A delete call for each holder."""
        client = place.client("iam")
        for kind, holder in _held(last):
            _call(client, "delete_{kind}_policy", kind, holder, PolicyName=last["PolicyName"])

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The document as the first holder has it."""
        holders = _held(last)
        kind, holder = holders[0]
        return _inline(place.client("iam"), kind, holder, last["PolicyName"])


def _held(properties: Properties) -> list[tuple[str, str]]:
    """Pairs of kind and name of those that have an inline or managed policy."""
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
        return _global_arn(place, f"policy{wanted.get('Path', '/')}{name}") if name else ""

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
            _call(client, "attach_{kind}_policy", kind, holder, PolicyArn=arn)
        for kind, holder in sorted(before - after):
            _call(client, "detach_{kind}_policy", kind, holder, PolicyArn=arn)

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
