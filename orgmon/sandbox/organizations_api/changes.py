"""What can be changed by the Organizations API."""

from __future__ import annotations

import uuid
from typing import Any

from orgmon.organization import AccountState
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.org_settings import Delegation
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.organizations_api.shapes import Shapes
from orgmon.sandbox.seed import CLOUDTRAIL_PRINCIPAL, STACKSETS_PRINCIPAL

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


class Changes:
    """Handlers of the changing calls, each named after its API call. ``creations``: CreateAccount requests by id."""

    def __init__(self, view: OrgView, creations: dict[str, dict[str, Any]]) -> None:
        self._view = view
        self._shapes = Shapes(view)
        self._creations = creations

    def CreateOrganizationalUnit(self, call: Call) -> dict[str, Any]:
        """A new unit."""
        unit = self._view.tree.add(call.params["ParentId"], call.params["Name"])
        self._set_tags(unit.id, call.params.get("Tags", []))
        return {"OrganizationalUnit": self._shapes.unit(unit)}

    def UpdateOrganizationalUnit(self, call: Call) -> dict[str, Any]:
        """Another name for a unit."""
        unit_id = call.params["OrganizationalUnitId"]
        name = call.params.get("Name") or self._view.tree.unit(unit_id).name
        return {"OrganizationalUnit": self._shapes.unit(self._view.tree.rename(unit_id, name))}

    def DeleteOrganizationalUnit(self, call: Call) -> dict[str, Any]:
        """An empty unit goes away."""
        self._view.delete_unit(call.params["OrganizationalUnitId"])
        return {}

    def CreateAccount(self, call: Call) -> dict[str, Any]:
        """A new account under the root. As in AWS the answer says IN_PROGRESS; here the account is ready at once."""
        member = self._view.add_account(call.params["AccountName"], call.params["Email"])
        self._set_tags(member.id, call.params.get("Tags", []))
        request_id = f"car-{uuid.uuid4().hex}"
        started = {"Id": request_id, "AccountName": member.name, "RequestedTimestamp": call.time}
        done = {"State": "SUCCEEDED", "CompletedTimestamp": call.time, "AccountId": member.id}
        self._creations[request_id] = {**started, **done}
        return {"CreateAccountStatus": {**started, "State": "IN_PROGRESS"}}

    def MoveAccount(self, call: Call) -> dict[str, Any]:
        """An account changes its parent."""
        params = call.params
        self._view.move(params["AccountId"], params["SourceParentId"], params["DestinationParentId"])
        return {}

    def RemoveAccountFromOrganization(self, call: Call) -> dict[str, Any]:
        """An account leaves."""
        self._view.remove(call.params["AccountId"])
        return {}

    def CloseAccount(self, call: Call) -> dict[str, Any]:
        """An account is closed."""
        self._view.close(call.params["AccountId"])
        return {}

    def TagResource(self, call: Call) -> dict[str, Any]:
        """Tags are added or replaced."""
        self._set_tags(call.params["ResourceId"], call.params["Tags"])
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        """Tags are taken away."""
        tags = self._view.tags_of(call.params["ResourceId"])
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def EnableAWSServiceAccess(self, call: Call) -> dict[str, Any]:
        """A service gets trusted access."""
        service = self._trusted_service(call)
        self._view.settings.service_access.setdefault(service, call.time)
        return {}

    def DisableAWSServiceAccess(self, call: Call) -> dict[str, Any]:
        """A service loses trusted access."""
        self._view.settings.service_access.pop(self._trusted_service(call), None)
        return {}

    def RegisterDelegatedAdministrator(self, call: Call) -> dict[str, Any]:
        """A member may administer a service for the organization."""
        service, account = self._trusted_service(call), call.params["AccountId"]
        member = self._view.member(account)
        if account == self._view.management_account:
            raise Refusal(
                "ConstraintViolationException",
                "You cannot register master account/yourself as delegated administrator for your organization.",
            )
        if member.state is not AccountState.ACTIVE:
            raise Refusal("ConstraintViolationException", "You cannot register a suspended account.")
        if self._view.settings.is_delegated(account, service):
            raise Refusal(
                "AccountAlreadyRegisteredException",
                "The provided account is already a delegated administrator for your organization.",
            )
        self._view.settings.delegations.append(Delegation(account, service, call.time))
        return {}

    def DeregisterDelegatedAdministrator(self, call: Call) -> dict[str, Any]:
        """A member no longer administers a service."""
        service, account = self._trusted_service(call), call.params["AccountId"]
        self._view.member(account)
        if not self._view.settings.is_delegated(account, service):
            raise Refusal(
                "AccountNotRegisteredException",
                "The provided account is not a registered delegated administrator for your organization.",
            )
        kept = [
            delegation
            for delegation in self._view.settings.delegations
            if (delegation.account, delegation.service) != (account, service)
        ]
        self._view.settings.delegations[:] = kept
        return {}

    def _trusted_service(self, call: Call) -> str:
        service = str(call.params["ServicePrincipal"])
        if service not in _TRUSTED_SERVICES:
            raise Refusal("InvalidInputException", "You specified an unrecognized service principal.")
        return service

    def _set_tags(self, resource_id: str, tags: list[dict[str, str]]) -> None:
        self._view.tags_of(resource_id).update({tag["Key"]: tag["Value"] for tag in tags})
