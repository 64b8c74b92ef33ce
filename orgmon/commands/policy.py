"""orgmon policy: what IAM has to allow whoever runs a command, without credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from orgmon.commands.options import CONFIG, ConfigOption
from orgmon.stacks.purpose import Caller, Purpose

NAME = "policy"


def command(
    purpose: Annotated[Purpose, typer.Option("--for", help="The command that the caller runs.")],
    config: ConfigOption = CONFIG,
    caller: Annotated[
        Caller,
        typer.Option("--caller", help="Whose policy, where a delegated administrator makes calls too."),
    ] = Caller.MANAGEMENT,
) -> None:
    """Print the least that an IAM policy has to allow the caller of a command. Needs no credentials."""
    from orgmon.actions.policy import policy
    from orgmon.console import policy_view
    from orgmon.console.output import err, out
    from orgmon.project import Project

    policy_view.show(out(), err(), policy(Project(config), purpose, caller))
