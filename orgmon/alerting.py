"""The words that alerts travel by: how bad, by which way, under which alarms. Functions carry this module along."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, get_args


class Severity(StrEnum):
    """How bad it is, the worst first; Sigma's levels. What is informational is counted and kept, and alerts nobody."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFORMATIONAL = "informational"


Alerting = Literal[Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW]
"""The severities that somebody is told of."""

ALERTING: tuple[Severity, ...] = get_args(Alerting)


class Protocol(StrEnum):
    """By which way somebody is told, in the words of Amazon SNS."""

    EMAIL = "email"
    HTTPS = "https"
    SQS = "sqs"


MEMBER_ALARM, EDGE_ALARM = "member-alarm", "edge-alarm"
"""What events of alarms are called on their way; the detection is told by the alarm's name."""

MEMBER_ALARM_PREFIX = "orgmon-member-"
"""What names of alarms in member accounts begin with; the rest is the detection."""
