"""How a State is rolled out: the waves of a config with their accounts, the stages with their order."""

from __future__ import annotations

from collections.abc import Iterator

from orgmon.config.model import Config
from orgmon.desired.inputs import inputs
from orgmon.desired.placing import selected
from orgmon.organization import Organization
from orgmon.rollout import Rollout, Wave
from orgmon.stacks.table import STACKS
from orgmon.stackset import OperationPreferences


def rollout(config: Config, organization: Organization) -> Rollout:
    """Stages and waves. An account is in the first wave that selects it."""
    given = inputs(config, ())
    stages = tuple(definition.name_in(given) for definition in STACKS)
    return Rollout(stages, tuple(_waves(config, organization)), preferences(config))


def _waves(config: Config, organization: Organization) -> Iterator[Wave]:
    left = frozenset(organization.by_id)
    for wave in config.rollout.waves:
        accounts = left if wave.rest else selected(wave, organization, config) & left
        yield Wave(wave.name, accounts)
        left -= accounts


def preferences(config: Config) -> OperationPreferences:
    """How operations walk their pairs."""
    settings = config.rollout.operation_preferences
    return OperationPreferences(
        failure_tolerance_percentage=settings.failure_tolerance_percentage,
        max_concurrent_percentage=settings.max_concurrent_percentage,
        region_concurrency=settings.region_concurrency,
        concurrency_mode=settings.concurrency_mode,
    )
