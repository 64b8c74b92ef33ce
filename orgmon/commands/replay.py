"""orgmon replay: what the detections would have said of records that are there already."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orgmon.alerting import Severity
from orgmon.commands.options import CONFIG, DONE, FOUND, invocation

if TYPE_CHECKING:
    from orgmon.replay.report import ReplayReport

NAME = "replay"


class Format(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


def command(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="A file, a folder, s3://bucket/prefix, or - for stdin.")],
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FOLDER", help="These Sigma rules only, of any source.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", envvar="ORGMON_CONFIG", help="Its detections and decoys."),
    ] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="Only events from this time on (UTC).")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Only events before this time (UTC).")] = "",
    detection: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this detection; can be repeated.")
    ] = None,
    fail_on: Annotated[
        Severity | None, typer.Option("--fail-on", help="Exit code 3 for any hit this severe or worse.")
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Exit code 3 where this detection stays silent; can be repeated."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also interpret what goes to AWS, and compare every event.")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, metavar="NUMBER", help="Processes; by default as many as cores.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the result to a file.")
    ] = None,
) -> None:
    """Replay the detections over CloudTrail records: hits, alerts, noise. Needs no credentials for files."""
    from orgmon.actions.replay import Request, complaints, replay
    from orgmon.console.output import err
    from orgmon.console.replay_view import ReplayProgress

    current = invocation(context)
    request = Request(
        path, rules, since, until, tuple(detection or ()), tuple(expect or ()), verify, processes
    )
    place = config or (CONFIG if CONFIG.exists() else None)
    with ReplayProgress(err()) as progress:
        report = replay(request, current.workspace(place) if place else None, current.make_session, progress)
    _write(report, format_, out)
    told = complaints(report, fail_on, request.expected)
    for complaint in told:
        err().print(complaint, markup=False)
    raise typer.Exit(FOUND if told else DONE)


def _write(report: ReplayReport, form: Format, place: Path | None) -> None:
    """Print the result, or write it to a file."""
    from rich.console import Console

    from orgmon.console.output import WIDE, envelope, out
    from orgmon.console.replay_view import show
    from orgmon.errors import OrgmonError
    from orgmon.replay.html import as_html
    from orgmon.replay.spreadsheet import as_csv

    texts: dict[Format, Callable[[], str]] = {
        Format.JSON: lambda: envelope("replay", report),
        Format.CSV: lambda: as_csv(report),
        Format.HTML: lambda: as_html(report),
    }
    if place is None:
        if form is Format.TABLE:
            show(out(), report)
        else:
            print(texts[form](), end="")
        return
    try:
        with place.open("w", encoding="utf-8") as file:
            if form is Format.TABLE:
                show(Console(file=file, soft_wrap=True, width=WIDE, highlight=False), report)
            else:
                file.write(texts[form]())
    except OSError as error:
        raise OrgmonError(f"{place} cannot be written: {error}", "name another file with --out") from error
