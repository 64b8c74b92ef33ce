"""The command line. The only place where an error becomes an exit code.

0 done, 1 could not, 2 wrong usage, 3 it worked and found something.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from orgmon import __version__
from orgmon.commands import (
    demo,
    deploy,
    destroy,
    detections,
    plan,
    policy,
    render,
    replay,
    sandbox,
    schema,
    status,
    validate,
)
from orgmon.commands.options import FAILED, Invocation, invocation
from orgmon.errors import OrgmonError


class _Interrupted(Exception):
    """Ctrl-C, under a name that Typer does not know: it would end the program itself, without a word."""


class _Program(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise _Interrupted from interrupt


app = typer.Typer(
    name="orgmon",
    cls=_Program,
    help="Security monitoring for a whole AWS organization, rolled out with CloudFormation StackSets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (validate, schema, render, policy, plan, deploy, status, destroy, replay, demo):
    app.command(module.NAME)(module.command)
app.add_typer(detections.app, name="detections")
app.add_typer(sandbox.app, name="sandbox")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"orgmon {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and every API call.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options before the command."""
    invocation(context).debug = debug


def run(arguments: Sequence[str], make_session: Callable[[str | None], Any] | None = None) -> int:
    """Run one command line and return its exit code. ``make_session`` opens AWS sessions instead of boto3."""
    current = Invocation(make_session)
    try:
        app(list(arguments), obj=current, prog_name="orgmon")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except OrgmonError as error:
        if current.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except (_Interrupted, KeyboardInterrupt):
        # A terminal that has gone takes no word.
        with contextlib.suppress(OSError):
            print(
                "\ninterrupted: run the same command again; what was started in AWS goes on and is found",
                file=sys.stderr,
            )
        return FAILED
    except BrokenPipeError:
        # Whoever read the output has gone, as with `| head`.
        sys.stderr.close()
        return FAILED
    except OSError as error:
        if current.debug:
            raise
        # What the machine refuses is no bug: a full disk, a folder that is none, a file of somebody else.
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        return FAILED
    except Exception as error:
        if current.debug:
            raise
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        print("this is a bug in orgmon: run it with --debug and report what it prints", file=sys.stderr)
        return FAILED
    return 0


def heed_signals() -> None:
    """Let a request to end, or the end of the terminal, be an interrupt like Ctrl-C; what is ignored stays so."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def main() -> None:
    """The console script. What is closed is written to nowhere; what is left to write is written before the end."""
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115 - as long as the process
    heed_signals()
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError as error:
        print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
        code = code or FAILED
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)
