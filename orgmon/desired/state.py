"""The State that should be: plain stacks, stack sets with all their instances, artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orgmon.config.model import Config
from orgmon.desired.inputs import inputs, notifier
from orgmon.desired.placing import Places, places, units_of
from orgmon.detections.model import Detection
from orgmon.organization import Organization
from orgmon.stacks import names
from orgmon.stacks.definition import Inputs, StackDefinition
from orgmon.stacks.table import wanted
from orgmon.stackset import (
    MANAGEMENT_SUFFIX,
    AutoDeployment,
    PermissionModel,
    Stack,
    StackInstance,
    StackSet,
    State,
)


def desired_state(config: Config, organization: Organization, detections: tuple[Detection, ...]) -> State:
    """Everything that should be. Raises TemplateError and DetectionError."""
    artifact = notifier(config, organization, detections)
    given = inputs(config, detections, artifact.key)
    where = places(config, organization)
    stacks: list[Stack] = []
    stack_sets: list[StackSet] = []
    for definition in wanted(given):
        if definition.placement.is_plain:
            stacks.append(_stack(definition, given))
        else:
            stack_sets.extend(_stack_sets(definition, given, where, config, organization))
    return State(tuple(stacks), tuple(stack_sets), frozenset({artifact}))


def _tags(definition: StackDefinition) -> tuple[tuple[str, str], ...]:
    return () if definition.is_neutral else ((names.TAG_KEY, definition.name),)


def _capabilities(definition: StackDefinition) -> tuple[str, ...]:
    return ("CAPABILITY_NAMED_IAM",) if definition.has_iam else ()


def _stack(definition: StackDefinition, given: Inputs) -> Stack:
    return Stack(
        name=definition.name_in(given),
        account=given.management_account,
        region=given.home_region,
        template=definition.body(given),
        parameters=definition.parameters(given),
        capabilities=_capabilities(definition),
        tags=_tags(definition),
    )


def _stack_sets(
    definition: StackDefinition, given: Inputs, where: Places, config: Config, organization: Organization
) -> Iterator[StackSet]:
    """The stack set of the accounts, and the one of the management account where that is covered too."""
    common = StackSet(
        name=definition.name_in(given),
        template=definition.body(given),
        parameters=definition.parameters(given),
        permission_model=config.organization.permission_model,
        capabilities=_capabilities(definition),
        tags=_tags(definition),
        description="" if definition.is_neutral else f"orgmon: {definition.description}",
    )
    accounts = where.accounts_of(definition.placement)
    own = replace(common, instances=_instances(definition, where, accounts))
    if common.permission_model is PermissionModel.SERVICE_MANAGED:
        own = _service_managed(own, definition, config, organization)
    yield own
    if definition.placement.covers_members:
        instances = _instances(definition, where, (given.management_account,))
        yield _of_management(replace(common, instances=instances), given)


def _instances(
    definition: StackDefinition, where: Places, accounts: tuple[str, ...]
) -> tuple[StackInstance, ...]:
    return tuple(
        StackInstance(account, region)
        for account in accounts
        for region in where.regions_of(definition.placement, account)
    )


def _service_managed(
    stack_set: StackSet, definition: StackDefinition, config: Config, organization: Organization
) -> StackSet:
    """Auto-deployment knows neither accounts nor opt-in Regions, so only what all members have can use it.

    It follows whole units, which the scope then is (checked with the config); otherwise the root is named and
    accounts are picked out of it.
    """
    if not (config.rollout.auto_deployment and definition.placement.covers_members):
        return replace(stack_set, units=(organization.root.id,))
    return replace(
        stack_set,
        units=tuple(unit.id for unit in units_of(config.scope, organization)),
        auto_deployment=AutoDeployment(enabled=True),
    )


def _of_management(common: StackSet, given: Inputs) -> StackSet:
    """Service-managed stack sets never reach the management account: it gets its own, self-managed."""
    role = f"role{names.PATH}{names.ADMINISTRATION_ROLE}"
    return replace(
        common,
        name=f"{common.name}{MANAGEMENT_SUFFIX}",
        permission_model=PermissionModel.SELF_MANAGED,
        administration_role_arn=f"arn:{given.partition}:iam::{given.management_account}:{role}",
        execution_role_name=names.EXECUTION_ROLE,
    )
