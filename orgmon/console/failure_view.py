"""Failures as a person reads them: root causes first, with account names and what to do."""

from __future__ import annotations

from rich.console import Console

from orgmon.failure import Failures, RootCause
from orgmon.organization import Organization

PAIRS_SHOWN = 12


def show(console: Console, failures: Failures, organization: Organization) -> None:
    """Print the root causes, and how many pairs were only cancelled."""
    for number, cause in enumerate(failures.causes, start=1):
        _cause(console, number, cause, organization)
    if failures.cancelled:
        console.print(
            f"{len(failures.cancelled)} more were only cancelled because of these; they are fine to retry.\n",
            markup=False,
        )


def _cause(console: Console, number: int, cause: RootCause, organization: Organization) -> None:
    console.print(f"[bold red]Root cause {number}[/bold red] ({len(cause.failed)} failed)")
    console.print(f"  {cause.reason}", markup=False)
    for stack_set, pair in cause.failed[:PAIRS_SHOWN]:
        account = organization.by_id.get(pair.account)
        name = account.name if account else "unknown"
        console.print(f"    {stack_set}  {pair.account} {name}  {pair.region}", markup=False)
    if len(cause.failed) > PAIRS_SHOWN:
        console.print(f"    and {len(cause.failed) - PAIRS_SHOWN} more", markup=False)
    console.print(f"  What to do: {cause.remedy}\n", markup=False)
