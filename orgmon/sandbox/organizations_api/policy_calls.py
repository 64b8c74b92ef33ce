"""Service control policies and resource control policies as the API shows and changes them.

Other types of policies, which manage services instead of access, are not there: making or enabling one says so.
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import NOT_HERE, Call, Refusal
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.organizations_api.shapes import Shapes, page
from orgmon.sandbox.policies.store import OrganizationPolicies, Policy
from orgmon.sandbox.policies.syntax import LIMITS

_NO_EFFECTIVE = (
    "If you ran this action on the management account, this policy type is not enabled. If you ran the action on a "
    "member account, the account doesn't have an effective policy of this type."
)


class PolicyCalls:
    """Handlers, each named after its API call."""

    def __init__(self, view: OrgView, policies: OrganizationPolicies) -> None:
        self._view = view
        self._policies = policies
        self._shapes = Shapes(view)

    def CreatePolicy(self, call: Call) -> dict[str, Any]:
        """A new policy, attached to nothing."""
        params = call.params
        kind = _here(params["Type"])
        policy = self._policies.create(kind, params["Name"], params.get("Description", ""), params["Content"])
        tags = self._view.tags_of(policy.id)
        tags.update({tag["Key"]: tag["Value"] for tag in params.get("Tags", [])})
        return {"Policy": self._described(policy)}

    def UpdatePolicy(self, call: Call) -> dict[str, Any]:
        """Another name, description or content."""
        params = call.params
        policy = self._policies.update(
            params["PolicyId"], params.get("Name"), params.get("Description"), params.get("Content")
        )
        return {"Policy": self._described(policy)}

    def DeletePolicy(self, call: Call) -> dict[str, Any]:
        """A policy goes away."""
        self._policies.delete(call.params["PolicyId"])
        return {}

    def DescribePolicy(self, call: Call) -> dict[str, Any]:
        """A policy with its content."""
        return {"Policy": self._described(self._policies.get(call.params["PolicyId"]))}

    def ListPolicies(self, call: Call) -> dict[str, Any]:
        """The policies of a type, in pages."""
        found = self._policies.of_kind(call.params["Filter"])
        return page("Policies", [self._summary(policy) for policy in found], call.params)

    def ListPoliciesForTarget(self, call: Call) -> dict[str, Any]:
        """What is attached directly to a target."""
        target = call.params["TargetId"]
        self._policies.check_target(target)
        found = self._policies.attached(call.params["Filter"], target)
        return page("Policies", [self._summary(policy) for policy in found], call.params)

    def ListTargetsForPolicy(self, call: Call) -> dict[str, Any]:
        """What a policy is attached to."""
        policy = self._policies.get(call.params["PolicyId"])
        return page("Targets", [self._target(each) for each in self._policies.targets(policy)], call.params)

    def AttachPolicy(self, call: Call) -> dict[str, Any]:
        """A policy begins to have an effect on a target and all below it."""
        self._policies.attach(call.params["PolicyId"], call.params["TargetId"])
        return {}

    def DetachPolicy(self, call: Call) -> dict[str, Any]:
        """A policy has no effect any more."""
        self._policies.detach(call.params["PolicyId"], call.params["TargetId"])
        return {}

    def EnablePolicyType(self, call: Call) -> dict[str, Any]:
        """Policies of a type can be attached from now on."""
        self._policies.enable(_here(call.params["PolicyType"]), call.params["RootId"])
        return {"Root": self._shapes.root(self._policies.enabled)}

    def DisablePolicyType(self, call: Call) -> dict[str, Any]:
        """Policies of a type have no effect any more."""
        self._policies.disable(call.params["PolicyType"], call.params["RootId"])
        return {"Root": self._shapes.root(self._policies.enabled)}

    def DescribeEffectivePolicy(self, call: Call) -> dict[str, Any]:
        """Only for types that manage services, of which there are none here."""
        kind = call.params["PolicyType"]
        if kind in LIMITS:
            text = f"You specified an invalid policy type string: {kind}."
            raise Refusal("InvalidInputException", text, details={"Reason": "INVALID_ENUM_POLICY_TYPE"})
        raise Refusal("EffectivePolicyNotFoundException", _NO_EFFECTIVE)

    def _described(self, policy: Policy) -> dict[str, Any]:
        return {"PolicySummary": self._summary(policy), "Content": policy.content}

    def _summary(self, policy: Policy) -> dict[str, Any]:
        kind = policy.kind.lower()
        if policy.is_aws_managed:
            arn = f"arn:aws:organizations::aws:policy/{kind}/{policy.id}"
        else:
            arn = self._shapes.arn(f"policy/{self._view.org_id}/{kind}/{policy.id}")
        return {
            "Id": policy.id,
            "Arn": arn,
            "Name": policy.name,
            "Description": policy.description,
            "Type": policy.kind,
            "AwsManaged": policy.is_aws_managed,
        }

    def _target(self, target: str) -> dict[str, Any]:
        if target in self._view.accounts:
            member = self._view.accounts[target]
            arn, name, kind = self._shapes.account_arn(member.id), member.name, "ACCOUNT"
        elif target == self._view.root_id:
            root = self._shapes.root(self._policies.enabled)
            arn, name, kind = root["Arn"], root["Name"], "ROOT"
        else:
            unit = self._shapes.unit(self._view.tree.unit(target))
            arn, name, kind = unit["Arn"], unit["Name"], "ORGANIZATIONAL_UNIT"
        return {"TargetId": target, "Arn": arn, "Name": name, "Type": kind}


def _here(kind: str) -> str:
    """The type, if it is there. Raises Refusal (501)."""
    if kind not in LIMITS:
        raise Refusal("NotImplemented", f"The sandbox does not have policies of type {kind}.", NOT_HERE)
    return kind
