"""Scope, waves and auto-deployment."""

from __future__ import annotations

from collections.abc import Iterator

from orgmon.config.checks.subject import Subject, repeated
from orgmon.errors import Problem
from orgmon.regions import OPT_IN_REGIONS
from orgmon.stackset import PermissionModel


def check(subject: Subject) -> Iterator[Problem]:
    """An empty scope, waves that leave accounts out, auto-deployment that AWS cannot do."""
    if subject.config.scope.is_empty:
        yield subject.problem(
            ("scope",), "the scope selects nothing", "name units, tags or accounts; Root is everything"
        )
    yield from _waves(subject)
    if subject.config.rollout.auto_deployment:
        yield from _auto_deployment(subject)


def _waves(subject: Subject) -> Iterator[Problem]:
    waves = subject.config.rollout.waves
    for number in repeated([wave.name for wave in waves]):
        yield subject.problem(
            ("rollout", "waves", number, "name"),
            f"wave {waves[number].name} is there twice",
            "name it otherwise",
        )
    if not waves or not waves[-1].rest:
        yield subject.problem(
            ("rollout", "waves", max(0, len(waves) - 1)),
            "the last wave leaves accounts out: those that no wave selects would never be deployed to",
            "end with a wave that has 'rest: true'",
        )
    for number, wave in enumerate(waves):
        where = ("rollout", "waves", number)
        if wave.rest and number < len(waves) - 1:
            yield subject.problem(
                (*where, "rest"), f"wave {wave.name} takes the rest but is not the last", "move it to the end"
            )
        if wave.rest and not wave.is_empty:
            yield subject.problem(
                where, f"wave {wave.name} selects accounts and takes the rest", "keep one of the two"
            )
        if not wave.rest and wave.is_empty:
            yield subject.problem(where, f"wave {wave.name} selects nothing", "name units, tags or accounts")


def _auto_deployment(subject: Subject) -> Iterator[Problem]:
    """Auto-deployment ignores account filters, and one disabled Region cancels those after it."""
    where = ("rollout", "auto_deployment")
    scope = subject.config.scope
    if scope.tags or scope.accounts or not scope.exclude.is_empty or not scope.units:
        yield subject.problem(
            where,
            "auto-deployment needs a scope of whole units: AWS would deploy to every account that joins one",
            "use scope.units alone, or switch auto-deployment off; then the next plan picks up who joined",
        )
    opt_in = [region for region in subject.config.regions.detection_regions if region in OPT_IN_REGIONS]
    if opt_in:
        yield subject.problem(
            where,
            f"auto-deployment stops at an account in which {opt_in[0]} is not switched on",
            "switch auto-deployment off; then the next plan picks up who joined",
        )
    if subject.config.organization.permission_model is PermissionModel.SELF_MANAGED:
        yield subject.problem(
            where,
            "self-managed stack sets have no auto-deployment",
            "switch it off, or use permission_model: SERVICE_MANAGED",
        )
