"""What IAM roles and users have in common: policies, tags, a boundary."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import differs, document, parsed, tag_changes, tag_list
from orgmon.sandbox.providers.provider import Place, Properties


def _documents(wanted: Properties) -> dict[str, str]:
    """The inline policies by name."""
    return {entry["PolicyName"]: document(entry["PolicyDocument"]) for entry in wanted.get("Policies", [])}


def call(client: Any, verb: str, kind: str, name: str, **members: Any) -> Any:
    """An IAM call that exists for roles, users and groups alike, e.g. put_role_policy."""
    return getattr(client, verb.format(kind=kind.lower()))(**{f"{kind}Name": name}, **members)


def apply_policies(client: Any, kind: str, name: str, old: Properties, wanted: Properties) -> None:
    """Inline and managed policies of a role or user, from the old properties to the wanted ones."""
    before = _documents(old)
    after = _documents(wanted)
    for policy, text in after.items():
        if before.get(policy) != text:
            call(client, "put_{kind}_policy", kind, name, PolicyName=policy, PolicyDocument=text)
    for policy in before:
        if policy not in after:
            call(client, "delete_{kind}_policy", kind, name, PolicyName=policy)
    attached = set(old.get("ManagedPolicyArns", []))
    needed = set(wanted.get("ManagedPolicyArns", []))
    for arn in sorted(needed - attached):
        call(client, "attach_{kind}_policy", kind, name, PolicyArn=arn)
    for arn in sorted(attached - needed):
        call(client, "detach_{kind}_policy", kind, name, PolicyArn=arn)


def apply_tags(client: Any, kind: str, name: str, old: Properties, wanted: Properties) -> None:
    """Tags of a role or user, from the old properties to the wanted ones."""
    changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
    if removed:
        call(client, "untag_{kind}", kind, name, TagKeys=removed)
    if changed:
        call(client, "tag_{kind}", kind, name, Tags=tag_list(changed))


def apply_boundary(client: Any, kind: str, name: str, old: Properties, wanted: Properties) -> None:
    """The permissions boundary of a role or user, from the old properties to the wanted ones."""
    if not differs(old, wanted, "PermissionsBoundary"):
        return
    if "PermissionsBoundary" in wanted:
        boundary = wanted["PermissionsBoundary"]
        call(client, "put_{kind}_permissions_boundary", kind, name, PermissionsBoundary=boundary)
    else:
        call(client, "delete_{kind}_permissions_boundary", kind, name)


def strip(client: Any, kind: str, name: str) -> None:
    """Take away every policy, since IAM deletes neither a role nor a user that has some."""
    for policy in call(client, "list_{kind}_policies", kind, name)["PolicyNames"]:
        call(client, "delete_{kind}_policy", kind, name, PolicyName=policy)
    for policy in call(client, "list_attached_{kind}_policies", kind, name)["AttachedPolicies"]:
        call(client, "detach_{kind}_policy", kind, name, PolicyArn=policy["PolicyArn"])


def read_policies(client: Any, kind: str, name: str) -> Properties:
    """The inline and managed policies of a role or user, in CloudFormation's words."""
    names = call(client, "list_{kind}_policies", kind, name)["PolicyNames"]
    attached = call(client, "list_attached_{kind}_policies", kind, name)["AttachedPolicies"]
    inline = [_inline(client, kind, name, policy) for policy in names]
    return {"Policies": inline, "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached]}


def _inline(client: Any, kind: str, name: str, policy: str) -> dict[str, Any]:
    """One inline policy, in CloudFormation's words."""
    answer = call(client, "get_{kind}_policy", kind, name, PolicyName=policy)
    return {"PolicyName": policy, "PolicyDocument": parsed(answer["PolicyDocument"])}


def global_arn(place: Place, resource: str) -> str:
    """An ARN without a Region, in the stack's account."""
    return f"arn:{place.partition}:iam::{place.account}:{resource}"
