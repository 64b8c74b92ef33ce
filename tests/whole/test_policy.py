"""A caller with exactly the printed policy can do everything, and without a part of it is told what is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from orgmon.actions.policy import policy
from orgmon.cli import run
from orgmon.project import Project
from orgmon.sandbox.assembly import Sandbox
from orgmon.stacks.purpose import Caller, Purpose
from tests.whole.embedded import Rehearsal, World, embedded
from tests.whole.links import HOME, MANAGEMENT

pytestmark = pytest.mark.xdist_group("policy")

ROLE = "rollout"
CREATE = "cloudformation:CreateChangeSet"
# What makes a rollout shorter and leaves no call out.
SMALL: dict[str, Any] = {
    "detections": {"cis": False},
    "scope": {"units": ["Workloads/Prod"]},
    "rollout": {"waves": [{"name": "all", "rest": True}], "auto_deployment": True},
}
Statements = list[dict[str, Any]]


class Limited(Rehearsal):
    """A rehearsal whose caller is a role with one policy and nothing else."""

    def make_session(self, profile: str | None) -> Any:
        """Sessions of the role."""
        return session_of(self.sandbox)

    def allow(self, purpose: str, without: str = "") -> None:
        """Give the role what ``orgmon policy`` prints, but one statement or one action."""
        code, out, err = self.orgmon("policy", "--for", purpose)
        assert code == 0, err
        allow(self.sandbox, _without(json.loads(out)["Statement"], without))


def session_of(sandbox: Sandbox) -> Any:
    """A session of the role."""
    return sandbox.world.session(MANAGEMENT, role_name=ROLE)


def allow(sandbox: Sandbox, statements: Statements) -> None:
    """Give the role these statements and no others."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam = sandbox.world.client("iam", MANAGEMENT, HOME)
    iam.put_role_policy(RoleName=ROLE, PolicyName="rollout", PolicyDocument=policy)


def refused(text: str) -> set[str]:
    """The actions that a text says somebody may not do; SNS writes its own name in capitals."""
    found = re.findall(r"not authorized to perform: (\w+):(\w+)", text)
    return {f"{service.lower()}:{action}" for service, action in found}


def _without(statements: Statements, what: str) -> Statements:
    """The statements but one of that Sid, or but one action."""
    kept = [
        {**one, "Action": [action for action in one["Action"] if action != what]}
        for one in statements
        if one["Sid"] != what
    ]
    assert not what or kept != statements
    return kept


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A small organization that the role has rolled out, allowed no more than it takes."""
    with embedded(tmp_path_factory.mktemp("policy"), (HOME,), **SMALL) as made:
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": MANAGEMENT}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam = made.sandbox.world.client("iam", MANAGEMENT, HOME)
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
        statements = policy(Project(made.path), Purpose.DEPLOY, Caller.MANAGEMENT).document["Statement"]
        allow(made.sandbox, statements)
        arguments = ["deploy", "--yes", "--config", str(made.path)]
        assert run(arguments, lambda _: session_of(made.sandbox)) == 0
        yield made


@pytest.fixture
def limited(world: World, capsys: pytest.CaptureFixture[str]) -> Limited:
    """The caller of the organization that the tests share."""
    world.restore()
    return Limited(world.sandbox, world.path, capsys)


@pytest.mark.parametrize("command", ["plan", "status"])
def test_what_only_reads_needs_no_more_than_its_policy(limited: Limited, command: str) -> None:
    limited.allow(command)
    code, out, err = limited.orgmon(command)
    # Nobody has confirmed his subscription.
    assert code == 3, out + err
    assert refused(out + err) == set()


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("ReadOrganization", "organizations:DescribeOrganization"),
        ("ListStackSets", "cloudformation:ListStackSets"),
        ("ReadStackSets", "cloudformation:DescribeStackSet"),
        ("cloudformation:ListStackInstances", "cloudformation:ListStackInstances"),
        ("ReadStacks", "cloudformation:DescribeStacks"),
        ("ListArtifacts", "s3:ListBucket"),
        ("ReadSubscriptions", "sns:ListSubscriptionsByTopic"),
    ],
)
def test_without_a_part_of_it_the_error_names_the_action(
    limited: Limited, statement: str, missing: str
) -> None:
    limited.allow("plan", without=statement)
    code, out, err = limited.orgmon("plan")
    # Who is subscribed is one question of several.
    assert code == (3 if statement == "ReadSubscriptions" else 1)
    assert refused(out + err) == {missing}
    assert "orgmon policy" in out + err


@pytest.mark.parametrize(
    ("part", "change", "missing"),
    [
        ("ChangeArtifacts", {"detections": {"disabled": ["failed-sign-ins"]}}, "s3:PutObject"),
        (CREATE, {"trail": {"retention_days": 400}}, CREATE),
        ("ChangeStackSets", {"trail": {"archive_days": 400}}, "cloudformation:UpdateStackSet"),
        ("s3:GetObjectVersion", {"detections": {}}, "s3:GetObjectVersion"),
        # CloudFormation's own calls: what it has begun, it takes back.
        ("logs:PutMetricFilter", {"detections": {}}, "logs:PutMetricFilter"),
    ],
)
def test_a_rollout_without_a_part_of_it_stops_and_names_the_action(
    limited: Limited, part: str, change: dict[str, Any], missing: str
) -> None:
    limited.allow("deploy", without=part)
    limited.change(**change)
    code, out, err = limited.orgmon("deploy", "--yes")
    assert code == 1
    assert refused(out + err) == {missing}
    assert "orgmon policy" in out + err


def test_who_may_only_deploy_cannot_remove_with_the_policy_of_a_plan(limited: Limited) -> None:
    limited.allow("plan")
    code, out, err = limited.orgmon("destroy", "--confirm", "o-q1w2e3r4t5")
    assert code == 1
    assert {action.split(":")[0] for action in refused(out + err)} == {"cloudformation"}


def test_its_own_policy_is_enough_to_remove_everything(limited: Limited) -> None:
    limited.allow("destroy")
    code, out, err = limited.orgmon("destroy", "--confirm", "o-q1w2e3r4t5")
    assert code == 0, out + err
