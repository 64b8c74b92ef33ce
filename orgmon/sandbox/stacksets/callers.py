"""Who calls, on whose behalf (CallAs), and which stack sets he may see.

Source: API reference, CallAs of each operation; user guide, "Register a delegated administrator".
"""

from __future__ import annotations

from dataclasses import dataclass

from orgmon.sandbox.calls import Call
from orgmon.sandbox.policy import Decision
from orgmon.sandbox.seed import STACKSETS_PRINCIPAL
from orgmon.sandbox.stacksets.checks import check_enums
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.records import StackSetRecord
from orgmon.sandbox.stacksets.refusals import (
    NO_ORGANIZATIONS_ACCESS,
    NOT_DELEGATED,
    NOT_MANAGEMENT,
    invalid,
    no_set,
)
from orgmon.sandbox.stacksets.register import Home

_LIST_ADMINISTRATORS = "organizations:ListDelegatedAdministrators"


@dataclass(frozen=True)
class Caller:
    """The administrator's place, and whether he sees service-managed sets only."""

    home: Home
    is_delegated: bool
    is_management: bool

    def sees(self, stack_set: StackSetRecord) -> bool:
        """Whether this caller finds that stack set at all."""
        return stack_set.is_service_managed or not self.is_delegated


def caller_of(engine: StackSetEngine, call: Call) -> Caller:
    """The caller of a request. Raises Refusal when he claims to be a delegated administrator and is none."""
    check_enums(call.params)
    organization = engine.world.organization
    management = organization.management_account
    if call.params.get("CallAs") != "DELEGATED_ADMIN":
        return Caller((call.account, call.region), False, call.account == management)
    if not organization.settings.is_delegated(call.account, STACKSETS_PRINCIPAL):
        raise invalid(NOT_DELEGATED)
    may_look = call.trusted or (
        engine.world.policies.allowed_by_identity(call.principal, _LIST_ADMINISTRATORS, "*") is Decision.ALLOW
    )
    if not may_look:
        raise invalid(NOT_DELEGATED)
    return Caller((management, call.region), True, False)


def check_service_managed(engine: StackSetEngine, caller: Caller) -> None:
    """Raise Refusal unless the caller may operate service-managed stack sets now."""
    if not (caller.is_management or caller.is_delegated):
        raise invalid(NOT_MANAGEMENT)
    if engine.organizations_access != "ENABLED":
        raise invalid(NO_ORGANIZATIONS_ACCESS)


def named_set(engine: StackSetEngine, call: Call, *, deleted: bool = False) -> StackSetRecord:
    """The stack set that a request names. Raises Refusal (StackSetNotFoundException) when the caller sees none."""
    caller = caller_of(engine, call)
    name = str(call.params["StackSetName"])
    stack_set = engine.register.find(caller.home, name)
    if stack_set is None or not caller.sees(stack_set) or (stack_set.status == "DELETED" and not deleted):
        raise no_set(name)
    return stack_set


def operable(engine: StackSetEngine, call: Call) -> StackSetRecord:
    """The stack set that a request wants to work with. Raises Refusal also where organizations access is missing."""
    stack_set = named_set(engine, call)
    if stack_set.is_service_managed:
        check_service_managed(engine, caller_of(engine, call))
    return stack_set
