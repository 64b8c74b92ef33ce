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
from orgmon.execute.outcome import Progress, StepOutcome
from orgmon.organization import Organization
from orgmon.plan.model import Stage, Step
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
        wave = f", wave {stage.wave}" if stage.wave else ""
        self.say(f"== {stage.name}{wave}")

    def step(self, step: Step) -> None:
        """Say which call is made."""
        self._seen.clear()
        self.say(f"{step.call} {step.target_name}: {step.reason}")

    def operation(self, stack_set: str, operation: Operation, results: tuple[OperationResult, ...]) -> None:
        """Say each pair whose state has changed."""
        for result in results:
            key = (stack_set, result.pair)
            if result.status is ResultStatus.PENDING or self._seen.get(key) is result.status:
                continue
            self._seen[key] = result.status
            reason = f": {result.reason}" if result.reason and result.status in ENDED[1:] else ""
            self.say(f"  {stack_set} {self.name(result.pair)} {result.status}{reason}")

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

    def operation(self, stack_set: str, operation: Operation, results: tuple[OperationResult, ...]) -> None:
        """Redraw the table."""
        if self._live is None:
            self._began = time.monotonic()
            self._live = Live(console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        self._live.update(self._table(stack_set, results))
        if operation.status.is_over:
            self._end()

    def done(self, outcome: StepOutcome) -> None:
        """Remove the table and say how the step ended."""
        self._end()
        super().done(outcome)

    def _end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self, stack_set: str, results: tuple[OperationResult, ...]) -> Table:
        ended = sum(result.status in ENDED for result in results)
        seconds = max(time.monotonic() - self._began, 0.1)
        rate = ended / seconds
        left = duration((len(results) - ended) / rate) if rate else "unknown"
        title = f"{stack_set}: {ended}/{len(results)}, {rate:.1f}/s, {left} left"
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for heading in ("Region", "", "done", "failed", "now"):
            table.add_column(heading)
        for region in sorted({result.pair.region for result in results}):
            inside = [result for result in results if result.pair.region == region]
            table.add_row(*self._row(region, inside))
        return table

    def _row(self, region: str, results: list[OperationResult]) -> tuple[str | Text, ...]:
        counts = Counter(result.status for result in results)
        ended = sum(counts[status] for status in ENDED)
        running = [self._account(r.pair) for r in results if r.status is ResultStatus.RUNNING]
        more = f" +{len(running) - NAMES_SHOWN}" if len(running) > NAMES_SHOWN else ""
        filled = round(20 * ended / len(results))
        bar = Text("█" * filled, "green") + Text("░" * (20 - filled), "dim")
        failed = counts[ResultStatus.FAILED]
        return (
            region,
            bar,
            f"{ended}/{len(results)}",
            Text(str(failed), "red" if failed else "dim"),
            ", ".join(running[:NAMES_SHOWN]) + more,
        )

    def _account(self, pair: Pair) -> str:
        account = self.organization.by_id.get(pair.account)
        return account.name if account else pair.account


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
