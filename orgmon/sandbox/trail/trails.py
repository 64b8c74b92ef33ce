"""The trails: which of them cover an event, and which an account sees.

Source: CloudTrail user guide, "Creating a trail for an organization": every member has a trail of the same name and
ARN, which only the management account (or its delegated administrator) may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.seed import CLOUDTRAIL_PRINCIPAL
from orgmon.sandbox.trail.records import Record
from orgmon.sandbox.trail.selectors import selects
from orgmon.sandbox.world import World


class Trails:
    """moto's trails, with the copies that organization trails have in the members."""

    def __init__(self, world: World) -> None:
        self._world = world

    def covering(self, account: str, region: str, record: Record) -> tuple[Any, ...]:
        """The logging trails that get an event of an account and Region."""
        return tuple(
            trail
            for trail in self._of(account)
            if trail.status.is_logging and _is_in(trail, region) and selects(trail, record)
        )

    def visible(self, account: str, region: str, with_shadows: bool) -> tuple[Any, ...]:
        """The trails that an account sees in a Region; shadows are copies in other Regions and in members."""
        return tuple(
            trail
            for trail in self._of(account)
            if _is_in(trail, region)
            and (with_shadows or (trail.account_id == account and trail.region_name == region))
        )

    def named(self, call: Call, member: str = "Name") -> Any:
        """The trail that a call names: by its name in its home account and Region, by ARN everywhere.

        Raises Refusal (TrailNotFoundException).
        """
        name = str(call.params.get(member, ""))
        for trail in self._of(call.account):
            is_home = trail.account_id == call.account and trail.region_name == call.region
            if trail.arn == name or (is_home and trail.trail_name == name):
                return trail
        arn = (
            name
            if name.startswith("arn:")
            else f"arn:aws:cloudtrail:{call.region}:{call.account}:trail/{name}"
        )
        raise Refusal("TrailNotFoundException", f"Unknown trail: {arn} for the user: {call.account}")

    def changeable(self, call: Call, member: str = "Name") -> Any:
        """The trail that a call wants to change.

        Raises Refusal: members cannot change an organization's trail (CloudTrail's documentation names the error
        of operations on organization trails, not the one of this case), and nobody can outside its home Region.
        """
        trail = self.named(call, member)
        if trail.account_id != call.account and not self._is_administrator(call.account):
            text = (
                "This operation cannot be performed on an organization trail by an account that is not the "
                "management account of the organization."
            )
            raise Refusal("NotOrganizationMasterAccountException", text)
        if trail.region_name != call.region:
            text = f"The trail must be updated from its home Region: {trail.region_name}"
            raise Refusal("InvalidHomeRegionException", text)
        return trail

    def _is_administrator(self, account: str) -> bool:
        organization = self._world.organization
        return account == organization.management_account or organization.settings.is_delegated(
            account, CLOUDTRAIL_PRINCIPAL
        )

    def _of(self, account: str) -> Iterator[Any]:
        """The account's own trails, and the organization's if it is a member."""
        yield from self._own(account)
        organization = self._world.organization
        is_member = organization.organization_of(account) is not None
        if is_member and CLOUDTRAIL_PRINCIPAL in organization.settings.service_access:
            manager = organization.management_account
            if manager != account:
                yield from (trail for trail in self._own(manager) if trail.is_org_trail)

    def _own(self, account: str) -> Iterator[Any]:
        for _, _, store in self._world.stores.everywhere("cloudtrail", account):
            yield from list(store.trails.values())


def _is_in(trail: Any, region: str) -> bool:
    return bool(trail.is_multi_region) or trail.region_name == region
