"""The Organizations API over the sandbox's own store.

Operations about policies, handshakes and responsibility transfers are not there and say so.
Who may call what: Organizations user guide, "Delegated administrator for AWS services that work with Organizations".
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from orgmon.organization import AccountState, OrganizationalUnit
from orgmon.sandbox.calls import Call, Operations, Refusal
from orgmon.sandbox.organization import Delegation, Member, OrgView
from orgmon.sandbox.seed import CLOUDTRAIL_PRINCIPAL, STACKSETS_PRINCIPAL

PAGE = 20
_FOR_EVERYBODY = frozenset({"DescribeOrganization"})
_DELEGATE_PREFIXES = ("List", "Describe")
_TRUSTED_SERVICES = frozenset(
    {
        CLOUDTRAIL_PRINCIPAL,
        STACKSETS_PRINCIPAL,
        "access-analyzer.amazonaws.com",
        "account.amazonaws.com",
        "backup.amazonaws.com",
        "config.amazonaws.com",
        "config-multiaccountsetup.amazonaws.com",
        "detective.amazonaws.com",
        "guardduty.amazonaws.com",
        "inspector2.amazonaws.com",
        "ipam.amazonaws.com",
        "macie.amazonaws.com",
        "ram.amazonaws.com",
        "reporting.trustedadvisor.amazonaws.com",
        "securityhub.amazonaws.com",
        "servicecatalog.amazonaws.com",
        "ssm.amazonaws.com",
        "sso.amazonaws.com",
        "tagpolicies.tag.amazonaws.com",
    }
)


class OrganizationsApi:
    """Answers ``organizations`` calls."""

    def __init__(self, view: OrgView) -> None:
        self.view = view
        self._requests: dict[str, dict[str, Any]] = {}

    def register(self, operations: Operations) -> None:
        """Take over every operation of the service."""
        for name, method in vars(type(self)).items():
            if name[:1].isupper():
                operations.register("organizations", name, self._guarded(name, method))
        operations.register("organizations", "*", self._unknown)

    def _guarded(self, name: str, method: Callable[..., dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
        def handler(call: Call) -> dict[str, Any]:
            self._check_caller(name, call.account)
            return method(self, call)

        return handler

    def _check_caller(self, name: str, account: str) -> None:
        if self.view.organization_of(account) is None:
            raise Refusal(
                "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
            )
        if account == self.view.management_account or name in _FOR_EVERYBODY:
            return
        if self.view.is_delegated(account) and name.startswith(_DELEGATE_PREFIXES):
            return
        raise Refusal("AccessDeniedException", "You don't have permissions to access this resource.")

    def _unknown(self, call: Call) -> dict[str, Any]:
        raise Refusal("NotImplemented", f"The sandbox does not have organizations:{call.operation}.", 501)

    def DescribeOrganization(self, call: Call) -> dict[str, Any]:
        """The organization; every member may ask."""
        view = self.view
        manager = view.accounts[view.management_account]
        organization = {
            "Id": view.org_id,
            "Arn": f"arn:aws:organizations::{manager.id}:organization/{view.org_id}",
            "FeatureSet": "ALL",
            "MasterAccountArn": self._account_arn(manager.id),
            "MasterAccountId": manager.id,
            "MasterAccountEmail": manager.email,
            "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        }
        return {"Organization": organization}

    def ListAccounts(self, call: Call) -> dict[str, Any]:
        """The members, in pages."""
        return _page("Accounts", [self._account(one) for one in self.view.accounts.values()], call.params)

    def DescribeAccount(self, call: Call) -> dict[str, Any]:
        """One member."""
        return {"Account": self._account(self.view.member(call.params["AccountId"]))}

    def ListRoots(self, call: Call) -> dict[str, Any]:
        """The one root."""
        root = self.view.units[self.view.root_id]
        entry = {"Id": root.id, "Arn": self._arn(f"root/{self.view.org_id}/{root.id}"), "Name": root.name}
        return _page("Roots", [{**entry, "PolicyTypes": []}], call.params)

    def ListOrganizationalUnitsForParent(self, call: Call) -> dict[str, Any]:
        """The units directly below a root or unit."""
        parent = self._parent(call.params["ParentId"])
        found = [self._unit(unit) for unit in self.view.units.values() if unit.parent_id == parent.id]
        return _page("OrganizationalUnits", found, call.params)

    def DescribeOrganizationalUnit(self, call: Call) -> dict[str, Any]:
        """One unit."""
        return {"OrganizationalUnit": self._unit(self.view.unit(call.params["OrganizationalUnitId"]))}

    def ListAccountsForParent(self, call: Call) -> dict[str, Any]:
        """The accounts directly below a root or unit."""
        parent = self._parent(call.params["ParentId"])
        found = [self._account(one) for one in self.view.accounts.values() if one.parent_id == parent.id]
        return _page("Accounts", found, call.params)

    def ListChildren(self, call: Call) -> dict[str, Any]:
        """The ids directly below a root or unit, of one type."""
        parent, kind = self._parent(call.params["ParentId"]), call.params["ChildType"]
        pool: Sequence[Member | OrganizationalUnit] = (
            list(self.view.accounts.values()) if kind == "ACCOUNT" else list(self.view.units.values())
        )
        found = [{"Id": one.id, "Type": kind} for one in pool if one.parent_id == parent.id]
        return _page("Children", found, call.params)

    def ListParents(self, call: Call) -> dict[str, Any]:
        """The one parent of an account or unit."""
        child = call.params["ChildId"]
        one = self.view.accounts.get(child) or self.view.units.get(child)
        if one is None or not one.parent_id:
            raise Refusal("ChildNotFoundException", "You specified a child that doesn't exist.")
        kind = "ROOT" if one.parent_id == self.view.root_id else "ORGANIZATIONAL_UNIT"
        return _page("Parents", [{"Id": one.parent_id, "Type": kind}], call.params)

    def CreateOrganizationalUnit(self, call: Call) -> dict[str, Any]:
        """A new unit."""
        unit = self.view.add_unit(call.params["ParentId"], call.params["Name"])
        self._set_tags(unit.id, call.params.get("Tags", []))
        return {"OrganizationalUnit": self._unit(unit)}

    def UpdateOrganizationalUnit(self, call: Call) -> dict[str, Any]:
        """Another name for a unit."""
        unit_id = call.params["OrganizationalUnitId"]
        name = call.params.get("Name") or self.view.unit(unit_id).name
        return {"OrganizationalUnit": self._unit(self.view.rename_unit(unit_id, name))}

    def DeleteOrganizationalUnit(self, call: Call) -> dict[str, Any]:
        """An empty unit goes away."""
        self.view.delete_unit(call.params["OrganizationalUnitId"])
        return {}

    def CreateAccount(self, call: Call) -> dict[str, Any]:
        """A new account under the root. As in AWS the answer says IN_PROGRESS; here the account is ready at once."""
        member = self.view.add_account(call.params["AccountName"], call.params["Email"])
        self._set_tags(member.id, call.params.get("Tags", []))
        request_id = f"car-{uuid.uuid4().hex}"
        started = {"Id": request_id, "AccountName": member.name, "RequestedTimestamp": call.time}
        done = {"State": "SUCCEEDED", "CompletedTimestamp": call.time, "AccountId": member.id}
        self._requests[request_id] = {**started, **done}
        return {"CreateAccountStatus": {**started, "State": "IN_PROGRESS"}}

    def DescribeCreateAccountStatus(self, call: Call) -> dict[str, Any]:
        """How a CreateAccount request is doing."""
        found = self._requests.get(call.params["CreateAccountRequestId"])
        if found is None:
            raise Refusal(
                "CreateAccountStatusNotFoundException", "You specified a request that doesn't exist."
            )
        return {"CreateAccountStatus": found}

    def ListCreateAccountStatus(self, call: Call) -> dict[str, Any]:
        """All CreateAccount requests, by state if asked."""
        states = call.params.get("States") or ["IN_PROGRESS", "SUCCEEDED", "FAILED"]
        found = [one for one in self._requests.values() if one["State"] in states]
        return _page("CreateAccountStatuses", found, call.params)

    def MoveAccount(self, call: Call) -> dict[str, Any]:
        """An account changes its parent."""
        params = call.params
        self.view.move(params["AccountId"], params["SourceParentId"], params["DestinationParentId"])
        return {}

    def RemoveAccountFromOrganization(self, call: Call) -> dict[str, Any]:
        """An account leaves."""
        self.view.remove(call.params["AccountId"])
        return {}

    def CloseAccount(self, call: Call) -> dict[str, Any]:
        """An account is closed."""
        self.view.close(call.params["AccountId"])
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        """The tags of an account, unit or root."""
        tags = self.view.tags_of(self._target(call.params["ResourceId"]))
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}

    def TagResource(self, call: Call) -> dict[str, Any]:
        """Tags are added or replaced."""
        self._set_tags(self._target(call.params["ResourceId"]), call.params["Tags"])
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        """Tags are taken away."""
        tags = self.view.tags_of(self._target(call.params["ResourceId"]))
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def EnableAWSServiceAccess(self, call: Call) -> dict[str, Any]:
        """A service gets trusted access."""
        service = self._trusted_service(call)
        self.view.service_access.setdefault(service, call.time)
        return {}

    def DisableAWSServiceAccess(self, call: Call) -> dict[str, Any]:
        """A service loses trusted access."""
        self.view.service_access.pop(self._trusted_service(call), None)
        return {}

    def ListAWSServiceAccessForOrganization(self, call: Call) -> dict[str, Any]:
        """The services that have trusted access."""
        found = [
            {"ServicePrincipal": name, "DateEnabled": since}
            for name, since in sorted(self.view.service_access.items())
        ]
        return _page("EnabledServicePrincipals", found, call.params)

    def RegisterDelegatedAdministrator(self, call: Call) -> dict[str, Any]:
        """A member may administer a service for the organization."""
        service, account = self._trusted_service(call), call.params["AccountId"]
        member = self.view.member(account)
        if account == self.view.management_account:
            raise Refusal(
                "ConstraintViolationException",
                "You cannot register master account/yourself as delegated administrator for your organization.",
            )
        if member.state is not AccountState.ACTIVE:
            raise Refusal("ConstraintViolationException", "You cannot register a suspended account.")
        if self.view.is_delegated(account, service):
            raise Refusal(
                "AccountAlreadyRegisteredException",
                "The provided account is already a delegated administrator for your organization.",
            )
        self.view.delegations.append(Delegation(account, service, call.time))
        return {}

    def DeregisterDelegatedAdministrator(self, call: Call) -> dict[str, Any]:
        """A member no longer administers a service."""
        service, account = self._trusted_service(call), call.params["AccountId"]
        self.view.member(account)
        if not self.view.is_delegated(account, service):
            raise Refusal(
                "AccountNotRegisteredException",
                "The provided account is not a registered delegated administrator for your organization.",
            )
        kept = [one for one in self.view.delegations if (one.account, one.service) != (account, service)]
        self.view.delegations[:] = kept
        return {}

    def ListDelegatedAdministrators(self, call: Call) -> dict[str, Any]:
        """The members that administer a service, or any service."""
        wanted = call.params.get("ServicePrincipal")
        since: dict[str, Any] = {}
        for one in self.view.delegations:
            if wanted in (None, one.service):
                since.setdefault(one.account, one.since)
        found = [
            {**self._account(self.view.accounts[account]), "DelegationEnabledDate": moment}
            for account, moment in since.items()
        ]
        return _page("DelegatedAdministrators", found, call.params)

    def ListDelegatedServicesForAccount(self, call: Call) -> dict[str, Any]:
        """The services that a member administers."""
        account = call.params["AccountId"]
        self.view.member(account)
        found = [
            {"ServicePrincipal": one.service, "DelegationEnabledDate": one.since}
            for one in self.view.delegations
            if one.account == account
        ]
        if not found:
            raise Refusal(
                "AccountNotRegisteredException",
                "The provided account is not a registered delegated administrator for your organization.",
            )
        return _page("DelegatedServices", found, call.params)

    def _trusted_service(self, call: Call) -> str:
        service = str(call.params["ServicePrincipal"])
        if service not in _TRUSTED_SERVICES:
            raise Refusal("InvalidInputException", "You specified an unrecognized service principal.")
        return service

    def _parent(self, parent_id: str) -> OrganizationalUnit:
        found = self.view.units.get(parent_id)
        if found is None:
            raise Refusal("ParentNotFoundException", "You specified parent that doesn't exist.")
        return found

    def _target(self, resource_id: str) -> str:
        if resource_id not in self.view.accounts and resource_id not in self.view.units:
            raise Refusal("TargetNotFoundException", "You specified a target that doesn't exist.")
        return resource_id

    def _set_tags(self, resource_id: str, tags: list[dict[str, str]]) -> None:
        self.view.tags_of(resource_id).update({tag["Key"]: tag["Value"] for tag in tags})

    def _arn(self, local: str) -> str:
        return f"arn:aws:organizations::{self.view.management_account}:{local}"

    def _account_arn(self, account: str) -> str:
        return self._arn(f"account/{self.view.org_id}/{account}")

    def _unit(self, unit: OrganizationalUnit) -> dict[str, Any]:
        return {"Id": unit.id, "Arn": self._arn(f"ou/{self.view.org_id}/{unit.id}"), "Name": unit.name}

    def _account(self, member: Member) -> dict[str, Any]:
        status = "ACTIVE" if member.state is AccountState.ACTIVE else "SUSPENDED"
        return {
            "Id": member.id,
            "Arn": self._account_arn(member.id),
            "Email": member.email,
            "Name": member.name,
            "Status": status,
            "State": member.state.value,
            "Paths": [f"{self.view.id_path_of(member.id)}{member.id}/"],
            "JoinedMethod": member.joined_method,
            "JoinedTimestamp": member.joined,
        }


def _page(name: str, items: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    size = min(int(params.get("MaxResults") or PAGE), PAGE)
    start = _offset(params.get("NextToken"))
    result: dict[str, Any] = {name: items[start : start + size]}
    if start + size < len(items):
        result["NextToken"] = base64.urlsafe_b64encode(f"from {start + size}".encode()).decode()
    return result


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("from "))
    except ValueError as error:
        raise Refusal("InvalidInputException", "The provided NextToken is not valid.") from error
