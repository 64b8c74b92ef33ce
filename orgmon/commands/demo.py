"""orgmon demo: the main job from beginning to end, offline."""

from __future__ import annotations

import typer

from orgmon.commands.options import CONFIG, FAILED, ConfigOption

NAME = "demo"


def command(config: ConfigOption = CONFIG) -> None:
    """Show all of it on the embedded AWS: plan, rollout, failure, attack, alerts. Needs no AWS account."""
    from orgmon.console.output import out
    from orgmon.rehearsal.extra import require_sandbox

    require_sandbox()
    from orgmon.rehearsal.demo import tell

    def say(text: str) -> None:
        out().print(text, markup=False, highlight=False)

    raise typer.Exit(0 if tell(config, say) else FAILED)
