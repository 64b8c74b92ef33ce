"""The CloudTrail record: what somebody did, where, from where, and whether it was allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CloudTrailEvent:
    """A CloudTrail record as parsed JSON, with the questions that an alert asks of it.

    Field meanings: CloudTrail user guide, "CloudTrail record contents".
    """

    record: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id that is the same wherever the event arrives (``sharedEventID`` across accounts)."""
        return str(self.record.get("sharedEventID") or self.record.get("eventID", ""))

    @property
    def account(self) -> str:
        """The account that the event was delivered to."""
        identity = self.record.get("userIdentity") or {}
        return str(self.record.get("recipientAccountId") or identity.get("accountId", ""))

    @property
    def region(self) -> str:
        """The Region of the event."""
        return str(self.record.get("awsRegion", ""))

    @property
    def name(self) -> str:
        """The API call or service event."""
        return str(self.record.get("eventName", ""))

    @property
    def source(self) -> str:
        """The service, as a host name."""
        return str(self.record.get("eventSource", ""))

    @property
    def time(self) -> str:
        """When the request was completed: ISO 8601, UTC, whole seconds."""
        return str(self.record.get("eventTime", ""))

    @property
    def actor(self) -> str:
        """Who did it: the ARN, or else what the record has (``invokedBy``, the principal, the type)."""
        identity = self.record.get("userIdentity") or {}
        for key in ("arn", "invokedBy", "userName", "principalId", "type"):
            if identity.get(key):
                return str(identity[key])
        return "unknown"

    @property
    def source_address(self) -> str:
        """From where: an IP address, or a service's host name."""
        return str(self.record.get("sourceIPAddress", ""))

    @property
    def error(self) -> str:
        """AWS's error code, or an empty string where the call was allowed and worked."""
        return str(self.record.get("errorCode") or "")
