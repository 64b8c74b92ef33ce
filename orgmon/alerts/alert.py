"""One readable alert: from an event that a hub rule let through to the text that a person reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.alerting import EDGE_ALARM, MEMBER_ALARM, MEMBER_ALARM_PREFIX, Severity
from orgmon.alerts.finding import Finding, finding_of
from orgmon.cloudtrail import CloudTrailEvent

# Amazon SNS: at most 100 ASCII characters.
SUBJECT_LENGTH = 100
ALARM_STATE_CHANGE = "CloudWatch Alarm State Change"
UNLISTED = "not listed in accounts.yaml"


@dataclass(frozen=True)
class Alert:
    """What the SOC needs to act, nothing more. ``time`` is ISO 8601, UTC.

    ``key`` is the same for what is to be told once, and empty for what nothing identifies. ``quoted`` are words that
    people of the account chose, such as the reason that their alarm's state has. What ``is_lasting`` comes again for
    as long as it is there.
    """

    detection: str
    title: str
    severity: str
    account: str
    account_name: str
    owner: str
    region: str
    who: str
    what: str
    source_address: str
    time: str
    event_id: str
    runbook: str
    key: str
    resource: str = ""
    quoted: str = ""
    is_lasting: bool = False
    steps: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The subject line: severity, account, title; ASCII, cut to what SNS takes."""
        text = f"[{self.severity.upper()}] {self.account_name or self.account}: {self.title}"
        return text.encode("ascii", "replace").decode()[:SUBJECT_LENGTH]

    @property
    def text(self) -> str:
        """The body, a line a fact."""
        owner = self.owner or UNLISTED
        rows = (
            ("Severity", self.severity.upper()),
            ("What", self.what),
            ("Resource", self.resource),
            ("Quoted", f"{_unlinked(self.quoted)} (words of the account)" if self.quoted else ""),
            ("Account", f"{self.account} {self.account_name}".rstrip()),
            ("Owner", owner),
            ("Region", self.region),
            ("Who", self.who),
            ("From", self.source_address),
            ("When", self.time),
            ("Event id", self.event_id),
            ("Detection", self.detection),
            ("Meaning", self.runbook),
        )
        body = "\n".join(f"{name + ':':<11}{_one_line(value)}" for name, value in rows if value)
        steps = "".join(f"\n{number}. {step}" for number, step in enumerate(self.steps, 1))
        return f"{self.title}\n\n{body}\n" + (f"\nFirst steps:{steps}\n" if steps else "")


def _one_line(value: str) -> str:
    """Event fields are written by whoever made the call: keep them from forging lines of the alert."""
    return "".join(character if character.isprintable() else " " for character in value)[:500]


def _unlinked(value: str) -> str:
    """Text that no mail program makes a link of: ``https[:]//example[.]com``."""
    return re.sub(r"(?<=[\w-])\.(?=[A-Za-z]{2})", "[.]", value.replace("://", "[:]//"))


def alert_of(
    detection: str,
    event: Mapping[str, Any],
    catalogue: Mapping[str, Mapping[str, Any]],
    directory: Mapping[str, Mapping[str, str]],
) -> Alert:
    """The alert for an EventBridge event.

    ``catalogue`` has title, severity and runbook of each detection, ``directory`` name and owner of each account.
    For the state change of an alarm the detection is told by the alarm's name.
    """
    if event.get("detail-type") == ALARM_STATE_CHANGE:
        return _of_alarm(event, catalogue, directory, is_ours=detection == EDGE_ALARM)
    finding = finding_of(event)
    if finding is not None:
        return _of_finding(finding, detection, event, catalogue, directory)
    record = CloudTrailEvent(event.get("detail") or {})
    known = catalogue.get(detection, {})
    account = record.account or str(event.get("account", ""))
    place = directory.get(account, {})
    return Alert(
        detection=detection,
        title=known.get("title", detection),
        severity=known.get("severity", Severity.HIGH),
        account=account,
        account_name=place.get("name", ""),
        owner=place.get("owner", ""),
        region=record.region,
        who=record.actor,
        what=_what(record),
        source_address=record.source_address,
        time=record.time,
        event_id=record.id,
        runbook=known.get("runbook", ""),
        # Without the account: a call across accounts is recorded in both, with one shared id.
        key=_key(detection, record.id or str(event.get("id", ""))),
        steps=tuple(known.get("steps", "").splitlines()),
    )


def _key(detection: str, *identity: str) -> str:
    """What is told once; empty where the first part, which identifies, is."""
    return "/".join((detection, *identity)) if identity[0] else ""


def _of_finding(
    finding: Finding,
    detection: str,
    event: Mapping[str, Any],
    catalogue: Mapping[str, Mapping[str, Any]],
    directory: Mapping[str, Mapping[str, str]],
) -> Alert:
    """A finding is told once, and again where its severity has changed."""
    known = catalogue.get(detection, {})
    account = finding.account or str(event.get("account", ""))
    place = directory.get(account, {})
    return Alert(
        detection=detection,
        title=finding.title or known.get("title", detection),
        severity=known.get("severity", Severity.HIGH),
        account=account,
        account_name=place.get("name", ""),
        owner=place.get("owner", ""),
        region=finding.region or str(event.get("region", "")),
        who="",
        what=f"finding {finding.kind}, severity {finding.severity}",
        resource=finding.resource,
        source_address="",
        time=finding.time or str(event.get("time", "")),
        event_id=finding.id or str(event.get("id", "")),
        runbook=known.get("runbook", ""),
        key=_key(detection, finding.id, finding.severity) or _key(detection, str(event.get("id", ""))),
        is_lasting=True,
        steps=tuple(known.get("steps", "").splitlines()),
    )


def _what(record: CloudTrailEvent) -> str:
    call = f"{record.source.removesuffix('.amazonaws.com')}:{record.name}"
    return f"{call} refused ({record.error})" if record.error else call


def _of_alarm(
    event: Mapping[str, Any],
    catalogue: Mapping[str, Mapping[str, Any]],
    directory: Mapping[str, Mapping[str, str]],
    *,
    is_ours: bool,
) -> Alert:
    """Whoever may make alarms in a member chooses their names: one that is no detection's is quoted like a reason."""
    detail = event.get("detail") or {}
    name, reason = str(detail.get("alarmName", "")), str((detail.get("state") or {}).get("reason", ""))
    detection = name.removeprefix(MEMBER_ALARM_PREFIX)
    known = catalogue.get(detection, {})
    is_named = bool(known) or is_ours
    account = str(event.get("account", ""))
    place = directory.get(account, {})
    return Alert(
        detection=detection if is_named else MEMBER_ALARM,
        title=known.get("title", f"Alarm {name}" if is_ours else "An alarm that is no detection's went off"),
        severity=known.get("severity", Severity.HIGH),
        account=account,
        account_name=place.get("name", ""),
        owner=place.get("owner", ""),
        region=str(event.get("region", "")),
        who="",
        what=f"alarm {name}" if is_named else "alarm of another name",
        quoted=reason if is_named else f"{name}: {reason}",
        source_address="",
        time=str(event.get("time", "")),
        event_id=str(event.get("id", "")),
        runbook=known.get("runbook", ""),
        key=_key(detection, str(event.get("id", ""))),
        steps=tuple(known.get("steps", "").splitlines()),
    )
