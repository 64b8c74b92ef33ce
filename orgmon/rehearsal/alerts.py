"""Which alerts arrived in the sandbox's mailbox, by which flow, and how fast."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from orgmon.rehearsal.serving import Served
from orgmon.stacks import names

EVENTS = "events"
METRICS = "metrics"
# What the attack of the demo sets off, by both flows.
CENTRAL_ALARMS = names.alarm("")
EXPECTED = ("decoy-touched", "access-key-change", "trail-tampering")
STEP_SECONDS = 15.0
LONGEST_WAIT = 900.0


@dataclass(frozen=True)
class Arrival:
    """The first alert of a detection by a flow; ``seconds`` of sandbox time after the event."""

    subject: str
    text: str
    seconds: float


def wait(here: Served, detections: tuple[str, ...]) -> dict[tuple[str, str], Arrival]:
    """Turn the sandbox's clock on until every detection has alerted by both flows, or a quarter hour is over.

    Returns the first arrival of each (detection, flow).
    """
    began = here.sandbox.world.clock.now()
    wanted = {(detection, flow) for detection in detections for flow in (EVENTS, METRICS)}
    while True:
        arrived = arrivals(here.address.control("mailbox")["messages"], began)
        if wanted <= set(arrived):
            return arrived
        if (here.sandbox.world.clock.now() - began).total_seconds() > LONGEST_WAIT:
            return arrived
        here.sandbox.settle(STEP_SECONDS)


def arrivals(messages: Iterable[Mapping[str, str]], began: datetime) -> dict[tuple[str, str], Arrival]:
    """The first arrival of each (detection, flow) among messages."""
    arrived: dict[tuple[str, str], Arrival] = {}
    for message in messages:
        told = _of_alarm(message, began) or _of_event(message)
        if told:
            arrived.setdefault(*told)
    return arrived


def _of_alarm(message: Mapping[str, str], began: datetime) -> tuple[tuple[str, str], Arrival] | None:
    """An alarm of flow 1: CloudWatch's own JSON, which has no event time; the attack's beginning stands for it."""
    try:
        content = json.loads(message["text"])
    except ValueError:
        return None
    name = content.get("AlarmName", "") if isinstance(content, dict) else ""
    if not name.startswith(CENTRAL_ALARMS):
        return None
    seconds = (_time(message["time"]) - began).total_seconds()
    arrival = Arrival(message.get("subject", ""), message["text"], seconds)
    return (name.removeprefix(CENTRAL_ALARMS), METRICS), arrival


def _of_event(message: Mapping[str, str]) -> tuple[tuple[str, str], Arrival] | None:
    """An alert of flow 2: the notifier's text, a fact a line."""
    facts = dict(line.split(":", 1) for line in message["text"].splitlines() if ":" in line)
    detection, when = facts.get("Detection", "").strip(), facts.get("When", "").strip()
    if not detection or not when:
        return None
    seconds = (_time(message["time"]) - _time(when)).total_seconds()
    return (detection, EVENTS), Arrival(message.get("subject", ""), message["text"], seconds)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
