"""AWS CLI version 1, which works with change sets and waiters: a stack in a member, by an assumed role."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.clients.programs import Program
from tests.clients.rollout import Rollout, role_arn
from tests.clients.state import everything
from tests.clients.verdict import Client, Comparison

STACK = "clients-small"
GROUP = "/clients/small"
TEMPLATE = {
    "Parameters": {"Days": {"Type": "Number", "Default": 14}},
    "Resources": {
        "Group": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": GROUP, "RetentionInDays": {"Ref": "Days"}},
        },
        "Topic": {"Type": "AWS::SNS::Topic"},
    },
}
NOTHING_TO_DO = "No changes to deploy"
# Version 1 ends with 255 where a change set is empty.
EMPTY = 255

Run = Callable[..., subprocess.CompletedProcess[str]]


def compare(program: Program, rollout: Rollout) -> Iterator[Comparison]:
    """Deploy with and without a bucket, deploy again without a change, delete."""
    folder = rollout.own_folder("command-line")
    (folder / "small.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    account = rollout.member("shared-services")
    own = partial(rollout.client, account=account)
    untouched = everything(own)
    run = partial(program.run, "aws", environment=_assumed(program, rollout, folder, account), folder=folder)
    caller = json.loads(run("sts", "get-caller-identity", "--output", "json").stdout)["Account"]
    yield Comparison("the session is the member's", account, caller)
    yield from _deployments(run, rollout, account)
    run("cloudformation", "delete-stack", "--stack-name", STACK)
    run("cloudformation", "wait", "stack-delete-complete", "--stack-name", STACK)
    yield Comparison("delete-stack: nothing left", untouched, everything(own))


def _deployments(run: Run, rollout: Rollout, account: str) -> Iterator[Comparison]:
    deploy = partial(run, "cloudformation", "deploy", "--template-file", "small.json", "--stack-name", STACK)
    deploy()
    yield Comparison("deploy makes the stack", ("CREATE_COMPLETE", 14), _stack(rollout, account))
    bucket = f"clients-{account}"
    by_bucket = ("--s3-bucket", bucket, "--parameter-overrides", "Days=30")
    run("s3", "mb", f"s3://{bucket}")
    deploy(*by_bucket)
    yield Comparison("deploy --s3-bucket updates it", ("UPDATE_COMPLETE", 30), _stack(rollout, account))
    again = deploy(*by_bucket, expected=EMPTY)
    yield Comparison("deploy without a change says so", True, NOTHING_TO_DO in again.stderr)
    run("s3", "rb", "--force", f"s3://{bucket}")


def _assumed(program: Program, rollout: Rollout, folder: Path, account: str) -> dict[str, str]:
    """The environment of a session of the member's role."""
    done = program.run(
        "aws", "sts", "assume-role", "--role-arn", role_arn(account), "--role-session-name", "clients",
        "--output", "json", environment=rollout.environment(), folder=folder,
    )  # fmt: skip
    credentials = json.loads(done.stdout)["Credentials"]
    return rollout.environment(
        AWS_ACCESS_KEY_ID=credentials["AccessKeyId"],
        AWS_SECRET_ACCESS_KEY=credentials["SecretAccessKey"],
        AWS_SESSION_TOKEN=credentials["SessionToken"],
    )


def _stack(rollout: Rollout, account: str) -> tuple[str, int]:
    """The status of the stack, and for how many days its log group keeps events."""
    stack = rollout.client("cloudformation", account).describe_stacks(StackName=STACK)["Stacks"][0]
    groups = rollout.client("logs", account).describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    return stack["StackStatus"], groups[0]["retentionInDays"]


CLIENT = Client("command-line", ("awscli>=1,<2",), "awscli", compare)
