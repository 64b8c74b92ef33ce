"""MiniStack, another emulator of AWS: do the members' templates make there what they make on the sandbox?

MiniStack 1.5.33 knows neither Fn::FindInMap nor AWS::Region in a condition and takes what it does not know for itself,
so that no alarm would be made. AWS has both, so the templates keep them, and what is found in the map is put into the
condition before a template is sent there.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from tests.clients.programs import Program, ProgramError
from tests.clients.rollout import Rollout
from tests.clients.state import Make, state
from tests.clients.verdict import Client, Comparison

# One with decoys, and an ordinary one.
MEMBERS = ("payments-prod", "shared-services")
# It answers about a second after its start; until then the client tries again.
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 8})
WAITED = {"Delay": 1, "MaxAttempts": 60}


def compare(program: Program, rollout: Rollout) -> Iterator[Comparison]:
    """Every stack of two members: is it made there, and what does the account have then?"""
    with _served(program, rollout) as url:
        for name in MEMBERS:
            account = rollout.member(name)
            there = _maker(url, account, rollout.region)
            yield Comparison(f"{name}: stacks made there", *_made(rollout, account, there))
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
        name = stack["StackName"]
        template = _plain(here.get_template(StackName=name)["TemplateBody"], rollout.region)
        expected[name] = stack["StackStatus"]
        found[name] = _create(there("cloudformation"), stack, template)
    return expected, found


def _plain(template: dict[str, Any], region: str) -> dict[str, Any]:
    """The template with what its conditions find in its mappings."""

    def resolved(part: Any) -> Any:
        match part:
            case {"Fn::FindInMap": [name, {"Ref": "AWS::Region"}, key]}:
                return template["Mappings"][name][region][key]
            case dict():
                return {key: resolved(value) for key, value in part.items()}
            case list():
                return [resolved(value) for value in part]
        return part

    return {**template, "Conditions": resolved(template.get("Conditions", {}))}


def _create(client: Any, stack: dict[str, Any], template: dict[str, Any]) -> str:
    """The status that a stack ends with, and what is said of it where that is no success."""
    name = stack["StackName"]
    try:
        client.create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
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
    expected = state(partial(rollout.client, account=account))
    found = state(there)
    for kind, wanted in expected.items():
        if wanted or found[kind]:
            yield Comparison(f"{name}: {kind} ({len(wanted)})", wanted, found[kind])


CLIENT = Client("second-emulator", ("ministack",), "ministack", compare)
