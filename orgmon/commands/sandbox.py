"""orgmon sandbox: the embedded AWS for any client, and trouble to rehearse on it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orgmon.commands.options import CONFIG, ConfigOption, JsonOption
from orgmon.errors import OrgmonError, UsageError

app = typer.Typer(help="The embedded AWS: rehearse with any AWS client, offline.", no_args_is_help=True)
trouble = typer.Typer(help="Rehearse trouble on the running sandbox.", no_args_is_help=True)
app.add_typer(trouble, name="trouble")


class Action(StrEnum):
    """What is done to a resource."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


AccountOption = Annotated[str | None, typer.Option("--account", metavar="ID", help="Only in this account.")]
RegionOption = Annotated[str | None, typer.Option("--region", metavar="REGION", help="Only in this Region.")]


@app.command()
def serve(
    config: ConfigOption = CONFIG,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    pace: Annotated[float, typer.Option("--pace", min=0, help="Seconds that a stack instance takes.")] = 0.0,
    deployed: Annotated[bool, typer.Option("--deployed", help="Roll the stacks out first.")] = False,
) -> None:
    """Serve the organization of accounts.yaml until interrupted, and print its environment."""
    import os
    import signal
    import sys

    from orgmon.rehearsal.environment import announce, withdraw
    from orgmon.rehearsal.extra import require_sandbox

    require_sandbox()
    from orgmon.rehearsal.serving import orgmon, served

    with served(config, port=port, pace=pace) as own:
        # From here on both signals end it in the same way, and the note goes with it.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            announce(own.address)
            if deployed and orgmon(["deploy", "--yes", "--config", str(config)], own.address)[0]:
                raise OrgmonError("the rollout on the sandbox failed", "see above")
            print(own.address.exports(os.environ), flush=True)
            print(f"serving on {own.address.url}; Ctrl-C ends it", file=sys.stderr, flush=True)
            signal.pause()
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
        finally:
            withdraw(own.address)


@app.command()
def env() -> None:
    """Print the environment of the running sandbox, for eval in a shell."""
    import os

    from orgmon.rehearsal.environment import required

    print(required().exports(os.environ))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run.")],
    config: ConfigOption = CONFIG,
    deployed: Annotated[bool, typer.Option("--deployed", help="Roll the stacks out first.")] = False,
) -> None:
    """Run a command against the sandbox: the one that runs, or one of its own."""
    from orgmon.rehearsal.extra import require_sandbox

    require_sandbox()
    from orgmon.rehearsal import serving

    with serving.joined(config) as address:
        if deployed and serving.orgmon(["deploy", "--yes", "--config", str(config)], address)[0]:
            raise OrgmonError("the rollout on the sandbox failed", "see above")
        try:
            code = serving.run(command, address)
        except OSError as error:
            raise UsageError(f"{command[0]} cannot be run: {error.strerror}", "name a command") from error
    raise typer.Exit(code)


@app.command()
def mailbox(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what arrives.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the alerts that arrived on the running sandbox."""
    import time

    from orgmon.console.mailbox_view import show
    from orgmon.console.output import emit, out
    from orgmon.rehearsal.environment import required

    if follow and as_json:
        raise UsageError("--follow and --json exclude each other", "choose one")
    address = required()
    if as_json:
        emit("mailbox", address.control("mailbox"))
        return
    seen = 0
    while True:
        messages = address.control("mailbox")["messages"]
        show(out(), messages[seen:])
        seen = len(messages)
        if not follow:
            break
        time.sleep(1)


@app.command()
def clock(
    seconds: Annotated[float, typer.Argument(min=0, help="How far to turn it.")],
) -> None:
    """Turn the clock of the running sandbox forward."""
    from orgmon.rehearsal.environment import required

    print(required().control("clock", {"advance": seconds})["now"])


@trouble.command()
def fail(
    reason: Annotated[str, typer.Option("--reason", help="What AWS gives as the reason.")],
    account: AccountOption = None,
    region: RegionOption = None,
    resource: Annotated[
        str | None, typer.Option("--resource", metavar="LOGICAL_ID", help="Only this resource.")
    ] = None,
    action: Annotated[
        Action, typer.Option("--action", case_sensitive=False, help="What fails.")
    ] = Action.CREATE,
    times: Annotated[int | None, typer.Option("--times", min=1, help="Only so often.")] = None,
) -> None:
    """Let the creation, update or deletion of resources fail."""
    _cause(
        "fail",
        account=account, region=region, logical_id=resource, action=action, reason=reason, times=times,
    )  # fmt: skip


@trouble.command()
def throttle(
    service: Annotated[str, typer.Argument(help="As boto3 names it, e.g. cloudformation.")],
    operation: Annotated[str, typer.Argument(help="The API call, or * for all.")],
    every: Annotated[int, typer.Option("--every", min=1, help="Throttle every Nth call.")] = 2,
    account: AccountOption = None,
) -> None:
    """Answer some calls with a throttling error."""
    _cause("throttle", service=service, operation=operation, every_nth=every, account=account)


@trouble.command()
def deny(
    service: Annotated[str, typer.Argument(help="As boto3 names it, e.g. cloudformation.")],
    operation: Annotated[str, typer.Argument(help="The API call, or * for all.")],
    account: AccountOption = None,
) -> None:
    """Deny a call."""
    _cause("deny", service=service, operation=operation, account=account)


@trouble.command()
def suspend(account: Annotated[str, typer.Argument(metavar="ID", help="The account.")]) -> None:
    """Suspend an account."""
    _cause("suspend", account=account)


@trouble.command()
def operation(
    stack_set: Annotated[str, typer.Argument(help="The stack set.")],
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="How long it runs.")] = 30,
) -> None:
    """Let somebody else's operation run on a stack set."""
    _cause("foreign_operation", stack_set=stack_set, seconds=seconds)


@trouble.command()
def lift() -> None:
    """End all trouble."""
    _cause("lift")


def _cause(kind: str, **values: object) -> None:
    from orgmon.rehearsal.environment import required

    body = {key: value for key, value in values.items() if value is not None}
    required().control("trouble", {"kind": kind, **body})
    print("done")
