"""What a plan costs a month, in a few lines: the sum, the stacks, what was assumed."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from orgmon.plan.cost import Cost, Estimate, Item
from orgmon.plan.prices import Assumptions

# Parts of a stack that are less are not worth their place in a line.
CENTS = 0.005


def show(console: Console, estimate: Estimate, *, every: bool) -> None:
    """Print what it costs; the stacks where that changes, or with ``every``."""
    now, then, prices = estimate.now, estimate.then, estimate.prices
    change = then.usd - now.usd
    changes = abs(change) >= CENTS
    difference = (
        f", now {dollars(now.usd)} ({'+' if change > 0 else '-'}{dollars(abs(change))})" if changes else ""
    )
    console.print("[bold]Cost[/bold] a month", end="")
    console.print(
        f" at prices of {prices.region} as of {prices.as_of}: about {dollars(then.usd)}{difference}",
        markup=False,
    )
    lines = list(_stacks(then)) if changes or every else []
    if lines and then.items:
        lines.append(_assumed(prices.assumptions))
    if now.items and not then.items:
        lines.append("the trail's logs and their key are kept, and go on costing")
    if then.copies > now.copies:
        lines.append(
            f"where accounts have a trail already, up to {dollars(then.copies)} more for second copies of events: "
            "trail.existing uses the trail that is there"
        )
    if estimate.saving is not None:
        lines.append(f"cheaper by {dollars(estimate.saving.usd)}: {estimate.saving.change}")
    for line in lines:
        console.print(f"  {line}", markup=False)
    console.print()


def data(estimate: Estimate) -> dict[str, object]:
    """The same for JSON, with the sums and in whole cents."""
    return {
        "now": _sums(estimate.now),
        "then": _sums(estimate.then),
        "change_usd": round(estimate.then.usd - estimate.now.usd, 2),
        "saving": estimate.saving,
        "prices": estimate.prices,
    }


def _sums(cost: Cost) -> dict[str, object]:
    return {
        "usd": round(cost.usd, 2),
        "second_copies_usd": round(cost.copies, 2),
        "by_stack": {stack: round(usd, 2) for stack, usd in cost.by_stack.items()},
        "items": [replace(item, usd=round(item.usd, 2)) for item in cost.items],
    }


def _stacks(then: Cost) -> list[str]:
    dearest = sorted(then.by_stack.items(), key=lambda entry: -entry[1])
    return [
        f"{stack} {dollars(usd)}: "
        + ", ".join(_part(item) for item in then.items if item.stack == stack and item.usd >= CENTS)
        for stack, usd in dearest
        if usd >= CENTS
    ]


def _part(item: Item) -> str:
    number = (
        f"{item.number:,.0f}"
        if item.number >= 10 or item.number == int(item.number)
        else f"{item.number:.1f}"
    )
    return f"{number} {item.what if number != '1' else item.what.removesuffix('s')} {dollars(item.usd)}"


def _assumed(assumed: Assumptions) -> str:
    return (
        f"assumed of each account and Region: {assumed.recorded_events:,.0f} events recorded, "
        f"{assumed.forwarded_events:,.0f} forwarded, {assumed.event_kb:g} KB each; "
        f"a metric has data in {assumed.metric_hours:g} hours"
    )


def dollars(usd: float) -> str:
    """An amount as a person reads it."""
    return f"${usd:,.2f}"
