"""Who would not hear of an alert, a line an endpoint."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from orgmon.delivery import RouteCheck


def show(console: Console, routes: Iterable[RouteCheck]) -> None:
    """Print the routes that are not in order, by what is wrong, with the topics that they miss."""
    topics: dict[tuple[str, ...], list[str]] = {}
    for route in routes:
        if not route.is_good:
            what = (route.state, route.protocol, route.endpoint, route.remedy)
            topics.setdefault(what, []).append(route.topic)
    for (state, protocol, endpoint, remedy), missed in topics.items():
        console.print(
            f"[yellow]{state}[/yellow] {protocol} {escape(endpoint)} does not hear of {', '.join(missed)} alerts: "
            f"{escape(remedy)}",
            soft_wrap=True,
        )
