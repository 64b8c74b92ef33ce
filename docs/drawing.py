"""Draws docs/overview.svg from the table of stacks: what runs where, and the ways that an event takes to a person.

A stack that is added to the table appears by itself. Run by `make docs`; prints the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from orgmon.stacks.definition import StackDefinition, Where, Who
from orgmon.stacks.table import STACKS

WIDTH = 1180
HEIGHT = 560
STACK_WIDTH, STACK_HEIGHT, GAP, HEADING = 300, 46, 12, 34
EVENTS, METRICS, QUIET = "#c2410c", "#1d4ed8", "#94a3b8"
STYLE = """
text { font-family: -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #0f172a; }
.heading { font-size: 15px; font-weight: 600; }
.name { font-size: 13px; font-weight: 600; }
.small { font-size: 11.5px; fill: #475569; }
.account { fill: #f1f5f9; stroke: #cbd5e1; }
.stack { fill: #ffffff; stroke: #94a3b8; }
path { fill: none; stroke-width: 2; }
"""
NEUTRAL = "under a name of yours"


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    x: int
    y: int
    width: int
    height: int


ACCOUNTS = {
    Who.MEMBERS: ("Every member account, and the management account", 30, 50),
    Who.MANAGEMENT: ("Management account", 30, 250),
    Who.SECURITY: ("Security account", 428, 250),
    Who.CHOSEN_MEMBERS: ("Chosen members", 826, 250),
    Who.LOG_ARCHIVE: ("Log archive account", 30, 440),
}
"""What the accounts are called here, and where they stand."""
SIDE_BY_SIDE = (Who.MEMBERS,)
PEOPLE = Box(826, 440, STACK_WIDTH + 2 * GAP, HEADING + STACK_HEIGHT + GAP)


def placed() -> dict[str, Box]:
    """Where each stack stands."""
    boxes = {}
    for who, (_, left, top) in ACCOUNTS.items():
        inside = [item for item in STACKS if item.placement.who is who]
        for number, definition in enumerate(inside):
            across = number if who in SIDE_BY_SIDE else 0
            down = 0 if who in SIDE_BY_SIDE else number
            x = left + GAP + across * (STACK_WIDTH + GAP)
            y = top + HEADING + down * (STACK_HEIGHT + GAP)
            boxes[definition.name] = Box(x, y, STACK_WIDTH, STACK_HEIGHT)
    return boxes


def around(boxes: list[Box]) -> Box:
    """The account that holds stacks."""
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    return Box(left - GAP, top - HEADING, right - left + 2 * GAP, bottom - top + HEADING + GAP)


def rectangle(box: Box, kind: str) -> str:
    """A box as SVG."""
    return f'<rect class="{kind}" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6"/>'


def text(x: int, y: int, content: str, kind: str, colour: str = "") -> str:
    """A line of text as SVG."""
    fill = f' style="fill: {colour}"' if colour else ""
    return f'<text class="{kind}" x="{x}" y="{y}"{fill}>{escape(content)}</text>'


def stack(definition: StackDefinition, box: Box) -> Iterator[str]:
    """One stack: its name, its Regions and what it is."""
    where = "" if definition.placement.where is Where.HOME else f" · {definition.placement.where}"
    about = NEUTRAL if definition.is_neutral else definition.description
    yield rectangle(box, "stack")
    yield text(box.x + 10, box.y + 19, f"{definition.name}{where}", "name")
    yield text(box.x + 10, box.y + 36, about, "small")


def arrow(points: list[tuple[int, int]], colour: str, *, dashed: bool = False) -> str:
    """A line through points, with a head at its end."""
    line = " L ".join(f"{x} {y}" for x, y in points)
    dashes = ' stroke-dasharray="4 4"' if dashed else ""
    head = {EVENTS: "events", METRICS: "metrics", QUIET: "quiet"}[colour]
    return f'<path d="M {line}" stroke="{colour}"{dashes} marker-end="url(#{head})"/>'


def heads() -> Iterator[str]:
    """What an arrow of each colour ends with."""
    for name, colour in (("events", EVENTS), ("metrics", METRICS), ("quiet", QUIET)):
        yield (
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M 0 0 L 8 4 L 0 8 z" style="fill: {colour}; stroke: none"/></marker>'
        )


def ways(boxes: dict[str, Box]) -> Iterator[str]:
    """The ways that an event takes."""
    yield from _metrics(boxes["orgmon-trail"], boxes["orgmon-hub"])
    yield from _events(boxes["orgmon-detection"], boxes["orgmon-hub"])
    yield from _undelivered(boxes["orgmon-detection"], boxes["orgmon-edge"])
    trail, logs = boxes["orgmon-trail"], boxes["orgmon-logs"]
    below = trail.x + trail.width - 40
    yield arrow([(below, trail.y + trail.height), (below, logs.y)], QUIET)
    yield text(below - 58, 425, "log files", "small")


def _metrics(trail: Box, hub: Box) -> Iterator[str]:
    margin, between, height = 14, (trail.x + trail.width + hub.x) // 2, trail.y + 23
    yield arrow([(30, 107), (margin, 107), (margin, height), (trail.x, height)], METRICS)
    yield text(30, 196, "Flow 1: metrics", "name", METRICS)
    yield text(30, 214, "minutes; needs none of our code", "small")
    right = trail.x + trail.width
    yield arrow([(right, height), (between, height), (between, hub.y + 30), (hub.x, hub.y + 30)], METRICS)
    yield from _told(hub, hub.y + 32, PEOPLE.y + 68, METRICS, 806)


def _events(detection: Box, hub: Box) -> Iterator[str]:
    start, end = detection.x + 60, hub.x + hub.width - 40
    yield arrow([(start, detection.y + detection.height), (start, 226), (end, 226), (end, hub.y)], EVENTS)
    yield text(start + 12, 196, "Flow 2: events", "name", EVENTS)
    yield text(start + 12, 214, "seconds, with full context", "small")
    yield from _told(hub, hub.y + 14, PEOPLE.y + 50, EVENTS, 790)


def _told(hub: Box, start: int, end: int, colour: str, across: int) -> Iterator[str]:
    """From the topics of the hub to people."""
    yield arrow([(hub.x + hub.width, start), (across, start), (across, end), (PEOPLE.x, end)], colour)


def _undelivered(detection: Box, edge: Box) -> Iterator[str]:
    start, beside, right = detection.x + detection.width - 14, 770, edge.x + edge.width
    low = edge.y + 23
    corners = [
        (start, detection.y + detection.height),
        (start, 236),
        (beside, 236),
        (beside, low),
        (right, low),
    ]
    yield arrow(corners, QUIET, dashed=True)
    yield text(start + 14, 214, "what could not be delivered", "small")


def picture() -> str:
    """The whole picture."""
    boxes = placed()
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" role="img"',
        f'viewBox="0 0 {WIDTH} {HEIGHT}"',
        'aria-label="What orgmon runs where, and the two ways that an event takes to a person">',
        f"<style>{STYLE}</style>",
        "<defs>",
        *heads(),
        "</defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        text(30, 28, "What runs where, and how an event reaches a person", "heading"),
    ]
    for who, (name, _, _) in ACCOUNTS.items():
        account = around([boxes[item.name] for item in STACKS if item.placement.who is who])
        lines += [rectangle(account, "account"), text(account.x + GAP, account.y + 22, name, "heading")]
    for definition in STACKS:
        lines += stack(definition, boxes[definition.name])
    lines += [
        rectangle(PEOPLE, "account"),
        text(PEOPLE.x + GAP, PEOPLE.y + 22, "The SOC", "heading"),
        text(PEOPLE.x + GAP, PEOPLE.y + 52, "e-mail, HTTPS and SQS subscribers", "small"),
        text(PEOPLE.x + GAP, PEOPLE.y + 70, "who, what, from where, severity, runbook", "small"),
        *ways(boxes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(picture(), end="")
