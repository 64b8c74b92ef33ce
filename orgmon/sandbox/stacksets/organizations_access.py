"""Whether CloudFormation may operate service-managed stack sets; and what auto-deployment follows.

Activation is CloudFormation's own switch, apart from the trusted access that Organizations knows: enabling only the
latter is not enough. Source: user guide, "Activate trusted access for stack sets with AWS Organizations".
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.seed import STACKSETS_PRINCIPAL
from orgmon.sandbox.stacksets import refusals
from orgmon.sandbox.stacksets.callers import caller_of
from orgmon.sandbox.stacksets.engine import StackSetEngine

Members = dict[str, Any]


class OrganizationsAccess:
    """Handlers of the gateway for the switch."""

    def __init__(self, engine: StackSetEngine) -> None:
        self._engine = engine
        self._organization = engine.world.organization

    def activate(self, call: Call) -> Members:
        """ActivateOrganizationsAccess: by the management account; twice is fine."""
        self._require_management(call)
        self._engine.organizations_access = "ENABLED"
        self._organization.settings.service_access.setdefault(
            STACKSETS_PRINCIPAL, self._engine.world.clock.now()
        )
        return {}

    def deactivate(self, call: Call) -> Members:
        """DeactivateOrganizationsAccess: not while there are delegated administrators."""
        self._require_management(call)
        if any(
            delegation.service == STACKSETS_PRINCIPAL
            for delegation in self._organization.settings.delegations
        ):
            raise refusals.bad_operation("Deregister all delegated administrators first")
        self._engine.organizations_access = "DISABLED"
        self._organization.settings.service_access.pop(STACKSETS_PRINCIPAL, None)
        return {}

    def describe(self, call: Call) -> Members:
        """DescribeOrganizationsAccess: for the management account and delegated administrators."""
        caller = caller_of(self._engine, call)
        if not (caller.is_management or caller.is_delegated):
            raise refusals.invalid(refusals.NOT_MANAGEMENT)
        return {"Status": self._engine.organizations_access}

    def _require_management(self, call: Call) -> None:
        if call.account != self._organization.management_account:
            raise refusals.bad_operation("Only the management account of an organization can do this")
