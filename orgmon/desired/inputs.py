"""What templates and functions are made from: Config and detections as plain values."""

from __future__ import annotations

from typing import Any

from orgmon.config.model import Config
from orgmon.detections.cis import FILTERS
from orgmon.detections.codec import to_json
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.model import Detection
from orgmon.detections.secrecy import sealed
from orgmon.functions.bundle import bundle, key_of
from orgmon.honeytokens import KINDS, Decoy
from orgmon.organization import Organization
from orgmon.regions import OPT_IN_REGIONS
from orgmon.stacks import decoys, names
from orgmon.stacks.definition import Inputs, Route
from orgmon.stackset import Artifact


def inputs(config: Config, detections: tuple[Detection, ...], notifier_key: str = "") -> Inputs:
    """What the templates and their parameters are made from."""
    organization, settings = config.organization, config.trail
    return Inputs(
        organization_id=organization.id,
        management_account=organization.management_account,
        security_account=organization.security_account,
        log_archive_account=organization.log_archive_account or organization.management_account,
        home_region=organization.home_region,
        detections=detections,
        routes=tuple(
            Route(route.severities, route.protocol, route.endpoint) for route in config.alerts.routes
        ),
        trail_name=settings.name,
        existing_log_group=settings.existing.log_group if settings.existing else "",
        retention_days=settings.retention_days,
        archive_days=settings.archive_days,
        object_lock_days=settings.object_lock_days or 0,
        key_arn=settings.key_arn or "",
        decoys=tuple(Decoy(KINDS[item.kind], sealed(item.phrase)) for item in config.decoys.items)
        if config.decoys
        else (),
        notifier_key=notifier_key,
        partition=organization.partition,
        detection_regions=config.regions.detection_regions,
        governed_regions=config.regions.governed,
        opt_in_regions=tuple(
            region for region in config.regions.detection_regions if region in OPT_IN_REGIONS
        ),
        cis=tuple(FILTERS) if config.detections.cis else (),
        member_alarms=config.detections.member_alarms,
        neutral_names={decoys.STACK.name: config.decoys.stack_set} if config.decoys else {},
    )


def notifier(config: Config, organization: Organization, detections: tuple[Detection, ...]) -> Artifact:
    """The notifier's code, with the detections' texts and the accounts' names and owners."""
    catalogue = {item.id: _entry(item) for item in detections}
    directory = {
        account.id: {
            "name": account.name,
            "owner": config.owner_of(account.id, organization.above(account.id)),
        }
        for account in organization.accounts
    }
    body = bundle(catalogue, directory)
    region = config.organization.home_region
    bucket = names.artifact_bucket(config.organization.management_account, region)
    return Artifact(bucket, key_of(body), body)


def _entry(detection: Detection) -> dict[str, Any]:
    """What the notifier knows of a detection; its condition only where the hub's rule takes more."""
    entry: dict[str, Any] = {
        "title": detection.title,
        "severity": detection.severity,
        "runbook": detection.runbook.meaning,
        "steps": "\n".join(detection.runbook.steps),
    }
    if any(rule.recheck for rule in event_rules(detection)):
        entry["condition"] = to_json(detection.condition)
    return entry
