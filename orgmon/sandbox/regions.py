"""The Regions of an account: ``account`` ListRegions, GetRegionOptStatus, EnableRegion; ``ec2`` DescribeRegions.

As in AWS, a member's Regions are set by the management account (``AccountId``) or by the member itself. Enabling
takes AWS minutes to hours; here it is done at once.
"""

from __future__ import annotations

from typing import Any

from orgmon.regions import DEFAULT_REGIONS, OPT_IN_REGIONS
from orgmon.sandbox.calls import Call, Operations, Refusal
from orgmon.sandbox.organization import OrgView


class Regions:
    """Answers the calls about Regions."""

    def __init__(self, view: OrgView) -> None:
        self._view = view

    def register(self, operations: Operations) -> None:
        """Take over the operations about Regions."""
        operations.register("account", "ListRegions", self.list_regions)
        operations.register("account", "GetRegionOptStatus", self.get_status)
        operations.register("account", "EnableRegion", self.enable)
        operations.register("account", "DisableRegion", self.disable)
        operations.register("ec2", "DescribeRegions", self.describe_regions)

    def list_regions(self, call: Call) -> dict[str, Any]:
        """Every Region with its status, in one page of at most 50."""
        account = self._account(call)
        wanted = call.params.get("RegionOptStatusContains")
        regions = [
            {"RegionName": name, "RegionOptStatus": self._status(account, name)}
            for name in sorted((*DEFAULT_REGIONS, *OPT_IN_REGIONS))
            if not wanted or self._status(account, name) in wanted
        ]
        size = min(int(call.params.get("MaxResults") or 20), 50)
        start = int(call.params.get("NextToken") or 0)
        page: dict[str, Any] = {"Regions": regions[start : start + size]}
        if start + size < len(regions):
            page["NextToken"] = str(start + size)
        return page

    def get_status(self, call: Call) -> dict[str, Any]:
        """The status of one Region."""
        name = call.params["RegionName"]
        if name not in (*DEFAULT_REGIONS, *OPT_IN_REGIONS):
            raise Refusal("ValidationException", f"The Region {name} is not a valid Region.")
        return {"RegionName": name, "RegionOptStatus": self._status(self._account(call), name)}

    def enable(self, call: Call) -> dict[str, Any]:
        """An account opts in."""
        self._view.settings.set_region(self._account(call), call.params["RegionName"], True)
        return {}

    def disable(self, call: Call) -> dict[str, Any]:
        """An account opts out."""
        self._view.settings.set_region(self._account(call), call.params["RegionName"], False)
        return {}

    def describe_regions(self, call: Call) -> dict[str, Any]:
        """The Regions as EC2 tells them: enabled ones, with ``AllRegions`` all."""
        names = call.params.get("RegionNames")
        enabled = self._view.settings.enabled_regions(call.account)
        regions = [
            {
                "RegionName": name,
                "Endpoint": f"ec2.{name}.amazonaws.com",
                "OptInStatus": _EC2_STATUS[self._status(call.account, name)],
            }
            for name in sorted((*DEFAULT_REGIONS, *OPT_IN_REGIONS))
            if (name in enabled or call.params.get("AllRegions")) and (not names or name in names)
        ]
        return {"Regions": regions}

    def _account(self, call: Call) -> str:
        account = str(call.params.get("AccountId") or call.account)
        if account != call.account and call.account != self._view.management_account:
            raise Refusal("AccessDeniedException", "You do not have sufficient access to that account.", 403)
        return account

    def _status(self, account: str, region: str) -> str:
        if region in DEFAULT_REGIONS:
            return "ENABLED_BY_DEFAULT"
        return "ENABLED" if region in self._view.settings.enabled_regions(account) else "DISABLED"


_EC2_STATUS = {
    "ENABLED_BY_DEFAULT": "opt-in-not-required",
    "ENABLED": "opted-in",
    "DISABLED": "not-opted-in",
}
