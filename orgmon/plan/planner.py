"""Desired against observed State -> Plan. A pure function: it makes no call and reads no clock.

Stages are the stacks in their order; each stage runs all waves. What is not wanted any more is removed at the
end, in the opposite order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orgmon.organization import Organization
from orgmon.plan import building, compare, removal
from orgmon.plan.model import Action, Change, Phase, Plan, Stage, TemplateChange
from orgmon.plan.step import PutObject, Step, UpdateStack, UpdateStackSet
from orgmon.rollout import Rollout, Wave
from orgmon.stackset import Pair, Stack, StackSet, State


@dataclass(frozen=True)
class Options:
    """Choices of the user. ``retained`` maps a stack set to stacks that an earlier one left behind."""

    prune: bool = False
    accounts: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    retained: tuple[tuple[str, tuple[str, ...]], ...] = ()
    keeps: frozenset[str] = frozenset()

    @property
    def is_partial(self) -> bool:
        """True where only a selection of accounts or Regions may be touched."""
        return self.accounts is not None or self.regions is not None

    def covers(self, pair: Pair) -> bool:
        """True for the pairs that this run may touch."""
        return (self.accounts is None or pair.account in self.accounts) and (
            self.regions is None or pair.region in self.regions
        )


def plan(
    desired: State,
    observed: State,
    organization: Organization,
    rollout: Rollout,
    options: Options = Options(),
) -> Plan:
    """What has to be done so that observed becomes desired.

    ``options.keeps`` names the stack sets whose stacks stay when their instances are removed (the logs).
    """
    changes = tuple(_changes(desired, observed, organization, options))
    whole = options.prune and not options.is_partial
    stages = (
        *_artifacts(desired, observed, rollout, changes),
        *_building(desired, observed, organization, rollout, changes, options),
        *removal.stages(desired, observed, rollout, changes, options.keeps, whole=whole),
    )
    ordered = _in_order(stages, rollout)
    sent = tuple(dict.fromkeys(_sent(ordered)))
    return Plan(
        changes,
        ordered,
        tuple(_templates(sent, desired, observed)),
        tuple(name for name in sent if _leaves_outdated(observed.stack_set(name), options)),
    )


def _changes(
    desired: State, observed: State, organization: Organization, options: Options
) -> Iterator[Change]:
    for name in _names(desired.stacks, observed.stacks):
        change = compare.stack_change(desired.stack(name), observed.stack(name), prune=options.prune)
        if options.covers(change.pair):
            yield change
    for name in _names(desired.stack_sets, observed.stack_sets):
        for change in compare.stack_set_changes(
            desired.stack_set(name), observed.stack_set(name), organization, prune=options.prune
        ):
            if options.covers(change.pair):
                yield change


def _names(*groups: Iterable[Stack | StackSet]) -> list[str]:
    return list(dict.fromkeys(item.name for group in groups for item in group))


def _artifacts(
    desired: State, observed: State, rollout: Rollout, changes: tuple[Change, ...]
) -> Iterator[Stage]:
    """Artifacts come after the bucket and before what uses them; without a bucket they have to wait."""
    base = rollout.stages[0]
    change = next((change for change in changes if change.stack == base), None)
    acts = change is not None and change.action in (Action.CREATE, Action.UPDATE)
    is_new = acts and (observed.stack(base) is None or building.is_dead(observed.stack(base)))
    there = frozenset() if is_new else observed.artifacts
    missing = sorted(desired.artifacts - there, key=lambda artifact: artifact.key)
    if missing and (is_new or observed.stack(base) is not None):
        puts = tuple(PutObject("missing", artifact) for artifact in missing)
        yield Stage(base, "", puts, Phase.ARTIFACTS)


def _building(
    desired: State,
    observed: State,
    organization: Organization,
    rollout: Rollout,
    changes: tuple[Change, ...],
    options: Options,
) -> Iterator[Stage]:
    by_stack: dict[str, list[Change]] = {}
    for change in changes:
        by_stack.setdefault(change.stack, []).append(change)
    for stack in desired.stacks:
        for change in by_stack.get(stack.name, []):
            buckets = removal.artifact_buckets(stack.name, observed, rollout)
            if todo := building.for_stack(stack, observed.stack(stack.name), change, buckets):
                yield Stage(rollout.stage_of(stack.name), "", todo)
    for stack_set in desired.stack_sets:
        observed_set, pairs = observed.stack_set(stack_set.name), by_stack.get(stack_set.name, [])
        yield from _waves(stack_set, observed_set, organization, rollout, pairs, options)


def _waves(
    desired: StackSet,
    observed: StackSet | None,
    organization: Organization,
    rollout: Rollout,
    changes: list[Change],
    options: Options,
) -> Iterator[Stage]:
    """The stages of one stack set: each wave, what comes first with the first of them, what comes last."""
    todo = [change for change in changes if change.action in (Action.CREATE, Action.UPDATE)]
    if options.is_partial and not todo:
        return
    waves = [wave for wave in rollout.waves if any(change.pair.account in wave.accounts for change in todo)]
    builder = building.StackSetSteps(
        desired,
        observed,
        rollout.preferences,
        organization,
        retained=dict(options.retained).get(desired.name, ()),
        partial=options.is_partial,
        single_wave=len(waves) <= 1,
    )
    stage = rollout.stage_of(desired.name)
    first, unsent = builder.before(), bool(builder.why_all)
    for wave in waves:
        steps = builder.wave(_of(wave, todo), unsent=unsent)
        unsent = unsent and not any(_sends(step) for step in steps)
        yield Stage(stage, wave.name, (*first, *steps))
        first = ()
    if last := (*first, *builder.after()):
        yield Stage(stage, "", last)


def _of(wave: Wave, changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.pair.account in wave.accounts]


def _in_order(stages: Iterable[Stage], rollout: Rollout) -> tuple[Stage, ...]:
    """Building in stage order, then removing in the opposite order; the order within a stage is kept."""
    rank = {name: number for number, name in enumerate(rollout.stages)}
    built = [stage for stage in stages if stage.phase is not Phase.REMOVE]
    removed = [stage for stage in stages if stage.phase is Phase.REMOVE]
    # The bucket has to exist before its artifacts.
    built.sort(key=lambda stage: (rank[stage.name], stage.phase is Phase.ARTIFACTS))
    removed.sort(key=lambda stage: -rank[stage.name])
    return (*built, *removed)


def _sent(stages: Iterable[Stage]) -> Iterator[str]:
    """The stacks and stack sets that get new content."""
    for stage in stages:
        for step in stage.steps:
            if _sends(step):
                yield step.target_name


def _sends(step: Step) -> bool:
    return isinstance(step, UpdateStack) or (isinstance(step, UpdateStackSet) and step.sends_template)


def _templates(names: Iterable[str], desired: State, observed: State) -> Iterator[TemplateChange]:
    for name in names:
        wanted = desired.stack(name) or desired.stack_set(name)
        there = observed.stack(name) or observed.stack_set(name)
        if wanted and there and wanted.template != there.template:
            yield TemplateChange(name, there.template, wanted.template)


def _leaves_outdated(observed: StackSet | None, options: Options) -> bool:
    """Does new content fall on instances that the selection leaves out?"""
    return observed is not None and not all(options.covers(pair) for pair in observed.by_pair)
