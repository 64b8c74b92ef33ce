"""orgmon demo: the main job from beginning to end, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orgmon.commands.options import CONFIG, FAILED

NAME = "demo"


def command(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar="ORGMON_CONFIG",
            help=f"The organization to rehearse with: {CONFIG} if it is here, or else the packaged sample.",
        ),
    ] = None,
) -> None:
    """Show all of it on the embedded AWS: plan, rollout, failure, attack, alerts. Needs no AWS account."""
    from orgmon.console.output import out
    from orgmon.rehearsal.extra import require_sandbox

    require_sandbox()
    from orgmon.rehearsal.demo import tell

    def say(text: str) -> None:
        out().print(text, markup=False, highlight=False)

    here = CONFIG if CONFIG.is_file() else None
    raise typer.Exit(0 if tell(config or here, say) else FAILED)
