"""The notifier: readable text, said once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest

from orgmon.alerts.alert import SUBJECT_LENGTH, Alert, alert_of
from orgmon.functions import notifier
from orgmon.functions.memory import REMEMBER_LASTING_SECONDS, REMEMBER_SECONDS, Claim

CATALOGUE = {
    "trail-tampering": {"title": "A trail was tampered with", "severity": "critical", "runbook": "Look."}
}
DIRECTORY = {"444455556666": {"name": "payments-prod", "owner": "payments@example.com"}}


def event(**record: Any) -> dict[str, Any]:
    """An EventBridge event of a CloudTrail record."""
    detail = {
        "eventID": "e-1",
        "eventName": "StopLogging",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventTime": "2026-11-20T10:00:00Z",
        "awsRegion": "eu-north-1",
        "recipientAccountId": "444455556666",
        "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::444455556666:user/eve"},
        **record,
    }
    return {"detail-type": "AWS API Call via CloudTrail", "account": "444455556666", "detail": detail}


def test_an_alert_says_who_what_where_when_and_what_to_do() -> None:
    alert = alert_of("trail-tampering", event(errorCode="AccessDenied"), CATALOGUE, DIRECTORY)
    assert alert.subject == "[CRITICAL] payments-prod: A trail was tampered with"
    assert alert.text == (
        "A trail was tampered with\n"
        "\n"
        "Severity:  CRITICAL\n"
        "What:      cloudtrail:StopLogging refused (AccessDenied)\n"
        "Account:   444455556666 payments-prod\n"
        "Owner:     payments@example.com\n"
        "Region:    eu-north-1\n"
        "Who:       arn:aws:iam::444455556666:user/eve\n"
        "From:      198.51.100.7\n"
        "When:      2026-11-20T10:00:00Z\n"
        "Event id:  e-1\n"
        "Detection: trail-tampering\n"
        "Meaning:   Look.\n"
    )


def test_an_account_that_nobody_listed_is_said_to_be_unlisted() -> None:
    alert = alert_of("trail-tampering", event(recipientAccountId="999900001111"), CATALOGUE, DIRECTORY)
    assert "Owner:     not listed in accounts.yaml" in alert.text


def test_fields_of_the_event_cannot_forge_lines_or_subjects() -> None:
    forged = event(sourceIPAddress="1.2.3.4\nOwner: nobody", eventName="x" * 2000)
    alert = alert_of("trail-tampering", forged, CATALOGUE, DIRECTORY)
    assert alert.text.count("Owner:") == 2
    assert "\nOwner: nobody" not in alert.text
    assert len(alert.subject) <= SUBJECT_LENGTH
    assert alert.subject.isascii()


def test_the_alarm_of_a_member_is_told_by_its_name() -> None:
    changed = {
        "id": "a-1",
        "detail-type": "CloudWatch Alarm State Change",
        "account": "444455556666",
        "region": "us-east-2",
        "time": "2026-11-20T10:05:00Z",
        "detail": {
            "alarmName": "orgmon-member-trail-tampering",
            "state": {"value": "ALARM", "reason": "1 datapoint"},
        },
    }
    alert = alert_of("member-alarm", changed, CATALOGUE, DIRECTORY)
    assert (alert.detection, alert.severity, alert.region) == ("trail-tampering", "critical", "us-east-2")
    assert "alarm orgmon-member-trail-tampering" in alert.text
    assert "1 datapoint (words of the account)" in alert.text


def guardduty(**detail: Any) -> dict[str, Any]:
    """An event of a GuardDuty finding in the payments account, as the security account gets it."""
    finding = {
        "id": "16afba",
        "type": "CryptoCurrency:EC2/BitcoinTool.B",
        "title": "The EC2 instance i-1 is mining",
        "accountId": "444455556666",
        "region": "eu-west-1",
        "severity": 8,
        "updatedAt": "2026-11-20T10:00:00Z",
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-1"}},
        **detail,
    }
    envelope = {"id": "v-1", "account": "777788889999", "region": "eu-west-1"}
    return {"detail-type": "GuardDuty Finding", **envelope, "detail": finding}


ASFF = {
    "detail-type": "Security Hub Findings - Imported",
    "id": "v-2",
    "account": "777788889999",
    "detail": {
        "findings": [
            {
                "Id": "arn:finding/1",
                "GeneratorId": "security-control/S3.8",
                "Title": "Buckets should block public access",
                "AwsAccountId": "444455556666",
                "Region": "us-east-2",
                "Severity": {"Label": "CRITICAL"},
                "UpdatedAt": "2026-11-20T10:00:00Z",
                "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::x"}],
            }
        ]
    },
}
OCSF = {
    "detail-type": "Findings Imported V2",
    "id": "v-3",
    "account": "777788889999",
    "detail": {
        "findings": [
            {
                "class_name": "Compliance Finding",
                "severity": "Critical",
                "cloud": {"account": {"uid": "444455556666"}, "region": "us-east-2"},
                "metadata": {"product": {"uid": "arn:product"}},
                "finding_info": {"uid": "f-1", "title": "Buckets should block public access"},
                "resources": [{"type": "AWS::S3::Bucket", "uid": "arn:aws:s3:::x"}],
            }
        ]
    },
}


@pytest.mark.parametrize(
    ("event_of", "facts"),
    [
        (guardduty(), ("The EC2 instance i-1 is mining", "eu-west-1", "Instance i-1", "BitcoinTool.B, severity 8")),
        (ASFF, ("Buckets should block public access", "us-east-2", "AwsS3Bucket arn:aws:s3:::x", "S3.8, severity CRITICAL")),
        (OCSF, ("Buckets should block public access", "us-east-2", "AWS::S3::Bucket arn:aws:s3:::x", "Compliance Finding, severity Critical")),
    ],
    ids=["GuardDuty", "ASFF", "OCSF"],
)  # fmt: skip
def test_a_finding_says_what_was_found_where(event_of: dict[str, Any], facts: tuple[str, ...]) -> None:
    alert = alert_of("guardduty-finding", event_of, CATALOGUE, DIRECTORY)
    assert alert.subject.startswith("[HIGH] payments-prod: ")
    for fact in (*facts, "payments@example.com", "444455556666 payments-prod"):
        assert fact in alert.text
    assert "unknown" not in alert.text
    assert alert.event_id in ("16afba", "arn:finding/1", "444455556666/arn:product/f-1")


@pytest.mark.parametrize("event_of", [guardduty(), ASFF, OCSF], ids=["GuardDuty", "ASFF", "OCSF"])
def test_a_finding_without_an_id_is_known_by_its_event(event_of: dict[str, Any]) -> None:
    bare = {**event_of, "detail": {"findings": []} if "findings" in event_of["detail"] else {}}
    assert alert_of("f", bare, CATALOGUE, DIRECTORY).key == f"f/{event_of['id']}"
    assert alert_of("f", {**bare, "id": ""}, CATALOGUE, DIRECTORY).key == ""


@pytest.mark.parametrize("detail", [None, [], "x", {"findings": "x"}, {"findings": [None]}, {"resource": []}])
@pytest.mark.parametrize(
    "kind", ["GuardDuty Finding", "Findings Imported V2", "Security Hub Findings - Imported"]
)
def test_no_form_of_a_finding_raises(kind: str, detail: Any) -> None:
    assert (
        alert_of("f", {"detail-type": kind, "id": "v", "detail": detail}, CATALOGUE, DIRECTORY).key == "f/v"
    )


def test_the_reason_of_a_member_s_alarm_is_marked_and_carries_no_link() -> None:
    changed = {
        "detail-type": "CloudWatch Alarm State Change",
        "detail": {
            "alarmName": "orgmon-member-x",
            "state": {"reason": "see https://evil.example.com/login now"},
        },
    }
    text = alert_of("member-alarm", changed, CATALOGUE, DIRECTORY).text
    assert "https[:]//evil[.]example[.]com/login now (words of the account)" in text
    assert "https://" not in text


@pytest.mark.parametrize("name", ["orgmon-member-see https://evil.example.com", "orgmon-edge-dead-letters"])
def test_a_name_that_a_member_chose_for_an_alarm_is_quoted_and_names_nothing(name: str) -> None:
    changed = {
        "detail-type": "CloudWatch Alarm State Change",
        "detail": {"alarmName": name, "state": {"reason": "r"}},
    }
    alert = alert_of("member-alarm", changed, CATALOGUE, DIRECTORY)
    assert alert.detection == "member-alarm"
    assert name not in alert.subject + alert.title + alert.what
    assert "https://" not in alert.text
    assert "evil.example.com" not in alert.text
    ours = alert_of("edge-alarm", {**changed, "account": "1"}, CATALOGUE, DIRECTORY)
    assert ours.what == f"alarm {name}"


@dataclass
class Keys:
    """A memory that forgets nothing by itself, but for leases when time passes."""

    said: dict[str, int] = field(default_factory=dict)
    leased: set[str] = field(default_factory=set)

    def claim(self, key: str) -> Claim:
        if key in self.said:
            return Claim.SAID
        if key in self.leased:
            return Claim.TAKEN
        self.leased.add(key)
        return Claim.OURS

    def keep(self, key: str, seconds: int) -> None:
        self.said[key] = seconds

    def wait(self) -> None:
        """All leases run out."""
        self.leased.clear()


@dataclass
class Loudspeaker:
    """A publisher that may be broken."""

    said: list[Alert] = field(default_factory=list)
    broken: bool = False

    def publish(self, alert: Alert) -> None:
        if self.broken:
            raise ConnectionError("topic unreachable")
        self.said.append(alert)


def deliver(memory: Keys, speaker: Loudspeaker, of: dict[str, Any] | None = None) -> None:
    """One delivery of a message."""
    body = {"detection": "trail-tampering", "event": of or event()}
    notifier.notify(body, memory, speaker, CATALOGUE, DIRECTORY)


def test_a_repeated_delivery_is_said_once_and_a_failed_one_again() -> None:
    memory, speaker = Keys(), Loudspeaker(broken=True)
    with pytest.raises(ConnectionError):
        deliver(memory, speaker)
    speaker.broken = False
    with pytest.raises(notifier.TakenError):
        deliver(memory, speaker)
    memory.wait()
    deliver(memory, speaker)
    deliver(memory, speaker)
    assert [alert.event_id for alert in speaker.said] == ["e-1"]
    assert memory.said == {"trail-tampering/e-1": REMEMBER_SECONDS}


def test_each_finding_is_said_once_and_again_when_it_becomes_worse() -> None:
    memory, speaker = Keys(), Loudspeaker()
    for detail in ({}, {}, {"updatedAt": "later"}, {"id": "other"}, {"severity": 9}):
        deliver(memory, speaker, guardduty(**detail))
    assert [(alert.event_id, alert.what[-1]) for alert in speaker.said] == [
        ("16afba", "8"), ("other", "8"), ("16afba", "9"),
    ]  # fmt: skip
    assert set(memory.said.values()) == {REMEMBER_LASTING_SECONDS}


def test_what_nothing_identifies_is_said_each_time() -> None:
    memory, speaker = Keys(), Loudspeaker()
    for _ in range(2):
        deliver(memory, speaker, event(eventID=""))
    assert len(speaker.said) == 2
    assert memory.said == {}


class Killed(BaseException):
    """The process is gone."""


def killed_at(step: int, act: Callable[[], None]) -> bool:
    """Do something and die before so many lines of the notifier's function; False if it ended before that."""
    seen = 0

    def trace(frame: FrameType, what: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code is not notifier.notify.__code__:
            return None
        if what == "line":
            seen += 1
            if seen > step:
                raise Killed
        return trace

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except Killed:
        return True
    finally:
        sys.settrace(former)
    return False


def test_killed_before_any_line_it_is_said_and_repeated_only_between_saying_and_remembering() -> None:
    times: list[int] = []
    for step in range(100):
        memory, speaker = Keys(), Loudspeaker()
        if not killed_at(step, lambda: deliver(memory, speaker)):  # noqa: B023 - called at once
            break
        was_said, was_kept = bool(speaker.said), bool(memory.said)
        memory.wait()
        deliver(memory, speaker)
        times.append(len(speaker.said))
        assert len(speaker.said) == (2 if was_said and not was_kept else 1)
    assert len(times) > 8
    assert 2 in times
