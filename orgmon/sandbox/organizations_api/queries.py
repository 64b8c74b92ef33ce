"""What can be asked of Organizations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orgmon.organization import OrganizationalUnit
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.organization import Member, OrgView
from orgmon.sandbox.organizations_api.shapes import Shapes, page
from orgmon.sandbox.policies.store import OrganizationPolicies


class Queries:
    """Handlers of the reading calls, each named after its API call. ``creations``: CreateAccount requests by id."""

    def __init__(
        self, view: OrgView, policies: OrganizationPolicies, creations: dict[str, dict[str, Any]]
    ) -> None:
        self._view = view
        self._policies = policies
        self._shapes = Shapes(view)
        self._creations = creations

    def DescribeOrganization(self, call: Call) -> dict[str, Any]:
        """The organization; every member may ask."""
        view = self._view
        manager = view.accounts[view.management_account]
        organization = {
            "Id": view.org_id,
            "Arn": f"arn:aws:organizations::{manager.id}:organization/{view.org_id}",
            "FeatureSet": "ALL",
            "MasterAccountArn": self._shapes.account_arn(manager.id),
            "MasterAccountId": manager.id,
            "MasterAccountEmail": manager.email,
            "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        }
        return {"Organization": organization}

    def ListAccounts(self, call: Call) -> dict[str, Any]:
        """The members, in pages."""
        return page(
            "Accounts", [self._shapes.account(member) for member in self._view.accounts.values()], call.params
        )

    def DescribeAccount(self, call: Call) -> dict[str, Any]:
        """One member."""
        return {"Account": self._shapes.account(self._view.member(call.params["AccountId"]))}

    def ListRoots(self, call: Call) -> dict[str, Any]:
        """The one root."""
        return page("Roots", [self._shapes.root(self._policies.enabled)], call.params)

    def ListOrganizationalUnitsForParent(self, call: Call) -> dict[str, Any]:
        """The units directly below a root or unit."""
        parent = self._parent(call.params["ParentId"])
        units = [self._shapes.unit(unit) for unit in self._view.units.values() if unit.parent_id == parent.id]
        return page("OrganizationalUnits", units, call.params)

    def DescribeOrganizationalUnit(self, call: Call) -> dict[str, Any]:
        """One unit."""
        return {
            "OrganizationalUnit": self._shapes.unit(self._view.tree.unit(call.params["OrganizationalUnitId"]))
        }

    def ListAccountsForParent(self, call: Call) -> dict[str, Any]:
        """The accounts directly below a root or unit."""
        parent = self._parent(call.params["ParentId"])
        accounts = [
            self._shapes.account(member)
            for member in self._view.accounts.values()
            if member.parent_id == parent.id
        ]
        return page("Accounts", accounts, call.params)

    def ListChildren(self, call: Call) -> dict[str, Any]:
        """The ids directly below a root or unit, of one type."""
        parent, kind = self._parent(call.params["ParentId"]), call.params["ChildType"]
        pool: Sequence[Member | OrganizationalUnit] = (
            list(self._view.accounts.values()) if kind == "ACCOUNT" else list(self._view.units.values())
        )
        children = [{"Id": child.id, "Type": kind} for child in pool if child.parent_id == parent.id]
        return page("Children", children, call.params)

    def ListParents(self, call: Call) -> dict[str, Any]:
        """The one parent of an account or unit."""
        child_id = call.params["ChildId"]
        child = self._view.accounts.get(child_id) or self._view.units.get(child_id)
        if child is None or not child.parent_id:
            raise Refusal("ChildNotFoundException", "You specified a child that doesn't exist.")
        kind = "ROOT" if child.parent_id == self._view.root_id else "ORGANIZATIONAL_UNIT"
        return page("Parents", [{"Id": child.parent_id, "Type": kind}], call.params)

    def DescribeCreateAccountStatus(self, call: Call) -> dict[str, Any]:
        """How a CreateAccount request is doing."""
        status = self._creations.get(call.params["CreateAccountRequestId"])
        if status is None:
            raise Refusal(
                "CreateAccountStatusNotFoundException", "You specified a request that doesn't exist."
            )
        return {"CreateAccountStatus": status}

    def ListCreateAccountStatus(self, call: Call) -> dict[str, Any]:
        """All CreateAccount requests, by state if asked."""
        states = call.params.get("States") or ["IN_PROGRESS", "SUCCEEDED", "FAILED"]
        statuses = [status for status in self._creations.values() if status["State"] in states]
        return page("CreateAccountStatuses", statuses, call.params)

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        """The tags of an account, unit or root."""
        tags = self._view.tags_of(call.params["ResourceId"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}

    def ListAWSServiceAccessForOrganization(self, call: Call) -> dict[str, Any]:
        """The services that have trusted access."""
        services = [
            {"ServicePrincipal": name, "DateEnabled": since}
            for name, since in sorted(self._view.settings.service_access.items())
        ]
        return page("EnabledServicePrincipals", services, call.params)

    def ListDelegatedAdministrators(self, call: Call) -> dict[str, Any]:
        """The members that administer a service, or any service."""
        wanted = call.params.get("ServicePrincipal")
        since: dict[str, Any] = {}
        for delegation in self._view.settings.delegations:
            if wanted in (None, delegation.service):
                since.setdefault(delegation.account, delegation.since)
        administrators = [
            {**self._shapes.account(self._view.accounts[account]), "DelegationEnabledDate": moment}
            for account, moment in since.items()
        ]
        return page("DelegatedAdministrators", administrators, call.params)

    def ListDelegatedServicesForAccount(self, call: Call) -> dict[str, Any]:
        """The services that a member administers."""
        account = call.params["AccountId"]
        self._view.member(account)
        services = [
            {"ServicePrincipal": delegation.service, "DelegationEnabledDate": delegation.since}
            for delegation in self._view.settings.delegations
            if delegation.account == account
        ]
        if not services:
            raise Refusal(
                "AccountNotRegisteredException",
                "The provided account is not a registered delegated administrator for your organization.",
            )
        return page("DelegatedServices", services, call.params)

    def _parent(self, parent_id: str) -> OrganizationalUnit:
        parent = self._view.units.get(parent_id)
        if parent is None:
            raise Refusal("ParentNotFoundException", "You specified parent that doesn't exist.")
        return parent
