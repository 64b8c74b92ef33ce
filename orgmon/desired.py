"""Config, the live Organization and the detections -> the State that should be, and how to roll it out.

A new stack is one line in STACKS; the order of the lines is the order of the stages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from orgmon.config.model import Config
from orgmon.detections.cis import FILTERS
from orgmon.detections.codec import to_json
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.model import Detection
from orgmon.functions.bundle import bundle, key_of
from orgmon.organization import Organization
from orgmon.placing import MEMBER_PLACEMENTS, accounts_of, auto_deploys, regions_of, selected, units_of
from orgmon.stacks import access, alarms, base, decoys, detection, edge, hub, logs, names, trail
from orgmon.stacks.definition import Inputs, Placement, Route, StackDefinition
from orgmon.stackset import (
    Artifact,
    AutoDeployment,
    OperationPreferences,
    PermissionModel,
    Stack,
    StackInstance,
    StackSet,
    State,
)

STACKS: tuple[StackDefinition, ...] = (
    base.STACK,
    logs.STACK,
    hub.STACK,
    edge.STACK,
    trail.STACK,
    access.STACK,
    detection.STACK,
    alarms.STACK,
    decoys.STACK,
)
MANAGEMENT_SUFFIX = "-management"


@dataclass(frozen=True)
class Wave:
    """A step of the rollout: its accounts, no account in two waves."""

    name: str
    accounts: frozenset[str]


@dataclass(frozen=True)
class Rollout:
    """In which order a State is reached. ``stages`` are the stack names in order."""

    stages: tuple[str, ...]
    waves: tuple[Wave, ...]
    preferences: OperationPreferences

    def stage_of(self, name: str) -> str:
        """The stage that a stack or stack set belongs to."""
        base_name = name.removesuffix(MANAGEMENT_SUFFIX)
        return base_name if base_name in self.stages else self.stages[-1]


def rollout(config: Config, organization: Organization) -> Rollout:
    """The waves with their accounts and the stages with their order."""
    waves = []
    left = frozenset(organization.by_id)
    for wave in config.rollout.waves:
        accounts = left if wave.rest else selected(wave, organization, config) & left
        waves.append(Wave(wave.name, accounts))
        left -= accounts
    settings = config.rollout.operation_preferences
    preferences = OperationPreferences(
        failure_tolerance_percentage=settings.failure_tolerance_percentage,
        max_concurrent_percentage=settings.max_concurrent_percentage,
        region_concurrency=settings.region_concurrency,
        concurrency_mode=settings.concurrency_mode,
    )
    stages = tuple(_name(definition, config) for definition in STACKS)
    return Rollout(stages, tuple(waves), preferences)


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
        key_arn=settings.key_arn or "",
        decoys=tuple(item.phrase for item in config.decoys.items) if config.decoys else (),
        notifier_key=notifier_key,
        partition=organization.partition,
        cis=tuple(FILTERS) if config.detections.cis else (),
    )


def notifier(config: Config, organization: Organization, detections: tuple[Detection, ...]) -> Artifact:
    """The notifier's code, with the detections' texts and the accounts' names and owners."""
    catalogue = {item.id: _entry(item) for item in detections}
    directory = {
        account.id: {
            "name": account.name,
            "owner": config.owner_of(account.id, organization.path_of(account.id)),
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


def desired_state(config: Config, organization: Organization, detections: tuple[Detection, ...]) -> State:
    """Everything that should be: plain stacks, stack sets with all their instances, artifacts."""
    artifact = notifier(config, organization, detections)
    given = inputs(config, detections, artifact.key)
    stacks: list[Stack] = []
    stack_sets: list[StackSet] = []
    for definition in stacks_of(config):
        if definition.placement is Placement.MANAGEMENT:
            stacks.append(_stack(definition, given))
        else:
            stack_sets.extend(_stack_sets(definition, given, config, organization))
    return State(tuple(stacks), tuple(stack_sets), frozenset({artifact}))


def stacks_of(config: Config) -> Iterable[StackDefinition]:
    """The stacks that a config wants, in stage order."""
    for definition in STACKS:
        if definition is decoys.STACK and config.decoys is None:
            continue
        # Without a log archive account the log store is part of orgmon-base; with a trail that is there
        # already, nothing of ours writes logs.
        own_trail = config.trail.existing is None
        if definition is logs.STACK and not (config.organization.log_archive_account and own_trail):
            continue
        yield definition


def _name(definition: StackDefinition, config: Config) -> str:
    if definition is decoys.STACK and config.decoys:
        return config.decoys.stack_set
    return definition.name


def _tags(definition: StackDefinition) -> tuple[tuple[str, str], ...]:
    """Stack sets and stacks of ours carry one tag; decoys carry nothing that gives them away."""
    return () if definition.placement is Placement.DECOYS else ((names.TAG_KEY, definition.name),)


def _capabilities(definition: StackDefinition) -> tuple[str, ...]:
    return ("CAPABILITY_NAMED_IAM",) if definition.has_iam else ()


def _stack(definition: StackDefinition, given: Inputs) -> Stack:
    return Stack(
        name=definition.name,
        account=given.management_account,
        region=given.home_region,
        template=definition.body(given),
        parameters=definition.parameters(given),
        capabilities=_capabilities(definition),
        tags=_tags(definition),
    )


def _stack_sets(
    definition: StackDefinition, given: Inputs, config: Config, organization: Organization
) -> Iterable[StackSet]:
    """The stack set of the members, and the one of the management account where that is covered too."""
    common = StackSet(
        name=_name(definition, config),
        template=definition.body(given),
        parameters=definition.parameters(given),
        permission_model=config.organization.permission_model,
        capabilities=_capabilities(definition),
        tags=_tags(definition),
        description="" if definition.placement is Placement.DECOYS else f"orgmon: {definition.description}",
    )
    yield _of_members(common, definition, config, organization)
    if definition.placement in MEMBER_PLACEMENTS:
        yield _of_management(common, definition, config)


def _of_members(
    common: StackSet, definition: StackDefinition, config: Config, organization: Organization
) -> StackSet:
    accounts = accounts_of(definition, config, organization)
    service_managed = common.permission_model is PermissionModel.SERVICE_MANAGED
    units = units_of(definition, config, organization) if service_managed else ()
    instances = tuple(
        StackInstance(account, region)
        for account in sorted(accounts)
        for region in regions_of(definition, account, config)
    )
    return replace(
        common,
        units=units,
        auto_deployment=AutoDeployment(auto_deploys(definition, config) and service_managed),
        instances=instances,
    )


def _of_management(common: StackSet, definition: StackDefinition, config: Config) -> StackSet:
    """Service-managed stack sets never reach the management account: it gets its own, self-managed."""
    account = config.organization.management_account
    role = f"arn:{config.organization.partition}:iam::{account}:role{names.PATH}{names.ADMINISTRATION_ROLE}"
    return replace(
        common,
        name=f"{common.name}{MANAGEMENT_SUFFIX}",
        permission_model=PermissionModel.SELF_MANAGED,
        administration_role_arn=role,
        execution_role_name=names.EXECUTION_ROLE,
        instances=tuple(StackInstance(account, region) for region in regions_of(definition, account, config)),
    )
