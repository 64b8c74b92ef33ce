"""The notifier: readable text, said once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from orgmon.alerts.alert import SUBJECT_LENGTH, Alert, alert_of
from orgmon.functions import notifier

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
    assert "alarm orgmon-member-trail-tampering: 1 datapoint" in alert.text


@dataclass
class Keys:
    """A memory that forgets nothing by itself."""

    held: set[str] = field(default_factory=set)

    def claim(self, key: str) -> bool:
        if key in self.held:
            return False
        self.held.add(key)
        return True

    def release(self, key: str) -> None:
        self.held.discard(key)


@dataclass
class Loudspeaker:
    """A publisher that may be broken."""

    said: list[Alert] = field(default_factory=list)
    broken: bool = False

    def publish(self, alert: Alert) -> None:
        if self.broken:
            raise ConnectionError("topic unreachable")
        self.said.append(alert)


def test_a_repeated_delivery_is_said_once_and_a_failed_one_again() -> None:
    memory, speaker = Keys(), Loudspeaker(broken=True)
    body = {"detection": "trail-tampering", "event": event()}
    with pytest.raises(ConnectionError):
        notifier.notify(body, memory, speaker, CATALOGUE, DIRECTORY)
    speaker.broken = False
    notifier.notify(body, memory, speaker, CATALOGUE, DIRECTORY)
    notifier.notify(body, memory, speaker, CATALOGUE, DIRECTORY)
    assert [alert.event_id for alert in speaker.said] == ["e-1"]
