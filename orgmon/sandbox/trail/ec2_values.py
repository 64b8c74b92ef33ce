"""EC2's calls as CloudTrail spells them, where that is not the API's spelling.

Source: recorded events of ModifySnapshotAttribute, ModifyImageAttribute, AuthorizeSecurityGroupIngress, StopInstances
and DeleteFlowLogs (a newer call, whose parameters are the XML of its request); botocore's model (names in answers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Members = dict[str, Any]
_ATTRIBUTE_TYPES = {
    # By operation: the member that is changed, and what CloudTrail calls it.
    "ModifySnapshotAttribute": ("createVolumePermission", "CREATE_VOLUME_PERMISSION"),
    "ModifyImageAttribute": ("launchPermission", "launchPermission"),
}
_RULE_CALLS = frozenset(
    f"{verb}SecurityGroup{way}" for verb in ("Authorize", "Revoke") for way in ("Ingress", "Egress")
)
_RULE_LISTS = ("groups", "ipRanges", "ipv6Ranges", "prefixListIds")
_INSTANCE_CALLS = frozenset({"RebootInstances", "StartInstances", "StopInstances", "TerminateInstances"})


def parameters(operation: str, members: Members) -> Members:
    """The parameters of a call from those in lower camel case, in which lists are ``{"items": [...]}``."""
    if operation in _ATTRIBUTE_TYPES:
        return _of_attribute(operation, dict(members))
    if operation in _RULE_CALLS:
        return {**members, "ipPermissions": _rules(members.get("ipPermissions") or {})}
    if operation in _INSTANCE_CALLS and "instanceIds" in members:
        ids = members["instanceIds"]["items"]
        others = {name: value for name, value in members.items() if name != "instanceIds"}
        return {**others, "instancesSet": {"items": [{"instanceId": each} for each in ids]}}
    if operation == "DeleteFlowLogs":
        return {"DeleteFlowLogsRequest": {"FlowLogId": _tagged(members["flowLogIds"]["items"])}}
    return members


def results(operation: str, members: Members, request_id: str) -> Members:
    """The results with the request's id; ``_return`` where that is all there is."""
    if operation == "DeleteFlowLogs":
        return {"DeleteFlowLogsResponse": {"requestId": request_id, "unsuccessful": ""}}
    return {"requestId": request_id, **(members or {"_return": True})}


def answer_name(name: str, shape: Any) -> str:
    """The name of a member as the answer's XML has it: ``SecurityGroupRules`` -> ``securityGroupRuleSet``."""
    text = str(shape.serialization.get("name", name)) if shape is not None else name
    text = text[:1].lower() + text[1:]
    return "_return" if text == "return" else text


def _of_attribute(operation: str, members: Members) -> Members:
    """Both forms of the call are told in one: what is added and what is removed."""
    changed, kind = _ATTRIBUTE_TYPES[operation]
    who = [{"userId": each} for each in _items(members.pop("userIds", None))]
    groups = members.pop("groupNames", None) or members.pop("userGroups", None)
    who += [{"group": each} for each in _items(groups)]
    verb = members.pop("operationType", "add")
    attribute = members.pop("attribute", changed)
    if who:
        members[changed] = {verb: {"items": who}}
    if changed in members or attribute != changed:
        members["attributeType"] = kind if changed in members else attribute
    return members


def _items(value: Any) -> list[Any]:
    return list(value["items"]) if value else []


def _rules(permissions: Mapping[str, Any]) -> Members:
    """Rules with all their lists, the empty ones too."""
    if not permissions:
        return {}
    rules = []
    for rule in permissions["items"]:
        given = {("groups" if name == "userIdGroupPairs" else name): value for name, value in rule.items()}
        lists = {name: given.get(name) or {} for name in _RULE_LISTS}
        rules.append({**given, **lists})
    return {"items": rules}


def _tagged(ids: list[str]) -> Any:
    """Repeated elements of XML: one by itself, several as a list, each with its number."""
    tagged = [{"content": each, "tag": number} for number, each in enumerate(ids, 1)]
    return tagged[0] if len(tagged) == 1 else tagged
