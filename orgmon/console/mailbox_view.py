"""What arrived for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console


def show(console: Console, messages: Iterable[Mapping[str, str]]) -> None:
    """Print messages: when, to whom, subject and text."""
    for message in messages:
        heading = f"{message['time']}  {message['to']}  {message.get('subject') or ''}".rstrip()
        console.print(heading, style="bold", markup=False)
        console.print(f"{message['text']}\n", markup=False)
