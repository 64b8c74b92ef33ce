"""A rollout while it runs: a live table on a terminal, a line for each change of state elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orgmon.console.plan_view import duration
from orgmon.execute.operations import is_ours
from orgmon.execute.outcome import StepOutcome
from orgmon.execute.progress import Look, Progress
from orgmon.organization import Organization
from orgmon.plan.model import Stage
from orgmon.plan.step import Step
from orgmon.stackset import Operation, OperationResult, Pair, ResultStatus

ENDED = (ResultStatus.SUCCEEDED, ResultStatus.FAILED, ResultStatus.CANCELLED)
NAMES_SHOWN = 4


def progress_on(console: Console, organization: Organization) -> Progress:
    """The progress display that fits a console."""
    return LiveProgress(console, organization) if console.is_terminal else LineProgress(console, organization)


class LineProgress:
    """One line for each change of state; what logs and pipes get."""

    def __init__(self, console: Console, organization: Organization) -> None:
        self.console = console
        self.organization = organization
        self._seen: dict[tuple[str, Pair], ResultStatus] = {}
        self._waiting = ""

    def stage(self, stage: Stage) -> None:
        """Say which stage and wave begins."""
        wave = f", wave {stage.title}" if stage.title else ""
        self.say(f"== {stage.name}{wave}")

    def step(self, step: Step) -> None:
        """Say which call is made."""
        self._seen.clear()
        self.say(f"{step.call} {step.target_name}: {step.reason}")

    def operation(self, stack_set: str, look: Look) -> None:
        """Say each pair whose state has changed."""
        for result in look.results:
            key = (stack_set, result.pair)
            if result.status is ResultStatus.PENDING or self._seen.get(key) is result.status:
                continue
            self._seen[key] = result.status
            reason = f": {result.reason}" if result.reason and result.status in ENDED[1:] else ""
            self.say(f"  {stack_set} {self.name(result.pair)} {result.status}{reason}")

    def refused(self, stack_set: str, reason: str, seconds: float) -> None:
        """Say once that AWS does not start an operation now."""
        text = f"{stack_set}: AWS does not start the operation yet ({reason}); asking again"
        if self._waiting != text:
            self._waiting = text
            self.say(text)

    def foreign(self, stack_set: str, operation: Operation) -> None:
        """Say once which operation is waited for, and again when it is over."""
        text = waiting(stack_set, operation)
        if operation.status.is_over:
            text = f"{stack_set}: operation {operation.id} is over: {operation.status}"
        elif self._waiting == operation.id:
            return
        self._waiting = "" if operation.status.is_over else operation.id
        self.say(text)

    def done(self, outcome: StepOutcome) -> None:
        """Say how a step ended."""
        self.say(ending(outcome))

    def again(self, reasons: tuple[str, ...]) -> None:
        """Say that AWS was busy, or not ready yet, and that it is asked once more."""
        # What comes after the first line is a remedy, which is now taken.
        first = reasons[0].splitlines()[0]
        more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        self.say(f"AWS was not ready ({first}{more}): what failed is tried once more")

    def name(self, pair: Pair) -> str:
        """Account id, name and Region."""
        account = self.organization.by_id.get(pair.account)
        return f"{pair.account} {account.name if account else 'unknown'} {pair.region}"

    def say(self, text: str) -> None:
        """One plain line."""
        self.console.print(text, markup=False, highlight=False)


class LiveProgress(LineProgress):
    """A table of the running operation, redrawn in place: a row a Region, with rate and time left."""

    def __init__(self, console: Console, organization: Organization) -> None:
        super().__init__(console, organization)
        self._live: Live | None = None
        self._began = 0.0

    def operation(self, stack_set: str, look: Look) -> None:
        """Redraw the table."""
        if self._live is None:
            self._began = time.monotonic()
            self._live = Live(console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        self._live.update(self._table(stack_set, look))
        if look.operation.status.is_over:
            self._end()

    def done(self, outcome: StepOutcome) -> None:
        """Remove the table and say how the step ended."""
        self._end()
        super().done(outcome)

    def _end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self, stack_set: str, look: Look) -> Table:
        seconds = max(time.monotonic() - self._began, 0.1)
        table = Table(title=_title(stack_set, look, seconds), title_justify="left", box=None, pad_edge=False)
        for heading in ("Region", "", "done", "failed", "now") if look.is_whole else ("Region", "now"):
            table.add_column(heading)
        for region in sorted({result.pair.region for result in look.results}):
            inside = [result for result in look.results if result.pair.region == region]
            running = self._running(inside)
            table.add_row(*self._row(region, inside, running) if look.is_whole else (region, running))
        return table

    def _running(self, results: list[OperationResult]) -> str:
        running = [self._account(r.pair) for r in results if r.status is ResultStatus.RUNNING]
        more = f" +{len(running) - NAMES_SHOWN}" if len(running) > NAMES_SHOWN else ""
        return ", ".join(running[:NAMES_SHOWN]) + more

    def _row(self, region: str, results: list[OperationResult], running: str) -> tuple[str | Text, ...]:
        counts = Counter(result.status for result in results)
        ended = sum(counts[status] for status in ENDED)
        filled = round(20 * ended / len(results))
        bar = Text("█" * filled, "green") + Text("░" * (20 - filled), "dim")
        failed = counts[ResultStatus.FAILED]
        return (
            region,
            bar,
            f"{ended}/{len(results)}",
            Text(str(failed), "red" if failed else "dim"),
            running,
        )

    def _account(self, pair: Pair) -> str:
        account = self.organization.by_id.get(pair.account)
        return account.name if account else pair.account


def _title(stack_set: str, look: Look, seconds: float) -> str:
    """How far an operation is after so many seconds; where only a part was read, that it goes on and how it goes."""
    if not look.is_whole:
        failed = look.operation.failed
        return f"{stack_set}: {look.pairs:,} pairs for {duration(seconds)}, {len(look.results)} now, {failed} failed"
    ended = sum(result.status in ENDED for result in look.results)
    rate = ended / seconds
    left = duration((len(look.results) - ended) / rate) if rate else "unknown"
    return f"{stack_set}: {ended}/{len(look.results)}, {rate:.1f}/s, {left} left"


def waiting(stack_set: str, operation: Operation) -> str:
    """Whose operation is waited for, its id and its age."""
    whose = "an earlier run's operation" if is_ours(operation) else "somebody else's operation"
    age = ""
    if operation.created:
        began = datetime.fromisoformat(operation.created)
        age = f", {duration(max(0.0, (datetime.now(UTC) - began).total_seconds()))} old"
    return f"{stack_set}: waiting for {whose} {operation.id} ({operation.action}, {operation.status}{age})"


def ending(outcome: StepOutcome) -> str:
    """How a step ended, in one line."""
    what = f"{outcome.step.call} {outcome.step.target_name}"
    if outcome.error:
        return f"  {what} failed: {outcome.error}"
    if outcome.operation is None:
        return f"  {what} done"
    good = sum(result.status is ResultStatus.SUCCEEDED for result in outcome.results)
    failed = f", {len(outcome.failed)} not" if outcome.failed else ""
    return f"  {what} {outcome.operation.status}: {good} of {len(outcome.results)} good{failed}"
