"""A record as EventBridge delivers it, and as the log groups hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgmon.detections.compile_rule import ENVELOPES
from orgmon.detections.model import LogSource

SIGN_IN = "AWS Console Sign In via CloudTrail"
KINDS = {
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
    "AwsConsoleSignIn": SIGN_IN,
    "AwsConsoleAction": "AWS Console Action via CloudTrail",
    "AwsCloudTrailInsight": "AWS Insight via CloudTrail",
}
"""``detail-type`` by ``eventType``; everything else is an API call."""


def envelope(record: Mapping[str, Any], log_source: LogSource = LogSource.CLOUDTRAIL) -> dict[str, Any]:
    """The event around a record: the members that patterns ask for, and account, Region and time."""
    if log_source is not LogSource.CLOUDTRAIL:
        fixed = ENVELOPES[log_source]
        return {"source": fixed["source"][0], "detail-type": fixed["detail-type"][0], "detail": record}
    return {
        "source": "aws." + str(record.get("eventSource", "")).partition(".")[0],
        "detail-type": _kind(record),
        "account": record.get("recipientAccountId", ""),
        "region": record.get("awsRegion", ""),
        "time": record.get("eventTime", ""),
        "detail": record,
    }


def _kind(record: Mapping[str, Any]) -> str:
    if record.get("eventSource") == "signin.amazonaws.com" and "eventType" not in record:
        return SIGN_IN
    return KINDS.get(str(record.get("eventType")), "AWS API Call via CloudTrail")
