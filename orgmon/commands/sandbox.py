"""orgmon sandbox: the embedded AWS for any client, and trouble to rehearse on it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orgmon.commands.options import CONFIG, ConfigOption, JsonOption, invocation
from orgmon.errors import OrgmonError, UsageError

if TYPE_CHECKING:
    from orgmon.rehearsal.environment import Address

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


@app.callback()
def options(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Which sandbox; without it, the one of this folder."),
    ] = None,
) -> None:
    """Options before the command."""
    invocation(context).sandbox = name


@app.command()
def serve(
    context: typer.Context,
    config: ConfigOption = CONFIG,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    pace: Annotated[float, typer.Option("--pace", min=0, help="Seconds that a stack instance takes.")] = 0.0,
    deployed: Annotated[bool, typer.Option("--deployed", help="Roll the stacks out first.")] = False,
) -> None:
    """Serve the organization of accounts.yaml until interrupted, and print its environment."""
    import os
    import signal
    import sys

    from orgmon.rehearsal.extra import require_sandbox
    from orgmon.rehearsal.notes import Place, announce, withdraw

    require_sandbox()
    from orgmon.rehearsal.serving import orgmon, served

    place = Place.of(invocation(context).sandbox, config)
    with served(config, port=port, pace=pace) as own:
        # From here on both signals end it in the same way, and the note goes with it.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            announce(place, own.address)
            if deployed and orgmon(["deploy", "--yes", "--config", str(config)], own.address)[0]:
                raise OrgmonError("the rollout on the sandbox failed", "see above")
            print(own.address.exports(os.environ), flush=True)
            print(f"serving on {own.address.url}; Ctrl-C ends it", file=sys.stderr, flush=True)
            signal.pause()
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
        finally:
            withdraw(place, own.address)


@app.command()
def env(context: typer.Context) -> None:
    """Print the environment of the running sandbox, for eval in a shell."""
    import os

    print(_required(context).exports(os.environ))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    context: typer.Context,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run.")],
    config: ConfigOption = CONFIG,
    deployed: Annotated[bool, typer.Option("--deployed", help="Roll the stacks out first.")] = False,
) -> None:
    """Run a command against the sandbox: the one that runs, or one of its own."""
    import os

    from orgmon.rehearsal import notes
    from orgmon.rehearsal.extra import require_sandbox

    name = invocation(context).sandbox
    place = notes.Place.of(name, config)
    running = notes.running(place, os.environ, named=name is not None)
    require_sandbox()
    from orgmon.rehearsal import serving

    with serving.joined(running, config) as address:
        if deployed and serving.orgmon(["deploy", "--yes", "--config", str(config)], address)[0]:
            raise OrgmonError("the rollout on the sandbox failed", "see above")
        try:
            code = serving.run(command, address)
        except OSError as error:
            raise UsageError(f"{command[0]} cannot be run: {error.strerror}", "name a command") from error
    raise typer.Exit(code)


@app.command()
def mailbox(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what arrives.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the alerts that arrived on the running sandbox."""
    import time

    from orgmon.console.mailbox_view import show
    from orgmon.console.output import emit, out

    if follow and as_json:
        raise UsageError("--follow and --json exclude each other", "choose one")
    address = _required(context)
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
def confirm(context: typer.Context) -> None:
    """Let everybody confirm the subscriptions that they were asked about."""
    for each in _required(context).control("confirm", {})["confirmed"]:
        print(f"{each['endpoint']} {each['topic']}")


@app.command()
def clock(
    context: typer.Context,
    seconds: Annotated[float, typer.Argument(min=0, help="How far to turn it.")],
) -> None:
    """Turn the clock of the running sandbox forward."""
    print(_required(context).control("clock", {"advance": seconds})["now"])


@app.command()
def switch(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The question; without it, all are shown.")] = None,
    on: Annotated[bool, typer.Option("--on/--off", help="How it is answered.")] = True,
) -> None:
    """Show what AWS's sources leave open, or let the running sandbox answer one of it otherwise."""
    body = {} if name is None else {"name": name, "on": on}
    for each in _required(context).control("switches", body)["switches"]:
        if name in (None, each["name"]):
            print(f"{each['name']:<24} {'on' if each['on'] else 'off':<4} {each['text']}")


@trouble.command()
def fail(
    context: typer.Context,
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
        context, "fail",
        account=account, region=region, logical_id=resource, action=action, reason=reason, times=times,
    )  # fmt: skip


@trouble.command()
def throttle(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="As boto3 names it, e.g. cloudformation.")],
    operation: Annotated[str, typer.Argument(help="The API call, or * for all.")],
    every: Annotated[int, typer.Option("--every", min=1, help="Throttle every Nth call.")] = 2,
    account: AccountOption = None,
) -> None:
    """Answer some calls with a throttling error; PutTargets and RemoveTargets tell it of their entries instead."""
    _cause(context, "throttle", service=service, operation=operation, every_nth=every, account=account)


@trouble.command()
def haste(context: typer.Context, account: AccountOption = None) -> None:
    """Throttle what comes faster than AWS's documented rates, also CloudFormation's own calls for a stack."""
    _cause(context, "haste", account=account)


@trouble.command()
def deny(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="As boto3 names it, e.g. cloudformation.")],
    operation: Annotated[str, typer.Argument(help="The API call, or * for all.")],
    account: AccountOption = None,
) -> None:
    """Deny a call."""
    _cause(context, "deny", service=service, operation=operation, account=account)


@trouble.command()
def late(
    context: typer.Context,
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="How long, in sandbox time.")] = 10,
) -> None:
    """Let new roles and users be unknown to KMS, Lambda and CloudTrail for a while, as at AWS."""
    _cause(context, "late", seconds=seconds)


@trouble.command()
def shuffle(
    context: typer.Context,
    seed: Annotated[int, typer.Option("--seed", help="The same one gives the same order again.")] = 0,
) -> None:
    """Let auto-deployment take the stack sets in shuffled order; only DependsOn holds."""
    _cause(context, "shuffle", seed=seed)


@trouble.command()
def expire(context: typer.Context) -> None:
    """Let every temporary session that was issued so far expire at once, also that of a running deploy."""
    _cause(context, "expire")


@trouble.command()
def suspend(
    context: typer.Context, account: Annotated[str, typer.Argument(metavar="ID", help="The account.")]
) -> None:
    """Suspend an account."""
    _cause(context, "suspend", account=account)


@trouble.command()
def operation(
    context: typer.Context,
    stack_set: Annotated[str, typer.Argument(help="The stack set.")],
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="How long it runs.")] = 30,
) -> None:
    """Let somebody else's operation run on a stack set."""
    _cause(context, "foreign_operation", stack_set=stack_set, seconds=seconds)


@trouble.command()
def lift(context: typer.Context) -> None:
    """End all trouble."""
    _cause(context, "lift")


def _cause(context: typer.Context, kind: str, **values: object) -> None:
    body = {key: value for key, value in values.items() if value is not None}
    _required(context).control("trouble", {"kind": kind, **body})
    print("done")


def _required(context: typer.Context) -> Address:
    """The running sandbox that a command is about. Raises OrgmonError where there is none."""
    import os

    from orgmon.rehearsal.notes import Place, required

    name = invocation(context).sandbox
    config = Path(os.environ.get("ORGMON_CONFIG", CONFIG))
    return required(Place.of(name, config), os.environ, named=name is not None)
