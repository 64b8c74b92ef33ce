"""c7n-org, Cloud Custodian over many accounts: does it find what the rollout made, all of it and nothing else?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.programs import Program
from tests.clients.rollout import Rollout, role_arn
from tests.clients.verdict import Client, Comparison

PROFILE = "management"


@dataclass(frozen=True)
class Kind:
    """A kind of resource: what Custodian calls it, its key for the name, and what CloudFormation calls it."""

    resource: str
    key: str
    type: str


# Not queues: Custodian asks the address of Amazon SQS for these, whatever the environment says.
KINDS = (
    Kind("log-group", "logGroupName", "AWS::Logs::LogGroup"),
    Kind("alarm", "AlarmName", "AWS::CloudWatch::Alarm"),
    Kind("sns", "TopicArn", "AWS::SNS::Topic"),
    Kind("event-rule", "Name", "AWS::Events::Rule"),
)


def compare(program: Program, rollout: Rollout) -> Iterator[Comparison]:
    """Kind by kind, the resources of all accounts, against what the stacks of the sandbox say that they have."""
    folder = rollout.own_folder("custodian")
    _write(folder, rollout)
    program.run(
        "c7n-org", "run", "--config", "accounts.json", "--use", "policies.json", "--output-dir", "found",
        "--region", rollout.region,
        environment=rollout.environment(AWS_SHARED_CREDENTIALS_FILE=str(folder / "credentials")), folder=folder,
    )  # fmt: skip
    for kind in KINDS:
        deployed = {name for account in _accounts(rollout) for name in _deployed(rollout, account, kind)}
        found = {name for account in _accounts(rollout) for name in _found(folder, rollout, account, kind)}
        yield Comparison(
            f"{kind.resource} in {len(_accounts(rollout))} accounts ({len(deployed)})", deployed, found
        )


def _accounts(rollout: Rollout) -> tuple[str, ...]:
    return (rollout.management, *rollout.members)


def _write(folder: Path, rollout: Rollout) -> None:
    """The accounts, the policies, which only look, and a profile for the one account that has no role to assume."""
    accounts: list[dict[str, Any]] = [
        {"account_id": account, "name": account, "regions": [rollout.region], "role": role_arn(account)}
        for account in rollout.members
    ]
    own = {"account_id": rollout.management, "name": rollout.management, "regions": [rollout.region]}
    accounts.append({**own, "profile": PROFILE})
    policies = [{"name": kind.resource, "resource": f"aws.{kind.resource}"} for kind in KINDS]
    (folder / "accounts.json").write_text(json.dumps({"accounts": accounts}), encoding="utf-8")
    (folder / "policies.json").write_text(json.dumps({"policies": policies}), encoding="utf-8")
    address = rollout.served.address
    (folder / "credentials").write_text(
        f"[{PROFILE}]\naws_access_key_id={address.access_key}\naws_secret_access_key={address.secret_key}\n",
        encoding="utf-8",
    )


def _deployed(rollout: Rollout, account: str, kind: Kind) -> Iterator[tuple[str, str]]:
    """What the stacks of an account have of a kind."""
    client = rollout.client("cloudformation", account)
    for page in client.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            resources = client.get_paginator("list_stack_resources").paginate(StackName=stack["StackId"])
            for each in (one for part in resources for one in part["StackResourceSummaries"]):
                if each["ResourceType"] == kind.type:
                    # A rule's id begins with its bus, if that is not the default one.
                    yield account, each["PhysicalResourceId"].rpartition("|")[2]


def _found(folder: Path, rollout: Rollout, account: str, kind: Kind) -> Iterator[tuple[str, str]]:
    """What Custodian has written down; rules that a service made for itself are nobody's stack's."""
    path = folder / "found" / account / rollout.region / kind.resource / "resources.json"
    for each in json.loads(path.read_text(encoding="utf-8")):
        if "ManagedBy" not in each:
            yield account, each[kind.key]


CLIENT = Client("custodian", ("c7n", "c7n-org"), "c7n-org", compare)
