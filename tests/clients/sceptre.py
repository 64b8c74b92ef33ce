"""Sceptre: a shipped template as a stack of somebody else's tool, from launch to deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests import sample
from tests.clients.programs import Program
from tests.clients.rollout import Rollout
from tests.clients.state import everything
from tests.clients.verdict import Client, Comparison

# The rollout has this stack in the security account alone, so that its names are free in the management account.
TEMPLATE = "orgmon-edge.yaml"
STACK = "clients-edge"
BEFORE, AFTER = "MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 604800"
SAME, OTHER = "No difference to deployed stack", "Difference detected for stack"


def compare(program: Program, rollout: Rollout) -> Iterator[Comparison]:
    """Launch, change, launch again, delete; what Sceptre says of each, and the sandbox."""
    folder = rollout.own_folder("sceptre")
    _write(folder, rollout)
    run = partial(_run, program, rollout, folder)
    own = partial(rollout.client, account=rollout.management)
    client, untouched = own("cloudformation"), everything(own)
    for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        run("launch", "--yes")
        told = json.loads(run("status"))["edge"]
        real = client.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        yield Comparison(f"launch: status {status}", (status, status), (told, real))
        yield Comparison("list resources", _resources(client), _told_resources(run("list", "resources")))
        yield Comparison("diff after it: none", True, SAME in run("diff"))
        if status == "CREATE_COMPLETE":
            _change(folder)
            text = run("diff")
            yield Comparison("diff of a change: tells it", (True, True), (OTHER in text, "604800" in text))
    run("delete", "--yes")
    yield Comparison("delete: nothing left, nothing else touched", untouched, everything(own))


def _write(folder: Path, rollout: Rollout) -> None:
    parameters = {
        "HomeRegion": rollout.region,
        "OrganizationId": rollout.config.organization.id,
        "SecurityAccountId": rollout.config.organization.security_account,
    }
    stack = {"template": {"path": TEMPLATE}, "stack_name": STACK, "parameters": parameters}
    for part in ("config", "templates"):
        (folder / part).mkdir()
    project = {"project_code": "clients", "region": rollout.region}
    # JSON is YAML.
    (folder / "config" / "config.yaml").write_text(json.dumps(project), encoding="utf-8")
    (folder / "config" / "edge.yaml").write_text(json.dumps(stack), encoding="utf-8")
    shipped = (sample.ROOT / "templates" / TEMPLATE).read_text(encoding="utf-8")
    assert BEFORE in shipped
    (folder / "templates" / TEMPLATE).write_text(shipped, encoding="utf-8")


def _change(folder: Path) -> None:
    path = folder / "templates" / TEMPLATE
    path.write_text(path.read_text(encoding="utf-8").replace(BEFORE, AFTER), encoding="utf-8")


def _run(program: Program, rollout: Rollout, folder: Path, *words: str) -> str:
    """A command on the stack; ``words`` are the command and its options."""
    return program.run(
        "sceptre", "--no-colour", "--output", "json", *words, "edge.yaml",
        environment=rollout.environment(), folder=folder,
    ).stdout  # fmt: skip


def _resources(client: Any) -> dict[str, str]:
    listed = client.list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}


def _told_resources(text: str) -> dict[str, str]:
    listed = json.loads(text)[0]["edge"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}


CLIENT = Client("sceptre", ("sceptre>=4",), "sceptre", compare)
