"""Which management events a trail wants. Source: CloudTrail user guide, "Logging management events"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orgmon.sandbox.trail.records import Record

DEFAULT: dict[str, Any] = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "StartsWith": lambda value, wanted: value.startswith(wanted),
    "EndsWith": lambda value, wanted: value.endswith(wanted),
}


def selects(trail: Any, record: Record) -> bool:
    """True if the selectors of moto's trail let a management event through."""
    if trail.advanced_event_selectors:
        return any(_advanced(each, record) for each in trail.advanced_event_selectors)
    return any(_basic(each, record) for each in trail.event_selectors or [DEFAULT])


def _basic(selector: dict[str, Any], record: Record) -> bool:
    if not selector.get("IncludeManagementEvents", True):
        return False
    if record["eventSource"] in (selector.get("ExcludeManagementEventSources") or []):
        return False
    kind = selector.get("ReadWriteType") or "All"
    return kind == "All" or (kind == "ReadOnly") == record["readOnly"]


def _advanced(selector: dict[str, Any], record: Record) -> bool:
    return all(_field(each, record) for each in selector.get("FieldSelectors", []))


def _field(selector: dict[str, Any], record: Record) -> bool:
    value = record.get(selector["Field"], "")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    for name, test in _TESTS.items():
        wanted = selector.get(name)
        if wanted and not any(test(text, each) for each in wanted):
            return False
        unwanted = selector.get(f"Not{name}")
        if unwanted and any(test(text, each) for each in unwanted):
            return False
    return True
