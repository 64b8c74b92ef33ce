"""What an account has before anybody has done anything, where moto begins with something else.

Sources: Macie API reference and public reports (calls are refused with "Macie is not enabled."); IAM Identity Center
API reference, ListInstances (none until somebody makes one).
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

# What works in an account that does not use Macie.
_WITHOUT_MACIE = frozenset(
    {
        "AcceptInvitation",
        "DeclineInvitations",
        "DisableOrganizationAdminAccount",
        "EnableMacie",
        "EnableOrganizationAdminAccount",
        "GetInvitationsCount",
        "ListInvitations",
        "ListOrganizationAdminAccounts",
    }
)


def install(world: World) -> None:
    """Nobody uses Macie or IAM Identity Center until he begins to."""
    world.before.append(_Beginnings(world))


class _Beginnings:
    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: set[tuple[str, str, str]] = set()

    def __call__(self, call: Call) -> None:
        if call.service not in ("macie2", "sso-admin"):
            return
        store = self._world.store(call.service, call.account, call.region)
        if (call.service, call.account, call.region) not in self._seen:
            self._seen.add((call.service, call.account, call.region))
            _empty(store)
        if call.service == "macie2":
            _check_macie(call, store)


def _empty(store: Any) -> None:
    if hasattr(store, "macie_session"):
        store.macie_session = None
    else:
        store.instances.clear()


def _check_macie(call: Call, store: Any) -> None:
    if store.macie_session is None and call.operation not in _WITHOUT_MACIE:
        raise Refusal("AccessDeniedException", "Macie is not enabled.", 401)
    if store.macie_session is not None and call.operation == "EnableMacie":
        raise Refusal("ConflictException", "Macie has already been enabled", 409)
