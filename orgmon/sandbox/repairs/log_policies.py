"""CloudWatch Logs: the policies that let services write, ten of an account's Region and one of each log group.

Source: API reference, PutResourcePolicy (quotas, revisions, scopes), DescribeResourcePolicies, DeleteResourcePolicy.
moto knows those of the account only. A log group's policy is kept with the group, and goes with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

MOST_POLICIES = 10
LONGEST_POLICY = 5120
_KEPT_AS = "orgmon_policy"


def install(world: World) -> None:
    """Answer the three operations."""
    policies = _LogPolicies(world)
    world.operations.register("logs", "PutResourcePolicy", policies.put)
    world.operations.register("logs", "DescribeResourcePolicies", policies.describe)
    world.operations.register("logs", "DeleteResourcePolicy", policies.delete)


def documents(store: Any, group: str) -> tuple[str, ...]:
    """The policies that decide over a log group: the account's in that Region, and its own. ``store`` is moto's."""
    own = getattr(store.groups.get(group), _KEPT_AS, None)
    of_account = tuple(policy.policy_document for policy in list(store.resource_policies.values()))
    return (*of_account, own["policyDocument"]) if own else of_account


class _LogPolicies:
    def __init__(self, world: World) -> None:
        self._world = world

    def _store(self, call: Call) -> Any:
        return self._world.store("logs", call.account, call.region)

    def put(self, call: Call) -> dict[str, Any]:
        text = str(call.params.get("policyDocument") or "")
        if not text or len(text) > LONGEST_POLICY:
            raise _invalid(f"The policyDocument has to have 1 to {LONGEST_POLICY} characters.")
        if call.params.get("resourceArn"):
            return self._put_on_group(call, text)
        name = str(call.params.get("policyName") or "")
        if not name:
            raise _invalid("A policy of the account needs a policyName.")
        store = self._store(call)
        if name not in store.resource_policies and len(store.resource_policies) >= MOST_POLICIES:
            raise Refusal("LimitExceededException", "Resource limit exceeded.")
        policy = store.put_resource_policy(name, text)
        return {"resourcePolicy": {**policy.describe(), "policyScope": "ACCOUNT"}}

    def _put_on_group(self, call: Call, text: str) -> dict[str, Any]:
        group = self._group(call)
        self._check_revision(call, getattr(group, _KEPT_AS, None))
        policy = {
            "policyName": call.params.get("policyName") or "",
            "policyDocument": text,
            "lastUpdatedTime": int(call.time.timestamp() * 1000),
            "policyScope": "RESOURCE",
            "resourceArn": _arn(group),
            "revisionId": uuid.uuid4().hex,
        }
        setattr(group, _KEPT_AS, policy)
        return {"resourcePolicy": policy, "revisionId": policy["revisionId"]}

    def describe(self, call: Call) -> dict[str, Any]:
        if call.params.get("resourceArn") or call.params.get("policyScope") == "RESOURCE":
            return {"resourcePolicies": list(self._of_groups(call))}
        policies = self._store(call).describe_resource_policies()
        return {"resourcePolicies": [{**policy.describe(), "policyScope": "ACCOUNT"} for policy in policies]}

    def _of_groups(self, call: Call) -> Iterator[dict[str, Any]]:
        groups = [self._group(call)] if call.params.get("resourceArn") else self._store(call).groups.values()
        for group in groups:
            policy = getattr(group, _KEPT_AS, None)
            if policy:
                yield policy

    def delete(self, call: Call) -> dict[str, Any]:
        if not call.params.get("resourceArn"):
            name, policies = str(call.params.get("policyName") or ""), self._store(call).resource_policies
            if policies.pop(name, None) is None:
                raise Refusal("ResourceNotFoundException", f"Policy with name [{name}] does not exist.")
            return {}
        group = self._group(call)
        policy = getattr(group, _KEPT_AS, None)
        if policy is None:
            raise Refusal("ResourceNotFoundException", "The log group has no resource policy.")
        self._check_revision(call, policy)
        setattr(group, _KEPT_AS, None)
        return {}

    def _check_revision(self, call: Call, policy: dict[str, Any] | None) -> None:
        if policy is not None and call.params.get("expectedRevisionId") != policy["revisionId"]:
            raise Refusal("OperationAbortedException", "The expectedRevisionId is not the current revision.")

    def _group(self, call: Call) -> Any:
        arn = str(call.params["resourceArn"]).removesuffix(":*")
        for group in self._store(call).groups.values():
            if _arn(group) == arn:
                return group
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")


def _arn(group: Any) -> str:
    return str(group.arn).removesuffix(":*")


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidParameterException", text)
