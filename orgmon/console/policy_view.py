"""A caller's policy: the document alone where results go, so that AWS takes it as it is; whose it is beside it."""

from __future__ import annotations

import json

from rich.console import Console

from orgmon.actions.policy import CallerPolicy
from orgmon.stacks.purpose import Caller

WHO = {
    Caller.MANAGEMENT: "the management account",
    Caller.DELEGATED_ADMIN: "the delegated administrator's account",
}


def show(out: Console, err: Console, policy: CallerPolicy) -> None:
    """Print the document to ``out`` and whose it is to ``err``."""
    err.print(_whose(policy), markup=False)
    if policy.other is not None:
        err.print(
            f"a second caller is in {WHO[policy.other]}: "
            f"orgmon policy --for {policy.purpose} --caller {policy.other}",
            markup=False,
        )
    out.print(json.dumps(policy.document, indent=2), markup=False, soft_wrap=True)


def _whose(policy: CallerPolicy) -> str:
    account = f" {policy.account}" if policy.account else ""
    profile = f", profile {policy.profile}" if policy.profile else ""
    return f"for orgmon {policy.purpose}: a caller in {WHO[policy.caller]}{account}{profile}"
