"""Runs the outside programs, or those that are named, and prints a table. Exit code 1 unless everything held."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from orgmon import __version__
from tests.clients import command_line, custodian, prowler, sceptre, second_emulator
from tests.clients.programs import NotInstalledError, Program, installed
from tests.clients.rollout import Rollout, rolled_out
from tests.clients.verdict import Client, Row, show

CLIENTS = {
    each.name: each
    for each in (
        prowler.CLIENT,
        custodian.CLIENT,
        sceptre.CLIENT,
        command_line.CLIENT,
        second_emulator.CLIENT,
    )
}


def compared(client: Client, program: Program, rollout: Rollout) -> Iterator[Row]:
    """What a client says, line by line; where it breaks off, that is the last line."""
    print(f"asking {client.name} ...", file=sys.stderr)
    version = ""
    try:
        version = program.version
        for each in client.compare(program, rollout):
            differences = each.differences
            yield Row(client.name, version, each.what, "DIFFERS" if differences else "held", differences)
    # Whatever a program of somebody else's does or says, the others have their turn.
    except Exception as error:
        yield Row(client.name, version, "", "broke off", (f"{type(error).__name__}: {error}",))


def own(rollout: Rollout) -> Row:
    """Whether the sandbox itself came through it: an error in it, or a call between services that nobody looked up."""
    world = rollout.served.sandbox.world
    troubles = (*map(repr, world.hook_errors), *map(str, world.links.undecided))
    return Row("sandbox", __version__, "no error of its own", "DIFFERS" if troubles else "held", troubles)


def main(names: list[str]) -> int:
    """Install, roll out once, ask one client after the other."""
    if unknown := sorted(set(names) - set(CLIENTS)):
        print(f"no such client: {', '.join(unknown)}; there are {', '.join(CLIENTS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    programs: dict[str, Program] = {}
    for client in (CLIENTS[name] for name in names or CLIENTS):
        try:
            programs[client.name] = installed(client.name, client.requirements, client.package)
        except NotInstalledError as error:
            rows.append(Row(client.name, "", "", "not run", (str(error),)))
    if programs:
        with tempfile.TemporaryDirectory() as folder, rolled_out(Path(folder)) as rollout:
            for name, program in programs.items():
                rows += compared(CLIENTS[name], program, rollout)
            rows.append(own(rollout))
    show(Console(), rows)
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
