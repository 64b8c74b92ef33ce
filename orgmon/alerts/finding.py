"""A finding of an AWS service, whatever its form: GuardDuty's own, ASFF (Security Hub) or OCSF (Security Hub V2).

Sources: GuardDuty user guide, "EventBridge notifications"; Security Hub user guide, "EventBridge event formats" and
"AWS Security Finding Format"; Security Hub API reference, OcsfFindingIdentifier (what identifies a finding).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """What an alert says of a finding. ``id`` is empty where the service gave none; ``severity`` is in its words."""

    id: str
    kind: str
    title: str
    resource: str
    account: str
    region: str
    severity: str
    time: str


def finding_of(event: Record) -> Finding | None:
    """The finding of an EventBridge event, None for events of other kinds.

    Security Hub sends one finding an event; should there be several, the first is told.
    """
    read = _READERS.get(str(event.get("detail-type")))
    if read is None:
        return None
    detail = _record(event.get("detail"))
    return read(_record(_first(detail.get("findings"))) if "findings" in detail else detail)


def _guardduty(detail: Record) -> Finding:
    resource = _record(detail.get("resource"))
    named = {
        "Instance": _text(resource, "instanceDetails", "instanceId"),
        "AccessKey": _text(resource, "accessKeyDetails", "userName"),
        "S3Bucket": _text(_record(_first(resource.get("s3BucketDetails"))), "arn"),
        "EKSCluster": _text(resource, "eksClusterDetails", "arn"),
        "Lambda": _text(resource, "lambdaDetails", "functionArn"),
    }
    kind = _text(resource, "resourceType")
    return Finding(
        id=_text(detail, "id"),
        kind=_text(detail, "type"),
        title=_text(detail, "title"),
        resource=f"{kind} {named.get(kind, '')}".strip(),
        account=_text(detail, "accountId"),
        region=_text(detail, "region"),
        severity=_text(detail, "severity"),
        time=_text(detail, "updatedAt"),
    )


def _asff(finding: Record) -> Finding:
    resource = _record(_first(finding.get("Resources")))
    return Finding(
        id=_text(finding, "Id"),
        kind=_text(finding, "GeneratorId"),
        title=_text(finding, "Title"),
        resource=f"{_text(resource, 'Type')} {_text(resource, 'Id')}".strip(),
        account=_text(finding, "AwsAccountId"),
        region=_text(finding, "Region"),
        severity=_text(finding, "Severity", "Label"),
        time=_text(finding, "UpdatedAt"),
    )


def _ocsf(finding: Record) -> Finding:
    resource = _record(_first(finding.get("resources")))
    named = (
        _text(finding, "cloud", "account", "uid"),
        _text(finding, "metadata", "product", "uid"),
        _text(finding, "finding_info", "uid"),
    )
    return Finding(
        id="/".join(named) if named[-1] else "",
        kind=_text(finding, "type_name") or _text(finding, "class_name"),
        title=_text(finding, "finding_info", "title"),
        resource=f"{_text(resource, 'type')} {_text(resource, 'uid')}".strip(),
        account=named[0],
        region=_text(finding, "cloud", "region"),
        severity=_text(finding, "severity"),
        time=_text(finding, "finding_info", "modified_time_dt"),
    )


_READERS: Mapping[str, Callable[[Record], Finding]] = {
    "GuardDuty Finding": _guardduty,
    "Security Hub Findings - Imported": _asff,
    "Findings Imported V2": _ocsf,
}


def _record(value: Any) -> Record:
    return value if isinstance(value, Mapping) else {}


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _text(record: Record, *path: str) -> str:
    value: Any = record
    for key in path:
        value = _record(value).get(key)
    return "" if value is None else str(value)
