"""Changes -> steps, in as few operations as the API allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orgmon.plan.compare import differs
from orgmon.plan.model import (
    Action,
    Change,
    CreateStack,
    CreateStackInstances,
    CreateStackSet,
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


def for_stack(desired: Stack, observed: Stack | None, change: Change) -> tuple[Step, ...]:
    """The steps of a plain stack."""
    if change.action is Action.CREATE:
        return (CreateStack(change.reason, desired),)
    if change.action is not Action.UPDATE or observed is None:
        return ()
    if observed.status in DEAD:
        return (DeleteStack(observed.status, observed), CreateStack("was deleted", desired))
    return (UpdateStack(change.reason, desired),)


def target(stack_set: StackSet, accounts: Iterable[str], regions: Iterable[str]) -> DeploymentTarget:
    """A rectangle of a stack set, with the units that a service-managed one has to name.

    Where the rectangle holds all accounts that the stack set is wanted in, the units alone say it.
    """
    chosen = frozenset(accounts)
    everyone = frozenset(instance.account for instance in stack_set.instances)
    whole = bool(stack_set.units) and stack_set.auto_deployment.enabled and chosen == everyone
    return DeploymentTarget(chosen, frozenset(regions), stack_set.units, whole_units=whole)


class StackSetSteps:
    """The steps of one stack set, wave by wave. Remembers only whether the new template was sent."""

    def __init__(
        self, desired: StackSet, observed: StackSet | None, preferences: OperationPreferences
    ) -> None:
        self._desired = desired
        self._observed = observed
        self._preferences = preferences
        self._why_all = differs(desired, observed) if observed else ""
        self._unsent = bool(self._why_all)
        self._auto = observed.auto_deployment if observed else AutoDeployment()

    def before_waves(self, *, single_wave: bool, retained: tuple[str, ...]) -> Iterator[Step]:
        """Create the stack set, and adopt stacks that an earlier one left behind.

        Auto-deployment is on from the start only where no wave comes after the first.
        """
        if self._observed is not None:
            return
        if single_wave:
            self._auto = self._desired.auto_deployment
        yield CreateStackSet("missing", self._desired, auto_deployment=self._auto)
        if retained:
            unit = self._desired.units[0] if self._desired.units else ""
            yield ImportStacksToStackSet(
                "retained by an earlier stack set", self._desired, retained, unit, self._preferences
            )

    def wave(self, changes: list[Change]) -> Iterator[Step]:
        """Update what is there, then create what is missing."""
        updates = [change for change in changes if change.action is Action.UPDATE]
        creates = [change for change in changes if change.action is Action.CREATE]
        if self._unsent and not updates:
            yield self._send_to_nobody()
        for accounts, regions in rectangles(change.pair for change in updates):
            yield self._update(accounts, regions, _reason(updates, accounts, regions))
        for accounts, regions in rectangles(change.pair for change in creates):
            yield CreateStackInstances(
                _reason(creates, accounts, regions),
                self._desired,
                target(self._desired, accounts, regions),
                self._preferences,
            )

    def after_waves(self) -> Iterator[Step]:
        """Send a template that no wave could send, and switch auto-deployment."""
        if self._unsent:
            yield self._send_to_nobody()
        if self._auto != self._desired.auto_deployment:
            state = "on" if self._desired.auto_deployment.enabled else "off"
            yield UpdateStackSet(
                f"auto-deployment {state}",
                self._desired,
                self._preferences,
                auto_deployment=self._desired.auto_deployment,
            )

    def _update(self, accounts: frozenset[str], regions: frozenset[str], reason: str) -> Step:
        sends, self._unsent = self._unsent, False
        where = target(self._desired, accounts, regions)
        return UpdateStackSet(reason, self._desired, self._preferences, where, sends_template=sends)

    def _send_to_nobody(self) -> Step:
        """The stack set itself changes although none of its instances can be updated."""
        self._unsent = False
        return UpdateStackSet(self._why_all, self._desired, self._preferences, sends_template=True)


def _reason(changes: list[Change], accounts: frozenset[str], regions: frozenset[str]) -> str:
    """The reasons of the pairs in a rectangle, each once."""
    inside = {Pair(account, region) for account in accounts for region in regions}
    found = sorted({change.reason.split(":")[0] for change in changes if change.pair in inside})
    return "; ".join(found)
