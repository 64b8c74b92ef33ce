"""Reads what a report is about and computes it."""

from __future__ import annotations

from datetime import UTC, datetime

from orgmon.status import StatusReport
from orgmon.status import status as status_of
from orgmon.workspace import Workspace


def status(workspace: Workspace) -> StatusReport:
    """The status of the organization now. Raises AwsError, ConfigError and DetectionError."""
    workspace.check()
    pending = tuple(
        (item.topic, item.protocol, item.endpoint)
        for item in workspace.subscriptions()
        if not item.is_confirmed
    )
    return status_of(
        workspace.config,
        workspace.organization,
        workspace.desired,
        workspace.observe(),
        datetime.now(UTC).date(),
        pending,
    )
