"""A live rollout of each released version becomes one of today: nobody confirms again, nothing that matters is made anew."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from orgmon.actions.deploy import Order, deploy
from orgmon.config.load import load
from orgmon.rehearsal.seeding import seed_of
from orgmon.sandbox import actors
from orgmon.sandbox.assembly import assemble
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.conditions import as_list
from orgmon.stackset import State
from orgmon.workspace import Workspace
from tests.fakes import Told
from tests.upgrades.release import CONFIG, read, releases
from tests.whole.embedded import Rehearsal
from tests.whole.flows import ACCESS_KEY, CENTRAL, EVENT, LONG_ENOUGH, USER, change_keys, letters_of, ways
from tests.whole.links import HOME, MEMBER

# What holds something that would be lost with it, or that others know by its ARN.
LASTING = (
    "AWS::CloudTrail::Trail",
    "AWS::DynamoDB::Table",
    "AWS::Events::Archive",
    "AWS::Events::EventBus",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)
# Without these an event or an alarm has no way; what is removed and made again leaves a gap.
ON_THE_WAY = {
    "DeleteAlarms": "AlarmNames",
    "DeleteFunction": "FunctionName",
    "DeleteMetricFilter": "filterName",
    "DeleteRolePolicy": "RoleName",
    "DeleteRule": "Name",
    "DisableRule": "Name",
    "RemoveTargets": "Rule",
    "StopLogging": "Name",
}


class Released(Workspace):
    """Wants what a released version wanted."""

    def __init__(self, rehearsal: Rehearsal, release: Path) -> None:
        super().__init__(rehearsal.path, rehearsal.make_session)
        self._release = release

    @cached_property
    def desired(self) -> State:
        return read(self._release)


@pytest.fixture(params=releases(), ids=lambda folder: folder.name)
def live(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Rehearsal]:
    """An organization with a rollout of a released version, whose people have confirmed."""
    path = tmp_path / CONFIG
    shutil.copy(request.param / CONFIG, path)
    with assemble(seed_of(load(path)), clock=Clock(speed=0)) as sandbox:
        rehearsal = Rehearsal(sandbox, path, capsys)
        report = deploy(Released(rehearsal, request.param), Order(patience=60.0), Told(), lambda plan: True)
        assert report is not None
        assert report.is_good
        actors.confirm(sandbox)
        sandbox.settle(LONG_ENOUGH)
        yield rehearsal


def resources(rehearsal: Rehearsal) -> dict[tuple[str, str, str, str], tuple[str, str]]:
    """Type and physical id of every resource of every stack, by account, Region, stack and logical id."""
    register = rehearsal.sandbox.engine.register
    return {
        (account, region, stack.id, resource.logical_id): (resource.type, resource.physical_id)
        for account in rehearsal.sandbox.world.organization.accounts
        for region in (HOME,)
        for stack in register.stacks(account, region)
        if not stack.is_gone
        for resource in stack.resources.values()
    }


def removed_on_the_way(calls: list[Any]) -> set[tuple[str, str]]:
    """What was taken away, by account and name."""
    return {
        (call.account, str(name))
        for call in calls
        if call.operation in ON_THE_WAY and call.error is None
        for name in as_list(call.params[ON_THE_WAY[call.operation]])
    }


def test_an_upgrade_confirms_nothing_again_replaces_nothing_and_leaves_no_gap(live: Rehearsal) -> None:
    before = resources(live)
    world = live.sandbox.world
    letters = live.sandbox.signals.mailbox.letters
    calls: list[Any] = []
    world.after.append(calls.append)
    heard = len(letters)
    code, out, err = live.orgmon("deploy", "--yes", "--prune")
    assert code == 0, out + err
    live.sandbox.settle(LONG_ENOUGH)
    after = resources(live)
    lasting = {where: what for where, what in before.items() if what[0] in LASTING}
    assert {where: after.get(where) for where in lasting} == lasting
    # The physical id of a rule on a bus of its own begins with the bus.
    kept = {(where[0], what[1].split("|")[-1]) for where, what in before.items() if after.get(where) == what}
    assert removed_on_the_way(calls) & kept == set()
    # Neither a confirmation nor an alert about the rollout itself.
    assert [letter.subject for letter in letters[heard:]] == []
    assert live.orgmon("plan")[0] == 0
    assert live.orgmon("status")[0] == 0
    world.client("iam", MEMBER, HOME).create_user(UserName=USER)
    live.sandbox.settle(LONG_ENOUGH)
    told = ways(letters_of(live, lambda: change_keys(live, MEMBER)))
    assert {(EVENT, ACCESS_KEY), (CENTRAL, ACCESS_KEY)} <= told
