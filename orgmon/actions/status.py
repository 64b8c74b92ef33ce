"""Reads what a report is about and computes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from orgmon.status import StatusReport
from orgmon.status import status as status_of
from orgmon.workspace import Workspace


def status(workspace: Workspace) -> StatusReport:
    """The status of the organization now. Raises AwsError, ConfigError and DetectionError."""
    workspace.check()
    report = status_of(
        workspace.config,
        workspace.organization,
        workspace.desired,
        workspace.observe(),
        datetime.now(UTC).date(),
        workspace.routes(),
    )
    return replace(report, strays=workspace.strays)
