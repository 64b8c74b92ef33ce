"""The matrix of stacks as a table or as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections import defaultdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from orgmon.console import routes_view, strays_view
from orgmon.status import Cell, CellState, Coverage, StatusReport

STYLES = {
    CellState.CURRENT: "green",
    CellState.OUTDATED: "yellow",
    CellState.MISSING: "red",
    CellState.INOPERABLE: "red",
    CellState.EXTRA: "magenta",
    CellState.NOT_IN_SCOPE: "red",
    CellState.SUSPENDED: "dim",
}
SYMBOLS = {
    CellState.CURRENT: "ok",
    CellState.OUTDATED: "outdated",
    CellState.MISSING: "missing",
    CellState.INOPERABLE: "inoperable",
    CellState.EXTRA: "extra",
    CellState.NOT_IN_SCOPE: "no scope",
    CellState.SUSPENDED: "suspended",
}


def show(console: Console, report: StatusReport) -> None:
    """Print the matrix, what is not covered and why, and the coverage."""
    console.print(_matrix(report))
    _reasons(console, report)
    routes_view.show(console, report.routes)
    names = {cell.account: cell.account_name for cell in report.cells}
    strays_view.show(console, report.strays)
    for account in report.unlisted:
        console.print(
            f"[yellow]unlisted[/yellow] {account} {escape(names.get(account, ''))} is in no entry of accounts.yaml"
        )
    console.print(coverage_line(report.coverage))


def coverage_line(coverage: Coverage) -> str:
    """Coverage in one line."""
    waived = f", {coverage.waived} waived" if coverage.waived else ""
    return (
        f"Coverage {coverage.percent:.1f} %: {coverage.covered} of {coverage.wanted} stacks in ACTIVE accounts are "
        f"CURRENT{waived}"
    )


def _matrix(report: StatusReport) -> Table:
    """A row an account, a column a stack; each cell says how many Regions are CURRENT."""
    stacks = list(
        dict.fromkeys(_column(name) for name in (*report.stacks, *(cell.stack for cell in report.cells)))
    )
    rows: dict[str, list[Cell]] = defaultdict(list)
    for cell in report.cells:
        rows[cell.account].append(cell)
    table = Table(box=None, pad_edge=False)
    for heading in ("Account", "Name", "Unit", *stacks):
        table.add_column(heading)
    for account, cells in rows.items():
        first = cells[0]
        columns = (_summary([cell for cell in cells if _column(cell.stack) == stack]) for stack in stacks)
        table.add_row(account, first.account_name, first.unit.removeprefix("Root/"), *columns)
    return table


def _column(stack: str) -> str:
    return stack.removeprefix("orgmon-").removesuffix("-management")


def _summary(cells: list[Cell]) -> Text:
    if not cells:
        return Text("-", "dim")
    worst = next((cell.state for cell in cells if not cell.is_covered), CellState.CURRENT)
    good = sum(cell.is_covered for cell in cells)
    text = f"{good}/{len(cells)}" if worst is CellState.CURRENT else f"{good}/{len(cells)} {SYMBOLS[worst]}"
    return Text(text, STYLES[worst])


def _reasons(console: Console, report: StatusReport) -> None:
    for cell in report.cells:
        if cell.is_covered:
            continue
        waived = f" [waived: {cell.waived}]" if cell.waived else ""
        reason = f": {cell.reason}" if cell.reason else ""
        console.print(
            f"{cell.account} {cell.account_name} {cell.region} {cell.stack} {cell.state}{reason}{waived}",
            style=STYLES[cell.state],
            markup=False,
        )


def as_csv(report: StatusReport) -> str:
    """One line a cell, all fields, for spreadsheets."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(Cell)])
    for cell in report.cells:
        writer.writerow(list(dataclasses.astuple(cell)))
    return buffer.getvalue()
