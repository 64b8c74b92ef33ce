"""A plan as a person reads it: what changes pair by pair, what it takes, how long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from orgmon.console import cost_view
from orgmon.organization import Organization
from orgmon.plan.cost import Estimate
from orgmon.plan.diff import differences
from orgmon.plan.forecast import OperationForecast, forecast
from orgmon.plan.model import Action, Change, Plan

STYLES = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.DELETE: "red",
    Action.BLOCKED: "magenta",
    Action.NONE: "dim",
}
# Longer texts are cut in the middle of a terminal; --json has them whole.
LONGEST_VALUE = 160


def show(
    console: Console,
    plan: Plan,
    organization: Organization,
    *,
    diff: bool,
    every: bool,
    hidden: tuple[str, ...] = (),
    estimate: Estimate | None = None,
) -> None:
    """Print a plan. ``diff`` adds the template changes, ``every`` the pairs that do not change.

    ``hidden`` are words that must not be printed: the names of decoys. ``estimate`` is what it costs.
    """
    _changes(console, plan, organization, every=every)
    if diff:
        _templates(console, plan, hidden)
    _operations(console, forecast(plan))
    if estimate is not None:
        cost_view.show(console, estimate, every=every)
    _summary(console, plan)


def idle(plan: Plan) -> str:
    """What is said of a plan that has nothing to do: whether all is well, what stays, and what stands in the way."""
    said = []
    if blocked := len(plan.of(Action.BLOCKED)):
        said.append(f"{count(blocked, 'stack')} cannot be reached or changed (blocked)")
    if extras := len(plan.extras):
        said.append(f"{count(extras, 'extra')} {'stays' if extras == 1 else 'stay'} without --prune")
    if said:
        return f"Nothing to do; {', '.join(said)}."
    return f"Nothing to do: all {count(len(plan.changes), 'stack')} are as they should be."


def blocked(console: Console, plan: Plan, organization: Organization) -> None:
    """Print what cannot be reached or changed, and why."""
    _changes(console, Plan(plan.of(Action.BLOCKED)), organization, every=False)


def _changes(console: Console, plan: Plan, organization: Organization, *, every: bool) -> None:
    by_stack: dict[str, list[Change]] = defaultdict(list)
    for change in plan.changes:
        if every or change.action is not Action.NONE or change.reason:
            by_stack[change.stack].append(change)
    for stack, changes in by_stack.items():
        console.print(f"[bold]{escape(stack)}[/bold]")
        groups: dict[tuple[str, Action, str], list[str]] = defaultdict(list)
        for change in changes:
            groups[change.pair.account, change.action, change.reason].append(change.pair.region)
        for (account, action, reason), regions in groups.items():
            console.print(_line(account, action, reason, regions, organization))
        console.print()


def _line(
    account_id: str, action: Action, reason: str, regions: list[str], organization: Organization
) -> Text:
    """What happens in one account: its Regions share a line where action and reason are the same."""
    account = organization.by_id.get(account_id)
    name = account.name if account else "unknown"
    unit = organization.path_of(account_id).removeprefix("Root/")
    line = Text("  ")
    line.append(f"{action.symbol} {action.value:<9} ", style=STYLES[action])
    line.append(f"{account_id} {name:<16} {unit:<18} {' '.join(regions)}  ")
    line.append(reason, style="dim")
    return line


def _templates(console: Console, plan: Plan, hidden: tuple[str, ...]) -> None:
    for change in plan.templates:
        digests = f"{change.before.digest} -> {change.after.digest}"
        console.print(f"[bold]{escape(change.stack)}[/bold] template {digests}")
        for item in differences(change.before, change.after):
            style = {"+": "green", "-": "red", "~": "yellow"}[item.symbol]
            values = " -> ".join(_cut(text) for text in (item.before, item.after) if text is not None)
            console.print(Text(_hide(f"  {item.symbol} {item.path}: {values}", hidden), style=style))
        console.print()


def _hide(text: str, hidden: tuple[str, ...]) -> str:
    for word in hidden:
        text = text.replace(word, "(decoy)")
    return text


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _operations(console: Console, forecasts: Iterable[OperationForecast]) -> None:
    rows = list(forecasts)
    if not rows:
        return
    console.print("[bold]Operations[/bold], in this order")
    for row in rows:
        wave = f" (wave {row.wave})" if row.wave else ""
        clamped = ", clamped by the strict mode to the tolerance + 1" if row.clamped else ""
        size = f"{count(row.accounts, 'account')} x {count(row.regions, 'Region')}"
        console.print(
            f"  {row.call} {row.stack_set}{wave}: {size}, {row.window} at a time{clamped}, "
            f"up to {count(row.tolerance, 'failure')} a Region, roughly {duration(row.seconds)}",
            markup=False,
        )
    console.print(f"  together roughly {duration(sum(row.seconds for row in rows))}\n", markup=False)


def count(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _summary(console: Console, plan: Plan) -> None:
    counts = {action: len(plan.of(action)) for action in Action}
    if not plan.stages:
        console.print(idle(plan))
        return
    words = ", ".join(
        f"{counts[action]} to {action.value}"
        for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
        if counts[action]
    )
    others = [words] if words else ["no stack changes"]
    if not words and plan.steps:
        others = [count(len(plan.steps), "other step")]
    if counts[Action.BLOCKED]:
        others.append(f"{counts[Action.BLOCKED]} blocked")
    others.append(f"{counts[Action.NONE]} unchanged")
    console.print(f"[bold]Plan:[/bold] {', '.join(others)}; {count(len(plan.operations), 'operation')}.")
