"""What the organization's policies forbid, whatever an account's own policies allow.

Sources: Organizations user guide, "SCP evaluation" (every level from the root to the account must allow, no level may
deny; the management account and service-linked roles are not affected, the root users of members are), "Resource
control policies" (for resources of members, whoever asks; service-linked roles, AWS managed keys and
``kms:RetireGrant`` are not affected); IAM user guide, "Troubleshoot access denied error messages" (wording).
"""

from __future__ import annotations

from orgmon.sandbox.calls import Principal
from orgmon.sandbox.conditions import Context
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.policies.store import OrganizationPolicies
from orgmon.sandbox.policies.syntax import PROTECTED, RCP, SCP
from orgmon.sandbox.policy import Decision, Request, combine, evaluate

_PEOPLE = ("root", "user", "role")
_NAMES = {SCP: "service control policy", RCP: "resource control policy"}


class Guardrails:
    """Asks the policies of an organization."""

    def __init__(self, view: OrgView, policies: OrganizationPolicies) -> None:
        self._view = view
        self._policies = policies

    def refusal_for(self, principal: Principal, action: str, resource: str, context: Context) -> str | None:
        """None if service control policies let the principal do that, else why not, in AWS's words."""
        if principal.kind not in _PEOPLE or _is_service_linked(principal):
            return None
        return self._refusal(SCP, principal.account, Request(action, resource, context=context))

    def refusal_at(
        self, owner: str, principal: Principal, action: str, resource: str, context: Context
    ) -> str | None:
        """None if resource control policies let the resource of ``owner`` be used, else why not, in AWS's words."""
        is_protected = action.partition(":")[0] in PROTECTED and action != "kms:RetireGrant"
        if not is_protected or _is_service_linked(principal) or ":alias/aws/" in resource:
            return None
        return self._refusal(RCP, owner, Request(action, resource, principal, context))

    def _refusal(self, kind: str, account: str, request: Request) -> str | None:
        if kind not in self._policies.enabled or account == self._view.management_account:
            return None
        name = _NAMES[kind]
        decisions = [
            combine(evaluate(policy.content, request) for policy in self._policies.attached(kind, target))
            for target in self._view.line_of(account)
        ]
        if Decision.DENY in decisions:
            return f"with an explicit deny in a {name}"
        return f"because no {name} allows the {request.action} action" if Decision.NONE in decisions else None


def _is_service_linked(principal: Principal) -> bool:
    return ":role/aws-service-role/" in principal.role_arn
