"""MiniStack, another emulator of AWS: do the members' templates make there what they make on the sandbox?"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from tests.clients.programs import Program, ProgramError
from tests.clients.rollout import Rollout
from tests.clients.state import Make, state
from tests.clients.verdict import Client, Comparison

# Three accounts that differ: one with decoys, the one with the hub, which has the edge, and an ordinary one.
MEMBERS = ("payments-prod", "security", "shared-services")
STACKS = ("orgmon-access", "orgmon-detection", "orgmon-edge", "application-settings")
# It answers about a second after its start; until then the client tries again.
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 8})
WAITED = {"Delay": 1, "MaxAttempts": 60}


def compare(program: Program, rollout: Rollout) -> Iterator[Comparison]:
    """Every stack of the members that makes up no hub: is it made there, and what does the account have then?"""
    with _served(program, rollout) as url:
        for name in MEMBERS:
            account = rollout.member(name)
            there = _maker(url, account, rollout.region)
            yield Comparison(f"{name}: the stacks are made", *_made(rollout, account, there))
            yield from _compared(name, rollout, account, there)


@contextmanager
def _served(program: Program, rollout: Rollout) -> Iterator[str]:
    """MiniStack on this machine alone, without a state. Raises ProgramError where it does not answer."""
    folder, port = rollout.own_folder("ministack"), _free_port()
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "TMPDIR": str(folder)}
    environment = {key: value for key, value in rollout.environment().items() if not key.startswith("AWS_")}
    log = folder / "log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [program.command("ministack")],
            env={**environment, **settings}, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _maker(url, rollout.management, rollout.region)("sts").get_caller_identity()
        yield url
    except BotoCoreError as error:
        raise ProgramError(f"{error} / {_last_line(log)}") from error
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def _last_line(log: Path) -> str:
    return (log.read_text(encoding="utf-8").splitlines() or [""])[-1]


def _maker(url: str, account: str, region: str) -> Make:
    """Its clients for an account: the account is what the access key says."""
    session = boto3.Session(account, "secret", region_name=region)
    return lambda service: session.client(service, endpoint_url=url, config=PATIENT)


def _made(rollout: Rollout, account: str, there: Make) -> tuple[dict[str, str], dict[str, str]]:
    """Makes the stacks of the sandbox there, in their order; the status of each, here and there."""
    here = rollout.client("cloudformation", account)
    stacks = sorted(here.describe_stacks()["Stacks"], key=lambda stack: str(stack["CreationTime"]))
    expected: dict[str, str] = {}
    found: dict[str, str] = {}
    for stack in stacks:
        name = next((each for each in STACKS if f"StackSet-{each}-" in stack["StackName"]), "")
        if name:
            template = here.get_template(StackName=stack["StackId"])["TemplateBody"]
            expected[name] = stack["StackStatus"]
            found[name] = _create(there("cloudformation"), stack, template)
    return expected, found


def _create(client: Any, stack: dict[str, Any], template: str | dict[str, Any]) -> str:
    """The status that a stack ends with, and what is said of it where that is no success."""
    name = stack["StackName"]
    try:
        client.create_stack(
            StackName=name,
            TemplateBody=template if isinstance(template, str) else json.dumps(template),
            Parameters=stack.get("Parameters", []),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=WAITED)
    except (ClientError, WaiterError) as error:
        return f"{error} {_reasons(client, name)}"
    status: str = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    return status


def _reasons(client: Any, stack: str) -> list[str]:
    try:
        events = client.describe_stack_events(StackName=stack)["StackEvents"]
    except ClientError:
        return []
    return [each.get("ResourceStatusReason", "") for each in events if "FAILED" in each["ResourceStatus"]]


def _compared(name: str, rollout: Rollout, account: str, there: Make) -> Iterator[Comparison]:
    expected = state(lambda service: rollout.client(service, account))
    found = state(there)
    for kind, wanted in expected.items():
        if wanted or found[kind]:
            yield Comparison(f"{name}: {kind} ({len(wanted)})", wanted, found[kind])


CLIENT = Client("second-emulator", ("ministack",), "ministack", compare)
