"""Colours that mean the same in every view."""

from __future__ import annotations

from collections.abc import Mapping

from orgmon.alerting import Severity

SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFORMATIONAL: "dim",
}
