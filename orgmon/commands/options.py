"""What the options of several commands mean, and what a run is given from outside."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from orgmon.actions.deploy import DeployReport
    from orgmon.workspace import Workspace

ConfigOption = Annotated[
    Path, typer.Option("--config", metavar="FILE", envvar="ORGMON_CONFIG", help="What should be.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
AccountsOption = Annotated[
    list[str] | None, typer.Option("--account", metavar="ID", help="Only this account; can be repeated.")
]
RegionsOption = Annotated[
    list[str] | None, typer.Option("--region", metavar="REGION", help="Only this Region; can be repeated.")
]
LeaveOutdatedOption = Annotated[
    bool, typer.Option("--leave-outdated", help="With --account or --region: leave the others OUTDATED.")
]
PruneOption = Annotated[bool, typer.Option("--prune", help="Delete what is there and not wanted.")]
PatienceOption = Annotated[
    float,
    typer.Option(
        "--patience", metavar="MINUTES", min=0, help="How long AWS may refuse to start an operation."
    ),
]
CONFIG = Path("accounts.yaml")
PATIENCE = 30.0

DONE, FAILED, USAGE, FOUND = 0, 1, 2, 3


@dataclass
class Invocation:
    """What a run of the program is given: how to open an AWS session, whether to tell every API call, and the
    name of a sandbox.
    """

    make_session: Callable[[str | None], Any] | None = None
    debug: bool = False
    sandbox: str | None = None

    def workspace(self, path: Path) -> Workspace:
        """The workspace of a config file."""
        from orgmon.workspace import Workspace

        return Workspace(path, self.make_session, _log if self.debug else None)


def invocation(context: typer.Context) -> Invocation:
    """The run that a command belongs to."""
    current = context.find_object(Invocation)
    assert current is not None
    return current


def _log(line: str) -> None:
    print(f"api {line}", file=sys.stderr)


def chosen(values: list[str] | None) -> frozenset[str] | None:
    """The values of a repeated option, or None where it was not given."""
    return frozenset(values) if values else None


def code_of(report: DeployReport | None) -> int:
    """The exit code of a rollout; None is one that was not agreed to."""
    if report is None or not report.is_good:
        return FAILED
    return FOUND if report.has_blocked or report.strays else DONE
