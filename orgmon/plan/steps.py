"""Changes -> steps, in as few operations as the API allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orgmon.organization import Organization
from orgmon.plan.compare import differs
from orgmon.plan.model import (
    Action,
    Change,
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
from orgmon.plan.rectangles import rectangles
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


class StackSetSteps:
    """The steps of one stack set, wave by wave.

    Remembers whether the new template was sent, and by which units instances came. With ``partial`` only a
    selection is rolled out, and auto-deployment is left as it is.
    """

    def __init__(
        self,
        desired: StackSet,
        observed: StackSet | None,
        preferences: OperationPreferences,
        organization: Organization,
        *,
        partial: bool,
    ) -> None:
        self._desired = desired
        self._observed = observed
        self._preferences = preferences
        self._organization = organization
        self._why_all = differs(desired, observed) if observed else ""
        self._unsent = bool(self._why_all)
        self._auto = observed.auto_deployment if observed else AutoDeployment()
        self._auto_wanted = self._auto if partial else desired.auto_deployment
        self._imported: frozenset[Pair] = frozenset()
        found = observed.instances if observed else ()
        self._came_by: dict[Pair, tuple[str, ...]] = {
            one.pair: (one.unit_id,) for one in found if one.unit_id
        }

    def before_waves(self, *, single_wave: bool, retained: tuple[str, ...]) -> Iterator[Step]:
        """Create the stack set, and adopt stacks (by their ids) that an earlier one left behind.

        Auto-deployment is on from the start only where no wave comes after the first.
        """
        if self._observed is None:
            if single_wave:
                self._auto = self._auto_wanted
            yield CreateStackSet("missing", self._desired, auto_deployment=self._auto)
        there = self._observed.by_pair if self._observed else {}
        lost = tuple(identity for identity in retained if _pair_of(identity) not in there)
        if lost:
            units = self._desired.units[:1]
            self._imported = frozenset(_pair_of(identity) for identity in lost)
            self._came_by |= dict.fromkeys(self._imported, units)
            yield ImportStacksToStackSet(
                RETAINED, self._desired, lost, units[0] if units else "", self._preferences
            )

    def wave(self, changes: list[Change]) -> Iterator[Step]:
        """Update what is there, then create what is missing."""
        adopted = [replace(change, reason=RETAINED) for change in changes if change.pair in self._imported]
        updates = [change for change in changes if change.action is Action.UPDATE] + adopted
        creates = [
            change
            for change in changes
            if change.action is Action.CREATE and change.pair not in self._imported
        ]
        if self._unsent and not updates:
            yield from self._first_of_their_wave(creates)
            return
        yield from self._updates(updates)
        yield from self._creates(creates)

    def after_waves(self) -> Iterator[Step]:
        """Switch auto-deployment."""
        if self._auto != self._auto_wanted:
            state = "on" if self._auto_wanted.enabled else "off"
            yield UpdateStackSet(
                f"auto-deployment {state}",
                self._desired,
                self._preferences,
                auto_deployment=self._auto_wanted,
            )

    def _first_of_their_wave(self, creates: list[Change]) -> Iterator[Step]:
        """A wave of new pairs only, in a stack set with a changed template that nobody has yet.

        An update without a target would walk the pairs of later waves. So new pairs are made as the others
        still are, and get the change first; only where there are no others it is sent ahead.
        """
        if self._observed and self._observed.instances:
            yield from self._creates(creates)
            yield from self._updates([replace(change, reason=self._why_all) for change in creates])
            return
        self._unsent = False
        yield UpdateStackSet(self._why_all, self._desired, self._preferences, sends_template=True)
        yield from self._creates(creates)

    def _updates(self, changes: list[Change]) -> Iterator[Step]:
        for accounts, regions in rectangles(change.pair for change in changes):
            sends, self._unsent = self._unsent, False
            where = self._target(accounts, regions, self._units_of(accounts, regions))
            reason = _reason(changes, accounts, regions)
            yield UpdateStackSet(reason, self._desired, self._preferences, where, sends_template=sends)

    def _creates(self, changes: list[Change]) -> Iterator[Step]:
        for accounts, regions in rectangles(change.pair for change in changes):
            where = self._target(accounts, regions, self._desired.units)
            yield CreateStackInstances(
                _reason(changes, accounts, regions), self._desired, where, self._preferences
            )

    def _units_of(self, accounts: frozenset[str], regions: frozenset[str]) -> tuple[str, ...]:
        """The units that instances came by: AWS refuses an update by a unit that was never a target."""
        pairs = (Pair(account, region) for account in accounts for region in regions)
        return tuple(
            sorted({unit for pair in pairs for unit in self._came_by.get(pair, self._desired.units)})
        )

    def _target(
        self, accounts: frozenset[str], regions: frozenset[str], units: tuple[str, ...]
    ) -> DeploymentTarget:
        """A rectangle. Where the units hold exactly its accounts, and should, they alone say it."""
        whole = bool(units) and self._desired.auto_deployment.enabled
        if whole:
            inside = frozenset().union(*(self._organization.under(unit) for unit in units))
            whole = inside - {self._organization.management_account_id} == accounts
        return DeploymentTarget(accounts, regions, units, whole_units=whole)


def _pair_of(stack_id: str) -> Pair:
    """Where a stack is: ``arn:aws:cloudformation:REGION:ACCOUNT:stack/...``."""
    _, _, _, region, account, _ = stack_id.split(":", 5)
    return Pair(account, region)


def _reason(changes: list[Change], accounts: frozenset[str], regions: frozenset[str]) -> str:
    """The reasons of the pairs in a rectangle, each once."""
    inside = {Pair(account, region) for account in accounts for region in regions}
    found = sorted({change.reason.split(":")[0] for change in changes if change.pair in inside})
    return "; ".join(found)
