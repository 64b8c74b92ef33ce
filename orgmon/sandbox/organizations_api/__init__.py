"""The Organizations API over the sandbox's own store.

Operations about handshakes and responsibility transfers are not there and say so.
Who may call what: Organizations user guide, "Delegated administrator for AWS services that work with Organizations".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orgmon.sandbox.calls import NOT_HERE, Call, Operations, Refusal
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.organizations_api.changes import Changes
from orgmon.sandbox.organizations_api.policy_calls import PolicyCalls
from orgmon.sandbox.organizations_api.queries import Queries
from orgmon.sandbox.policies.store import OrganizationPolicies

_FOR_EVERYBODY = frozenset({"DescribeEffectivePolicy", "DescribeOrganization"})
_DELEGATE_PREFIXES = ("List", "Describe")
Handler = Callable[[Call], dict[str, Any]]


def install(view: OrgView, policies: OrganizationPolicies, operations: Operations) -> None:
    """Answer every operation of the service."""
    creations: dict[str, dict[str, Any]] = {}
    for handlers in (
        Queries(view, policies, creations),
        Changes(view, creations),
        PolicyCalls(view, policies),
    ):
        for name in vars(type(handlers)):
            if name[:1].isupper():
                operations.register("organizations", name, _guarded(view, name, getattr(handlers, name)))
    operations.register("organizations", "*", _unknown)


def _guarded(view: OrgView, name: str, method: Handler) -> Handler:
    def handler(call: Call) -> dict[str, Any]:
        _check_caller(view, name, call.account)
        return method(call)

    return handler


def _check_caller(view: OrgView, name: str, account: str) -> None:
    if view.organization_of(account) is None:
        raise Refusal("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    if account == view.management_account or name in _FOR_EVERYBODY:
        return
    if view.settings.is_delegated(account) and name.startswith(_DELEGATE_PREFIXES):
        return
    raise Refusal("AccessDeniedException", "You don't have permissions to access this resource.")


def _unknown(call: Call) -> dict[str, Any]:
    raise Refusal("NotImplemented", f"The sandbox does not have organizations:{call.operation}.", NOT_HERE)
