"""Prowler: what an auditor's tool says about the metric filters and alarms of CIS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tests.clients.programs import Program
from tests.clients.rollout import Rollout, role_arn
from tests.clients.verdict import Client, Comparison

CHECKS = "prowler/providers/aws/services/cloudwatch"
NAME = re.compile(r"cloudwatch_(log_metric_filter|changes_to)_\w+")
# CIS AWS Foundations Benchmark 3.0.0, 4.1 to 4.15; 4.16 is about Security Hub.
COUNT = 15


def compare(program: Program, rollout: Rollout) -> Iterator[Comparison]:
    """All of its checks pass in the management account. None does in a member, which has no metric filters on the
    trail's log group: a check that cannot fail would say nothing.
    """
    checks = _checks(program)
    yield Comparison("its checks on metric filters and alarms of CIS", COUNT, len(checks))
    passed = _statuses(program, rollout, checks, "management")
    yield Comparison(
        f"they pass in the management account ({len(checks)})", dict.fromkeys(checks, "PASS"), passed
    )
    member = role_arn(rollout.member("shared-services"))
    failed = _statuses(program, rollout, checks, "member", "--role", member)
    yield Comparison("none passes in a member", dict.fromkeys(checks, "FAIL"), failed)


def _checks(program: Program) -> list[str]:
    folders = (program.modules / CHECKS).iterdir()
    return sorted(folder.name for folder in folders if NAME.fullmatch(folder.name))


def _statuses(
    program: Program, rollout: Rollout, checks: list[str], name: str, *options: str
) -> dict[str, str]:
    """How each check ended."""
    folder = rollout.own_folder(f"prowler-{name}")
    output = (
        "--output-formats",
        "json-ocsf",
        "--output-directory",
        str(folder),
        "--output-filename",
        "found",
    )
    program.run(
        "prowler", "aws", "--no-banner", "--ignore-exit-code-3", "--region", rollout.region, *options, *output,
        "--checks", *checks, environment=rollout.environment(), folder=folder,
    )  # fmt: skip
    found = json.loads((folder / "found.ocsf.json").read_text(encoding="utf-8"))
    return {each["metadata"]["event_code"]: each["status_code"] for each in found}


CLIENT = Client("prowler", ("prowler>=5,<6",), "prowler", compare)
