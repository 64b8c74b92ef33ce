"""The product's own stacks, deployed: what happens in an account and what the security team is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

import pytest

from orgmon.detections.catalogue import shipped
from orgmon.sandbox import actors
from orgmon.sandbox.mailbox import Letter
from orgmon.sandbox.world import World
from tests.sandbox.services import messages
from tests.whole import links
from tests.whole.embedded import EVERYTHING, Rehearsal, rehearsed
from tests.whole.flows import (
    ACCESS_KEY,
    ALARMS,
    ALERTS,
    CENTRAL,
    DECOY,
    EDGE_ALARM,
    EVENT,
    LONG_ENOUGH,
    MEMBER_ALARM,
    PHRASES,
    PIPELINE,
    TAMPERING,
    USER,
    Silence,
    Told,
    change_keys,
    dead_letters,
    facts,
    invocations,
    letters_of,
    sign_in,
    told,
    touch,
    ways,
)
from tests.whole.links import HOME, MANAGEMENT, MEMBER, SECURITY
from tests.whole.tampering import TAMPERINGS

pytestmark = pytest.mark.xdist_group("flows")


@pytest.fixture(scope="module")
def rolled_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rehearsal, tuple[Letter, ...]]]:
    """One organization for all tests here, deployed, and what the rollout put into the mailbox."""
    folder = tmp_path_factory.mktemp("flows")
    with rehearsed(folder, cast(Any, Silence()), detections=EVERYTHING) as rehearsal:
        assert rehearsal.orgmon("deploy", "--yes")[0] == 0
        rehearsal.sandbox.settle(LONG_ENOUGH)
        letters = rehearsal.sandbox.signals.mailbox.letters
        for account in (MEMBER, MANAGEMENT):
            rehearsal.sandbox.world.client("iam", account, HOME).create_user(UserName=USER)
        yield rehearsal, letters


@pytest.fixture
def deployed(rolled_out: tuple[Rehearsal, tuple[Letter, ...]]) -> Rehearsal:
    """The organization; whoever takes something away puts it back."""
    return rolled_out[0]


@pytest.fixture
def quiet(deployed: Rehearsal) -> Iterator[Rehearsal]:
    """The same, and all alarms are off again afterwards."""
    yield deployed
    deployed.sandbox.settle(LONG_ENOUGH)
    for arn, _ in tuple(deployed.sandbox.signals.queues.waiting()):
        if not arn.endswith(":soc-inbox"):
            messages(deployed.sandbox, arn)
    deployed.sandbox.settle(LONG_ENOUGH)


def test_an_attack_is_told_by_both_flows(quiet: Rehearsal) -> None:
    letters = letters_of(quiet, lambda: actors.attack(quiet.sandbox, MEMBER, HOME))
    assert ways(letters) == ALERTS | ALARMS
    [alert] = [letter for letter in letters if told(letter) == (EVENT, ACCESS_KEY)]
    read = facts(alert)
    assert alert.subject == "[MEDIUM] payments-prod: An access key was created, switched or deleted"
    assert alert.topic.endswith(":orgmon-medium")
    assert (read["Severity"], read["What"]) == ("MEDIUM", "iam:CreateAccessKey")
    assert (read["Account"], read["Owner"]) == (f"{MEMBER} payments-prod", "payments@example.com")
    assert (read["Who"], read["From"]) == (f"arn:aws:iam::{MEMBER}:user/build-runner", "198.51.100.23")
    assert read["Region"] == HOME
    assert read["Event id"] in {record["eventID"] for record in quiet.sandbox.trail.records(MEMBER, HOME)}
    [alarm] = [letter for letter in letters if told(letter) == (CENTRAL, ACCESS_KEY)]
    assert (alarm.topic, json.loads(alarm.text)["NewStateValue"]) == (alert.topic, "ALARM")


def test_the_events_flow_takes_seconds_and_the_metrics_flow_minutes(quiet: Rehearsal) -> None:
    assert ways(letters_of(quiet, lambda: touch(quiet), seconds=10)) == ALERTS
    assert ways(letters_of(quiet, lambda: None, seconds=350)) == ALARMS


def test_what_cloudtrail_delivers_late_is_alarmed_on_all_the_same(quiet: Rehearsal) -> None:
    usual = quiet.sandbox.trail.latency
    quiet.sandbox.trail.latency = 880.0
    try:
        assert ways(letters_of(quiet, lambda: touch(quiet), seconds=10)) == ALERTS
        assert ways(letters_of(quiet, lambda: None)) == ALARMS
    finally:
        quiet.sandbox.trail.latency = usual


def test_auditors_alarms_wait_in_a_queue_and_wake_nobody(quiet: Rehearsal) -> None:
    assert letters_of(quiet, lambda: sign_in(quiet, MEMBER, user=USER, success=False)) == []
    sqs = quiet.sandbox.world.client("sqs", SECURITY, HOME)
    url = sqs.get_queue_url(QueueName="orgmon-audit")["QueueUrl"]
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    alarms = {json.loads(json.loads(each["Body"])["Message"])["AlarmName"] for each in received}
    assert "orgmon-cis-4.6-console-authentication-failures" in alarms


def test_failed_sign_ins_are_counted_where_they_happen_and_centrally(quiet: Rehearsal) -> None:
    def fail() -> None:
        for _ in range(count):
            sign_in(quiet, MEMBER, user=USER, success=False)

    count = 2
    assert letters_of(quiet, fail) == []
    count = 3
    letters = letters_of(quiet, fail)
    assert ways(letters) == {(MEMBER_ALARM, "failed-sign-ins"), (CENTRAL, "failed-sign-ins")}
    read = facts(next(letter for letter in letters if told(letter)[0] == MEMBER_ALARM))
    assert (read["Severity"], read["Account"]) == ("MEDIUM", f"{MEMBER} payments-prod")
    assert read["What"] == "alarm orgmon-member-failed-sign-ins"
    assert read["Quoted"].startswith("Threshold Crossed")


@pytest.mark.parametrize("account", [MEMBER, MANAGEMENT])
def test_root_and_a_sign_in_without_mfa(quiet: Rehearsal, account: str) -> None:
    without = "console-sign-in-without-mfa"
    letters = letters_of(quiet, lambda: sign_in(quiet, account, user=USER))
    assert ways(letters) == {(EVENT, without), (CENTRAL, without)}
    assert letters_of(quiet, lambda: sign_in(quiet, account, user=USER, mfa=True)) == []
    letters = letters_of(quiet, lambda: sign_in(quiet, account, user="root", mfa=True))
    assert ways(letters) == {(EVENT, "root-use"), (MEMBER_ALARM, "root-use"), (CENTRAL, "root-use")}
    assert {facts(each)["Account"][:12] for each in letters if told(each)[0] != CENTRAL} == {account}


def test_the_management_account_is_watched_too(quiet: Rehearsal) -> None:
    letters = letters_of(quiet, lambda: change_keys(quiet, MANAGEMENT))
    assert ways(letters) == {(EVENT, ACCESS_KEY), (CENTRAL, ACCESS_KEY)}
    assert {facts(each)["Account"] for each in letters if told(each)[0] == EVENT} == {
        f"{MANAGEMENT} management"
    }


def test_whoever_touches_the_monitoring_is_told_of_by_both_flows(quiet: Rehearsal) -> None:
    known = {name for name in (detection.id for detection in shipped()) if name.startswith("monitoring-")}
    assert TAMPERINGS.keys() == known
    world = quiet.sandbox.world
    letters = letters_of(quiet, lambda: [tamper(world) for tamper in TAMPERINGS.values()])
    arrived = ways(letters)
    assert arrived >= {(way, name) for name in TAMPERINGS for way in (EVENT, CENTRAL)}
    assert {name for way, name in arrived if way == PIPELINE} == set()


def test_an_event_that_comes_again_is_not_told_again(quiet: Rehearsal) -> None:
    archive = quiet.sandbox.world.store("events", SECURITY, HOME).archives["orgmon"]
    known = len(archive.events)
    first = [told(each) for each in letters_of(quiet, lambda: touch(quiet))]
    assert {way: first.count(way) for way in ALERTS} == {**dict.fromkeys(ALERTS, 1), (EVENT, ACCESS_KEY): 2}

    def again() -> None:
        for event in tuple(archive.events[known:]):
            quiet.sandbox.signals.bus.put(SECURITY, HOME, "orgmon", event, hops=1)

    handled = invocations(quiet)
    assert letters_of(quiet, again) == []
    assert invocations(quiet) > handled


def test_an_account_that_joined_later_is_told_as_not_listed(quiet: Rehearsal) -> None:
    joined: list[str] = []

    def join() -> None:
        joined.append(actors.join(quiet.sandbox, "late-joiner", "Root/Workloads/Prod"))
        # Auto-deployment works in real time, whatever the sandbox's clock says.
        assert quiet.sandbox.stack_sets.wait(60)

    changed = "organizations-change"
    assert ways(letters_of(quiet, join)) == {(EVENT, changed), (CENTRAL, changed)}
    [account] = joined
    letters = letters_of(quiet, lambda: sign_in(quiet, account, user="root"))
    [alert] = [letter for letter in letters if told(letter) == (EVENT, "root-use")]
    assert alert.subject == f"[CRITICAL] {account}: The root user was used"
    assert (facts(alert)["Account"], facts(alert)["Owner"]) == (account, "not listed in accounts.yaml")


@dataclass(frozen=True)
class Broken:
    """What still arrives without a link, where the dead letters are, and which alarms of the pipeline tell."""

    take: Callable[[World], AbstractContextManager[None]]
    arrives: Told
    dead: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.take.__name__


MISSING = (
    Broken(links.without_bus_policy, ALARMS, ("orgmon-edge",), (EDGE_ALARM,)),
    Broken(links.without_forward_policy, ALARMS, ("orgmon-edge",), (EDGE_ALARM,)),
    Broken(links.without_edge_policy, ALARMS),
    Broken(
        links.without_queue_policy,
        ALARMS | {(EVENT, ACCESS_KEY)},
        ("orgmon-urgent-dead-letters",),
        ("orgmon-urgent-dead-letters",),
    ),
    Broken(
        links.without_key_for_rules,
        ALARMS,
        ("orgmon-routine-dead-letters", "orgmon-urgent-dead-letters"),
        ("orgmon-routine-dead-letters", "orgmon-urgent-dead-letters"),
    ),
    Broken(links.without_key_for_alarms, ALERTS),
    Broken(links.without_topic_policy, ALERTS | {(CENTRAL, ACCESS_KEY), (CENTRAL, "decoy-decrypted")}),
    Broken(
        links.without_log_policy,
        ALARMS | ALERTS - {(MEMBER_ALARM, TAMPERING)},
        ("orgmon-edge",),
        (EDGE_ALARM,),
    ),
    Broken(
        links.without_publish,
        ALARMS,
        ("orgmon-routine-dead-letters", "orgmon-urgent-dead-letters"),
        ("orgmon-routine-dead-letters", "orgmon-urgent-dead-letters"),
    ),
    Broken(links.without_key_for_notifier, ALARMS),
    Broken(links.without_trail_policy, ALERTS),
    Broken(links.without_reads, ALARMS | ALERTS - {(EVENT, DECOY)}),
    Broken(links.without_reads_in_the_hub, ALARMS | ALERTS - {(EVENT, DECOY)}),
)


@pytest.mark.parametrize("broken", MISSING, ids=str)
def test_without_a_link_its_flow_is_silent_and_the_other_is_not(quiet: Rehearsal, broken: Broken) -> None:
    with broken.take(quiet.sandbox.world):
        letters = letters_of(quiet, lambda: touch(quiet))
        dead = dead_letters(quiet)
    own = {name for way, name in ways(letters) if way == PIPELINE}
    assert {way for way in ways(letters) if way[0] != PIPELINE} == broken.arrives
    assert dead == set(broken.dead)
    assert own == set(broken.alarms)


def test_alerts_wait_for_a_notifier_that_cannot_read_them(quiet: Rehearsal) -> None:
    with links.without_key_for_notifier(quiet.sandbox.world):
        letters_of(quiet, lambda: touch(quiet))
    assert ways(letters_of(quiet, lambda: None)) == ALERTS


def test_a_dead_letter_says_which_rule_which_target_and_why(quiet: Rehearsal) -> None:
    with links.without_bus_policy(quiet.sandbox.world):
        letters_of(quiet, lambda: touch(quiet))
    sqs = quiet.sandbox.world.client("sqs", SECURITY, HOME)
    url = sqs.get_queue_url(QueueName="orgmon-edge")["QueueUrl"]
    letters = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MaxNumberOfMessages=10)
    attributes = [
        {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        for letter in letters["Messages"]
    ]
    assert {each["ERROR_CODE"] for each in attributes} == {"NO_PERMISSIONS"}
    assert {each["TARGET_ARN"] for each in attributes} == {
        f"arn:aws:events:{HOME}:{SECURITY}:event-bus/orgmon"
    }
    assert {each["RULE_ARN"].split(":rule/")[0] for each in attributes} == {f"arn:aws:events:{HOME}:{MEMBER}"}


def test_more_dead_letters_are_told_again_and_those_that_stay_are_not(quiet: Rehearsal) -> None:
    edge = (PIPELINE, EDGE_ALARM)
    with links.without_bus_policy(quiet.sandbox.world):
        first = ways(letters_of(quiet, lambda: change_keys(quiet, MEMBER)))
        nothing_new = ways(letters_of(quiet, lambda: None))
        more = ways(letters_of(quiet, lambda: change_keys(quiet, MEMBER)))
    assert edge in first & more
    assert edge not in nothing_new


def test_a_first_rollout_alerts_nobody(rolled_out: tuple[Rehearsal, tuple[Letter, ...]]) -> None:
    deployed, letters = rolled_out
    assert {letter.subject for letter in letters} == {"AWS Notification - Subscription Confirmation"}
    # There was something to be mistaken about: the hub has seen roles being made.
    archive = deployed.sandbox.world.store("events", SECURITY, HOME).archives["orgmon"]
    seen = {(event["account"], event["detail"].get("eventName")) for event in archive.events}
    assert seen >= {(account, "CreateRole") for account in (MEMBER, MANAGEMENT)}


def test_an_update_alerts_nobody(quiet: Rehearsal) -> None:
    before = quiet.config
    decoys = {**before["decoys"], "items": [*before["decoys"]["items"], {"phrase": "ArchiveTransferLogin"}]}

    def update() -> None:
        quiet.change(
            detections={**before["detections"], "disabled": ["failed-sign-ins", "iam-role-change"]},
            trail={**before["trail"], "retention_days": 400},
            decoys=decoys,
        )
        assert quiet.orgmon("deploy", "--yes")[0] == 0

    def undo() -> None:
        quiet.path.write_text(json.dumps(before), encoding="utf-8")
        assert quiet.orgmon("deploy", "--yes")[0] == 0

    assert letters_of(quiet, update) == []
    assert letters_of(quiet, undo) == []


def test_a_decoy_is_named_in_no_alert_and_no_log_line(quiet: Rehearsal) -> None:
    with links.without_publish(quiet.sandbox.world):
        letters_of(quiet, lambda: touch(quiet))
    letters_of(quiet, lambda: touch(quiet))
    letters = quiet.sandbox.signals.mailbox.letters
    lines = quiet.sandbox.world.client("logs", SECURITY, HOME).filter_log_events(
        logGroupName="/aws/lambda/orgmon-notifier"
    )["events"]
    assert any(letter.subject.endswith(": A decoy was touched") for letter in letters)
    assert any("AuthorizationError" in line["message"] for line in lines)
    texts = [*(each.subject + each.text for each in letters), *(line["message"] for line in lines)]
    assert not [text for text in texts for phrase in PHRASES if phrase in text]


def test_a_decoy_is_named_in_no_template_that_members_can_read(deployed: Rehearsal) -> None:
    named: set[tuple[str, str]] = set()
    for account in deployed.sandbox.world.organization.accounts:
        cloudformation = deployed.sandbox.world.client("cloudformation", account, HOME)
        for stack in cloudformation.describe_stacks()["Stacks"]:
            body = cloudformation.get_template(StackName=stack["StackId"])["TemplateBody"]
            text = json.dumps([body, stack], default=str)
            if any(phrase in text for phrase in PHRASES):
                named.add((account, stack["StackName"].removeprefix("StackSet-").split("-")[0]))
    # Where it has to stand: what decides in the hub and on the trail, and the decoys themselves.
    members = {account for account, _ in named} - {MANAGEMENT, SECURITY}
    assert MEMBER in members
    assert {stack for account, stack in named if account in members} == {"application"}
