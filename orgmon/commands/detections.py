"""orgmon detections: the catalogue, and rules of others: list, show, test, import, export."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orgmon.commands.options import CONFIG, FAILED, FOUND, ConfigOption, JsonOption

if TYPE_CHECKING:
    from orgmon.detections.model import Detection
    from orgmon.detections.proof import Proofs

app = typer.Typer(help="The detections: list, show, test, import, export.", no_args_is_help=True)
RulesOption = Annotated[
    Path | None, typer.Option("--rules", metavar="FOLDER", help="These rules only, instead of the config's.")
]


class Format(StrEnum):
    """How the catalogue is written."""

    JSON = "json"
    MARKDOWN = "markdown"


@app.command("list")
def list_(config: ConfigOption = CONFIG, rules: RulesOption = None, as_json: JsonOption = False) -> None:
    """List the detections with level, flow, scope and controls."""
    from orgmon.console import detections_view
    from orgmon.console.output import emit, out
    from orgmon.detections.description import as_data

    detections = _chosen(config, rules)
    if as_json:
        emit("detections", [as_data(detection) for detection in detections])
    else:
        detections_view.listing(out(), detections)


@app.command()
def show(
    detection: Annotated[str, typer.Argument(metavar="ID")],
    config: ConfigOption = CONFIG,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one detection: its rule, both compiled forms, controls and runbook."""
    from orgmon.console import detections_view
    from orgmon.console.output import emit, out
    from orgmon.detections.description import as_data
    from orgmon.errors import UsageError

    by_id = {item.id: item for item in _chosen(config, rules)}
    if detection not in by_id:
        raise UsageError(f"there is no detection {detection}", "orgmon detections list names them")
    if as_json:
        emit("detection", as_data(by_id[detection]))
    else:
        detections_view.show(out(), by_id[detection])


@app.command("test")
def prove_(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PATH]", help="A rule file of your own, or a folder, instead of the config's."
        ),
    ] = None,
    config: ConfigOption = CONFIG,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Put every rule's examples through its compiled forms. Exit code 3 where one disagrees or something is lacking.

    Every rule needs an example that it must match and one that it must ignore. A rule that orgmon ships also needs
    what its users rely on (status, technique, runbook, drill ...): what is lacking is told with its place.
    """
    from orgmon.console import detections_view
    from orgmon.console.junit import junit_xml
    from orgmon.console.output import emit, out
    from orgmon.detections.catalogue import shipped
    from orgmon.detections.proof import prove

    results = [prove(item, shipped()) for item in _chosen(config, folder)]
    if junit is not None:
        junit.write_text(junit_xml(results), encoding="utf-8")
    if as_json:
        emit(
            "proofs",
            [_proofs(item) for item in results],
        )
    else:
        detections_view.proofs(out(), results)
    raise typer.Exit(0 if all(item.is_proved for item in results) else FOUND)


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Sigma files, or folders of them.")],
    as_json: JsonOption = False,
) -> None:
    """Say what would become of each Sigma file: exact, superset or refused, and why. Writes nothing."""
    from orgmon.console import detections_view
    from orgmon.console.output import emit, out
    from orgmon.detections.verdict import files_of, judge

    files = [judge(path) for path in files_of(paths)]
    if as_json:
        emit("verdicts", [_verdict(file) for file in files])
    else:
        detections_view.verdicts(out(), files)
    raise typer.Exit(0 if files and all(file.is_usable for file in files) else FOUND if files else FAILED)


@app.command()
def export(
    config: ConfigOption = CONFIG,
    rules: RulesOption = None,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.JSON,
    target: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Instead of printing.")] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="What orgmon ships, whatever the config says.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 3 when FILE is stale.")
    ] = False,
) -> None:
    """Write the catalogue as JSON, or as a page for people."""
    from orgmon.console.output import envelope, out
    from orgmon.detections.catalogue import shipped as all_shipped
    from orgmon.detections.description import as_data
    from orgmon.detections.page import page
    from orgmon.errors import UsageError

    if check and target is None:
        raise UsageError("--check needs --out", "name the file that may be stale")
    detections = all_shipped() if shipped else _chosen(config, rules)
    if form is Format.MARKDOWN:
        text = page(detections)
    else:
        text = envelope("detections", [as_data(detection) for detection in detections])
    if target is None:
        print(text, end="")
    elif not check:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    elif not target.is_file() or target.read_text(encoding="utf-8") != text:
        out().print(f"{target} is stale: run the same without --check", markup=False)
        raise typer.Exit(FOUND)


def _chosen(config: Path, rules: Path | None) -> tuple[Detection, ...]:
    """The rules of a folder, or those of the config; without a config those that orgmon ships."""
    from orgmon.detections import catalogue
    from orgmon.project import Project

    if rules is not None:
        return tuple(catalogue.own(rules, alone=True))
    if config == CONFIG and not config.is_file():
        return catalogue.shipped()
    return Project(config).rules


def _proofs(result: Proofs) -> dict[str, object]:
    return {
        "detection": result.detection.id,
        "proved": result.is_proved,
        "lacks": result.lacks,
        "refusals": result.refusals,
        "proofs": result.proofs,
    }


def _verdict(file: object) -> dict[str, object]:
    """A verdict without the detection itself."""
    return {key: value for key, value in vars(file).items() if key != "detection"}
