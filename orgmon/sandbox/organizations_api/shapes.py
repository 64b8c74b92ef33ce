"""The organization as its API shows it. Source: botocore's model of Organizations."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from orgmon.organization import AccountState, OrganizationalUnit
from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.organization import Member, OrgView

PAGE = 20


class Shapes:
    """Units and accounts in the API's words."""

    def __init__(self, view: OrgView) -> None:
        self._view = view

    def arn(self, local: str) -> str:
        """An ARN of the organization, which the management account owns."""
        return f"arn:aws:organizations::{self._view.management_account}:{local}"

    def account_arn(self, account: str) -> str:
        """The ARN of a member account."""
        return self.arn(f"account/{self._view.org_id}/{account}")

    def root(self, enabled: Iterable[str]) -> dict[str, Any]:
        """Root, with the types of policies that are enabled in it."""
        root = self._view.units[self._view.root_id]
        return {
            "Id": root.id,
            "Arn": self.arn(f"root/{self._view.org_id}/{root.id}"),
            "Name": root.name,
            "PolicyTypes": [{"Type": kind, "Status": "ENABLED"} for kind in sorted(enabled)],
        }

    def unit(self, unit: OrganizationalUnit) -> dict[str, Any]:
        """OrganizationalUnit."""
        return {"Id": unit.id, "Arn": self.arn(f"ou/{self._view.org_id}/{unit.id}"), "Name": unit.name}

    def account(self, member: Member) -> dict[str, Any]:
        """Account."""
        status = "ACTIVE" if member.state is AccountState.ACTIVE else "SUSPENDED"
        return {
            "Id": member.id,
            "Arn": self.account_arn(member.id),
            "Email": member.email,
            "Name": member.name,
            "Status": status,
            "State": member.state.value,
            "Paths": [f"{self._view.id_path_of(member.id)}{member.id}/"],
            "JoinedMethod": member.joined_method,
            "JoinedTimestamp": member.joined,
        }


def page(name: str, items: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """One page of a list under its name. Raises Refusal (InvalidInputException) for a bad NextToken."""
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
