"""What accounts.yaml names and AWS does not have, a line each."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from orgmon.config.stray import Stray


def show(console: Console, strays: Iterable[Stray]) -> None:
    """Print them; those that select accounts say what is not done because of them."""
    told = tuple(strays)
    for stray in told:
        line = Text.assemble(("unknown", "yellow"), f" {stray.where}: {stray.what}; {stray.remedy}")
        console.print(line, soft_wrap=True)
    if any(stray.selects for stray in told):
        console.print("Nothing is pruned while accounts are selected by what is not there.")
