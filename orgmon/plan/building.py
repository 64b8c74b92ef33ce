"""Changes -> steps, in as few operations as the API allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from orgmon.organization import Organization
from orgmon.plan.compare import differs
from orgmon.plan.model import Action, Change
from orgmon.plan.rectangles import rectangles
from orgmon.plan.step import (
    CreateStack,
    CreateStackInstances,
    CreateStackSet,
    DeleteObjects,
    DeleteStack,
    ImportStacksToStackSet,
    Step,
    UpdateStack,
    UpdateStackSet,
)
from orgmon.stackset import (
    AutoDeployment,
    DeploymentTarget,
    OperationPreferences,
    Pair,
    Stack,
    StackSet,
)

# A stack whose creation failed can only be deleted.
DEAD = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")
RETAINED = "retained by an earlier stack set"


def for_stack(
    desired: Stack, observed: Stack | None, change: Change, buckets: tuple[str, ...] = ()
) -> tuple[Step, ...]:
    """The steps of a plain stack. ``buckets`` are those in it that have to be empty before it can be deleted."""
    if change.action is Action.CREATE:
        return (CreateStack(change.reason, desired),)
    if change.action is not Action.UPDATE or observed is None:
        return ()
    if is_dead(observed):
        empty = (DeleteObjects(observed.status, bucket, observed.region) for bucket in buckets)
        return (*empty, DeleteStack(observed.status, observed), CreateStack("was deleted", desired))
    return (UpdateStack(change.reason, desired),)


def is_dead(stack: Stack | None) -> bool:
    """True for a stack that can only be deleted and made again."""
    return stack is not None and stack.status in DEAD


@dataclass(frozen=True)
class StackSetSteps:
    """The steps of one stack set, wave by wave; a value that does not change while they are asked for.

    ``retained`` are the ids of stacks that an earlier stack set left behind. With ``partial`` only a selection is
    rolled out, and auto-deployment is left as it is; with ``single_wave`` no wave comes after the first.
    """

    desired: StackSet
    observed: StackSet | None
    preferences: OperationPreferences
    organization: Organization
    retained: tuple[str, ...] = ()
    partial: bool = False
    single_wave: bool = False

    @cached_property
    def why_all(self) -> str:
        """Why a new template or parameters have to be sent; empty where nothing of that has changed."""
        return differs(self.desired, self.observed) if self.observed else ""

    @cached_property
    def _adopted(self) -> tuple[str, ...]:
        """The retained stacks that have no instance."""
        there = self.observed.by_pair if self.observed else {}
        return tuple(stack_id for stack_id in self.retained if _pair_of(stack_id) not in there)

    @cached_property
    def _adopted_pairs(self) -> frozenset[Pair]:
        return frozenset(_pair_of(stack_id) for stack_id in self._adopted)

    @cached_property
    def _came_by(self) -> dict[Pair, tuple[str, ...]]:
        """By which unit each instance came, or will have come."""
        there = self.observed.instances if self.observed else ()
        units = {instance.pair: (instance.unit_id,) for instance in there if instance.unit_id}
        return units | dict.fromkeys(self._adopted_pairs, self.desired.units[:1])

    @property
    def _auto_before(self) -> AutoDeployment:
        """Auto-deployment during the waves: on from the start only where no wave comes after the first."""
        if self.observed:
            return self.observed.auto_deployment
        return self._auto_wanted if self.single_wave else AutoDeployment()

    @property
    def _auto_wanted(self) -> AutoDeployment:
        if not self.partial:
            return self.desired.auto_deployment
        return self.observed.auto_deployment if self.observed else AutoDeployment()

    def before(self) -> tuple[Step, ...]:
        """Create the stack set, and adopt what an earlier one left behind."""
        steps: list[Step] = []
        if self.observed is None:
            steps.append(CreateStackSet("missing", self.desired, self._auto_before))
        if self._adopted:
            unit = next(iter(self.desired.units), "")
            steps.append(
                ImportStacksToStackSet(RETAINED, self.desired, self.preferences, self._adopted, unit)
            )
        return tuple(steps)

    def wave(self, changes: list[Change], *, unsent: bool) -> tuple[Step, ...]:
        """Update what is there, then create what is missing. ``unsent`` says that new content has to be sent."""
        adopted = [
            replace(change, reason=RETAINED) for change in changes if change.pair in self._adopted_pairs
        ]
        updates = [change for change in changes if change.action is Action.UPDATE] + adopted
        creates = [
            change
            for change in changes
            if change.action is Action.CREATE and change.pair not in self._adopted_pairs
        ]
        if unsent and not updates:
            return self._first_of_their_wave(creates)
        return (*self._updates(updates, sends=unsent), *self._creates(creates))

    def after(self) -> tuple[Step, ...]:
        """Switch auto-deployment."""
        wanted = self._auto_wanted
        if self._auto_before == wanted:
            return ()
        why = f"auto-deployment {'on' if wanted.enabled else 'off'}"
        return (UpdateStackSet(why, self.desired, self.preferences, auto_deployment=wanted),)

    def _first_of_their_wave(self, creates: list[Change]) -> tuple[Step, ...]:
        """A wave of new pairs only, in a stack set with a changed template that nobody has yet.

        An update without a target would walk the pairs of later waves. So new pairs are made as the others
        still are, and get the change first; only where there are no others it is sent ahead.
        """
        if self.observed and self.observed.instances:
            changed = [replace(change, reason=self.why_all) for change in creates]
            return (*self._creates(creates), *self._updates(changed, sends=True))
        ahead = UpdateStackSet(self.why_all, self.desired, self.preferences, sends_template=True)
        return (ahead, *self._creates(creates))

    def _updates(self, changes: list[Change], *, sends: bool) -> tuple[Step, ...]:
        """Only the first of several operations sends the template."""
        return tuple(
            UpdateStackSet(
                _reason(changes, accounts, regions),
                self.desired,
                self.preferences,
                self._target(accounts, regions, self._units_of(accounts, regions)),
                sends_template=sends and number == 0,
            )
            for number, (accounts, regions) in enumerate(rectangles(change.pair for change in changes))
        )

    def _creates(self, changes: list[Change]) -> tuple[Step, ...]:
        return tuple(
            CreateStackInstances(
                _reason(changes, accounts, regions),
                self.desired,
                self.preferences,
                self._target(accounts, regions, self.desired.units),
            )
            for accounts, regions in rectangles(change.pair for change in changes)
        )

    def _units_of(self, accounts: frozenset[str], regions: frozenset[str]) -> tuple[str, ...]:
        """The units that instances came by: AWS refuses an update by a unit that was never a target."""
        pairs = (Pair(account, region) for account in accounts for region in regions)
        return tuple(sorted({unit for pair in pairs for unit in self._came_by.get(pair, self.desired.units)}))

    def _target(
        self, accounts: frozenset[str], regions: frozenset[str], units: tuple[str, ...]
    ) -> DeploymentTarget:
        """A rectangle. Where the units hold exactly its accounts, and should, they alone say it."""
        whole = bool(units) and self.desired.auto_deployment.enabled
        if whole:
            inside = frozenset().union(*(self.organization.under(unit) for unit in units))
            whole = inside - {self.organization.management_account_id} == accounts
        return DeploymentTarget(accounts, regions, units, whole_units=whole)


def _pair_of(stack_id: str) -> Pair:
    """Where a stack is: ``arn:aws:cloudformation:REGION:ACCOUNT:stack/...``."""
    _, _, _, region, account, _ = stack_id.split(":", 5)
    return Pair(account, region)


def _reason(changes: list[Change], accounts: frozenset[str], regions: frozenset[str]) -> str:
    """The reasons of the pairs in a rectangle, each once."""
    inside = {Pair(account, region) for account in accounts for region in regions}
    reasons = sorted({change.reason.split(":")[0] for change in changes if change.pair in inside})
    return "; ".join(reasons)
