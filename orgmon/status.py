"""Which stacks run where: the matrix account x Region x stack, and how much of the organization is covered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from orgmon.config.model import Config
from orgmon.config.stray import Stray
from orgmon.delivery import RouteCheck
from orgmon.organization import Account, Organization
from orgmon.plan.compare import differs, stack_change
from orgmon.plan.model import Action
from orgmon.stackset import InstanceStatus, Pair, Stack, StackInstance, StackSet, State


class CellState(StrEnum):
    """How a stack stands in one pair."""

    CURRENT = "CURRENT"
    OUTDATED = "OUTDATED"
    INOPERABLE = "INOPERABLE"
    MISSING = "MISSING"
    EXTRA = "EXTRA"
    NOT_IN_SCOPE = "NOT IN SCOPE"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True, slots=True)
class Cell:
    """One stack in one account and Region. ``digest`` is of what is deployed there, where that is known."""

    account: str
    account_name: str
    unit: str
    region: str
    stack: str
    state: CellState
    digest: str = ""
    operation: str = ""
    reason: str = ""
    waived: str = ""

    @property
    def is_covered(self) -> bool:
        """True where the stack runs as it should."""
        return self.state is CellState.CURRENT


@dataclass(frozen=True)
class Coverage:
    """How many of the wanted cells of ACTIVE accounts are CURRENT. Waived ones are not among ``wanted``."""

    covered: int
    wanted: int
    waived: int

    @property
    def is_full(self) -> bool:
        """True where nothing is missing."""
        return self.covered == self.wanted

    @property
    def percent(self) -> float:
        """Covered of wanted, 0 to 100."""
        return 100.0 * self.covered / self.wanted if self.wanted else 100.0


@dataclass(frozen=True)
class StatusReport:
    """The whole matrix, in a fixed order. ``stacks`` are the columns in the order in which they are deployed."""

    organization: str
    stacks: tuple[str, ...]
    cells: tuple[Cell, ...]
    coverage: Coverage
    unlisted: tuple[str, ...] = ()
    routes: tuple[RouteCheck, ...] = ()
    strays: tuple[Stray, ...] = ()

    @property
    def is_good(self) -> bool:
        """True where everything is covered, everybody is told, and all that accounts.yaml names is there."""
        return self.coverage.is_full and all(route.is_good for route in self.routes) and not self.strays


def status(
    config: Config,
    organization: Organization,
    desired: State,
    observed: State,
    today: date,
    routes: tuple[RouteCheck, ...] = (),
) -> StatusReport:
    """The report over all accounts of the organization.

    The denominator is every ACTIVE account, also those that nobody put in scope. ``routes`` are passed on.
    """
    waived = _waived(config, today)
    cells = sorted(
        _cells(config, organization, desired, observed, waived),
        key=lambda cell: (cell.unit, cell.account, cell.region, cell.stack),
    )
    counted = [cell for cell in cells if cell.state not in (CellState.EXTRA, CellState.SUSPENDED)]
    wanted = [cell for cell in counted if cell.is_covered or not cell.waived]
    coverage = Coverage(
        covered=sum(cell.is_covered for cell in wanted),
        wanted=len(wanted),
        waived=len(counted) - len(wanted),
    )
    named = (*(stack.name for stack in desired.stacks), *(item.name for item in desired.stack_sets))
    stacks = tuple(dict.fromkeys(named))
    listed = {entry.id for entry in config.accounts}
    unlisted = tuple(account.id for account in organization.accounts if account.id not in listed)
    return StatusReport(organization.id, stacks, tuple(cells), coverage, unlisted, routes)


def _waived(config: Config, today: date) -> dict[str, str]:
    """The reasons of waivers that still hold, by account."""
    return {
        entry.id: f"{entry.waiver.reason} (until {entry.waiver.expires}, {entry.waiver.owner})"
        for entry in config.accounts
        if entry.waiver and entry.waiver.expires >= today
    }


def _cells(
    config: Config,
    organization: Organization,
    desired: State,
    observed: State,
    waived: Mapping[str, str],
) -> Iterator[Cell]:
    place = _Places(organization, waived)
    for stack in desired.stacks:
        yield _of_stack(place, stack, observed.stack(stack.name))
    for stack_set in desired.stack_sets:
        yield from _of_stack_set(place, stack_set, observed.stack_set(stack_set.name))
    for extra in observed.stack_sets:
        if desired.stack_set(extra.name) is None:
            yield from (place.cell(item.pair, extra.name, CellState.EXTRA) for item in extra.instances)
    yield from _out_of_scope(config, organization, desired, place)


class _Places:
    """Puts names to accounts."""

    def __init__(self, organization: Organization, waived: Mapping[str, str]) -> None:
        self.organization = organization
        self._waived = waived

    def cell(self, pair: Pair, stack: str, state: CellState, **more: str) -> Cell:
        account = self.organization.by_id.get(pair.account)
        if account is not None and not account.is_active:
            state, more = CellState.SUSPENDED, {"reason": account.state.value}
        return Cell(
            account=pair.account,
            account_name=account.name if account else "",
            unit=self.organization.path_of(pair.account),
            region=pair.region,
            stack=stack,
            state=state,
            waived=self._waived.get(pair.account, ""),
            **more,
        )


def _of_stack(place: _Places, desired: Stack, observed: Stack | None) -> Cell:
    pair = Pair(desired.account, desired.region)
    if observed is None:
        return place.cell(pair, desired.name, CellState.MISSING)
    change = stack_change(desired, observed)
    state = CellState.CURRENT if change.action is Action.NONE else CellState.OUTDATED
    return place.cell(pair, desired.name, state, digest=observed.template.digest, reason=change.reason)


def _of_stack_set(place: _Places, desired: StackSet, observed: StackSet | None) -> Iterator[Cell]:
    there = observed.by_pair if observed else {}
    behind = differs(desired, observed) if observed else ""
    for pair in sorted({*desired.by_pair, *there}):
        instance = there.get(pair)
        if pair not in desired.by_pair:
            yield place.cell(pair, desired.name, CellState.EXTRA)
        elif instance is None or observed is None:
            yield place.cell(pair, desired.name, CellState.MISSING)
        else:
            yield _of_instance(place, instance, observed, behind)


def _of_instance(place: _Places, instance: StackInstance, observed: StackSet, behind: str) -> Cell:
    state = CellState(instance.status.value)
    reason = instance.reason if instance.status is not InstanceStatus.CURRENT else ""
    if behind and instance.status is InstanceStatus.CURRENT:
        state, reason = CellState.OUTDATED, f"{behind} in orgmon, not deployed yet"
    # The digest of an instance is only known where it is in step with its stack set.
    digest = observed.template.digest if instance.status is InstanceStatus.CURRENT else ""
    return place.cell(
        instance.pair,
        observed.name,
        state,
        digest=digest,
        operation=instance.last_operation_id,
        reason=reason,
    )


def _out_of_scope(
    config: Config, organization: Organization, desired: State, place: _Places
) -> Iterator[Cell]:
    """ACTIVE accounts that nothing is wanted for: they count as not covered in every detection Region."""
    covered = {pair.account for stack_set in desired.stack_sets for pair in stack_set.by_pair}
    covered |= {stack.account for stack in desired.stacks}
    missing: list[Account] = [
        account for account in organization.accounts if account.is_active and account.id not in covered
    ]
    for account in missing:
        for region in config.regions.detection_regions:
            pair = Pair(account.id, region)
            yield place.cell(
                pair, "orgmon-detection", CellState.NOT_IN_SCOPE, reason="no scope names this account"
            )
