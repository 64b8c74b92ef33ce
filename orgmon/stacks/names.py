"""The one table of fixed names.

Stack sets cannot read each other's outputs, so names are the interface between stacks: every ARN is computed
from an account, a Region and a name of this table.
"""

from __future__ import annotations

from orgmon.alerting import MEMBER_ALARM_PREFIX, Severity

PREFIX = "orgmon"
PATH = "/orgmon/"
TAG_KEY = "orgmon"

BUS = "orgmon"
ARCHIVE = "orgmon"
TABLE = "orgmon-state"
NOTIFIER = "orgmon-notifier"
NOTIFIER_HANDLER = "orgmon.functions.notifier.handler"
EDGE_QUEUE = "orgmon-edge"
FORWARD_ROLE = "orgmon-forward"
PIPELINE_TOPIC = "orgmon-pipeline"
# A topic and the queue that is subscribed to it.
AUDIT = "orgmon-audit"
DASHBOARD = "orgmon"
HUB_KEY_ALIAS = "alias/orgmon-hub"
LOGS_KEY_ALIAS = "alias/orgmon-logs"
# EventBridge may only write to log groups below this prefix (EventBridge user guide, targets).
LOCAL_LOG_GROUP = "/aws/events/orgmon"
# Members' alarms and metrics have names of their own: in the management account both kinds are in one Region.
CENTRAL_METRICS = "orgmon"
MEMBER_METRICS = "orgmon/member"
EDGE_FORWARD_ROLE = "orgmon-edge-forward"
EDGE_ALARM = "orgmon-edge-dead-letters"
ADMINISTRATION_ROLE = "orgmon-stackset-administration"
EXECUTION_ROLE = "orgmon-stackset-execution"
TRAIL_ROLE = "orgmon-trail"
# A stack set knows its execution role by name alone, which CloudFormation looks for here (API reference,
# CreateStackSet: the pattern of ExecutionRoleName has no slash).
EXECUTION_ROLE_PATH = "/"
# What the organization may read of the artifact bucket; the rest is for the management and security account.
SHARED_TEMPLATES = "shared"
TEMPLATES = "templates"

# Two classes, so that a flood of routine alerts cannot delay an urgent one.
QUEUE_CLASSES = (
    ("urgent", (Severity.CRITICAL, Severity.HIGH)),
    ("routine", (Severity.MEDIUM, Severity.LOW)),
)


def topic(severity: str) -> str:
    """The name of the topic for a severity."""
    return f"{PREFIX}-{severity}"


def queue(queue_class: str) -> str:
    """The name of the queue for a class of severities."""
    return f"{PREFIX}-{queue_class}"


def dead_letters(queue_class: str) -> str:
    """The name of the dead-letter queue for a class of severities."""
    return f"{PREFIX}-{queue_class}-dead-letters"


def queue_class_of(severity: str) -> str:
    """The class of queue that carries alerts of a severity."""
    return next(name for name, severities in QUEUE_CLASSES if severity in severities)


def artifact_bucket(management_account: str, region: str) -> str:
    """The name of the bucket for function code and large templates."""
    return f"{PREFIX}-artifacts-{management_account}-{region}"


def log_bucket(account: str, region: str) -> str:
    """The name of the bucket that the trail delivers to."""
    return f"{PREFIX}-logs-{account}-{region}"


def trail_log_group(trail: str) -> str:
    """The name of the log group that a trail of ours delivers to."""
    return f"/aws/cloudtrail/{trail}"


def alarm(name: str) -> str:
    """The name of an alarm that has a topic, and of a central metric filter."""
    return f"{PREFIX}-{name}"


def member_alarm(detection_id: str) -> str:
    """The name of a detection's alarm and metric filter in a member; these alarms travel to the hub as events."""
    return f"{MEMBER_ALARM_PREFIX}{detection_id}"


def member_alarms() -> dict[str, object]:
    """The event pattern of the members' alarms, which name no topic and are forwarded instead."""
    return _alarms([{"prefix": MEMBER_ALARM_PREFIX}])


def edge_alarm(security_account: object) -> dict[str, object]:
    """The same for the alarm on dead letters. Its name is known to members: it counts in one account only."""
    return {"account": [security_account], **_alarms([EDGE_ALARM])}


def _alarms(named: list[object]) -> dict[str, object]:
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": named, "state": {"value": ["ALARM"]}},
    }


def logical_id(*words: str) -> str:
    """A CloudFormation logical id from words: letters and digits only, each part capitalized."""
    parts = [part for word in words for part in "".join(c if c.isalnum() else " " for c in word).split()]
    return "".join(part[0].upper() + part[1:] for part in parts)
