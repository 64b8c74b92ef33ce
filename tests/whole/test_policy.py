"""A caller with exactly the printed policy can do everything, and without a part of it is told what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orgmon.actions.policy import policy
from orgmon.cli import run
from orgmon.project import Project
from orgmon.stacks.purpose import Caller, Purpose
from tests.whole.callers import Limited, allow, make_roles, refused, session_of
from tests.whole.embedded import World, embedded, few_detections
from tests.whole.links import HOME

pytestmark = pytest.mark.xdist_group("policy")

CREATE = "cloudformation:CreateChangeSet"
# What makes a rollout shorter and leaves no call out.
SMALL: dict[str, Any] = {
    "detections": few_detections(),
    "scope": {"units": ["Workloads/Prod"]},
    "rollout": {"waves": [{"name": "all", "rest": True}], "auto_deployment": True},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A small organization that the role has rolled out, allowed no more than it takes."""
    with embedded(tmp_path_factory.mktemp("policy"), (HOME,), **SMALL) as made:
        make_roles(made.sandbox)
        statements = policy(Project(made.path), Purpose.DEPLOY, Caller.MANAGEMENT).document["Statement"]
        allow(made.sandbox, Caller.MANAGEMENT, statements)
        arguments = ["deploy", "--yes", "--config", str(made.path)]
        assert run(arguments, lambda _: session_of(made.sandbox)) == 0
        yield made


@pytest.fixture
def limited(world: World, capsys: pytest.CaptureFixture[str]) -> Limited:
    """The caller of the organization that the tests share."""
    world.restore()
    return Limited(world.sandbox, world.path, capsys)


@pytest.mark.parametrize("command", [Purpose.PLAN, Purpose.STATUS])
def test_what_only_reads_needs_no_more_than_its_policy(limited: Limited, command: Purpose) -> None:
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
    limited.allow(Purpose.PLAN, without=statement)
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
    limited.allow(Purpose.DEPLOY, without=part)
    limited.change(**change)
    code, out, err = limited.orgmon("deploy", "--yes")
    assert code == 1
    assert refused(out + err) == {missing}
    assert "orgmon policy" in out + err


def test_who_may_only_deploy_cannot_remove_with_the_policy_of_a_plan(limited: Limited) -> None:
    limited.allow(Purpose.PLAN)
    code, out, err = limited.orgmon("destroy", "--confirm", "o-q1w2e3r4t5")
    assert code == 1
    assert {action.split(":")[0] for action in refused(out + err)} == {"cloudformation"}


def test_its_own_policy_is_enough_to_remove_everything(limited: Limited) -> None:
    limited.allow(Purpose.DESTROY)
    code, out, err = limited.orgmon("destroy", "--confirm", "o-q1w2e3r4t5")
    assert code == 0, out + err
