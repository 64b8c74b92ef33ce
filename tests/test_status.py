"""The matrix and the coverage: what counts, what does not, and what is said of each cell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from orgmon.config.model import Config
from orgmon.delivery import RouteCheck, RouteState
from orgmon.desired.state import desired_state
from orgmon.organization import Account, AccountState, Organization
from orgmon.stackset import InstanceStatus, StackInstance, StackSet, State, TemplateBody
from orgmon.status import Cell, CellState, StatusReport, status
from tests import sample

TODAY = date(2026, 11, 20)
CONFIG = sample.config()
ORGANIZATION = sample.organization()
WAIVED = next(account.id for account in CONFIG.accounts if account.waiver)
MEMBER = "904417263085"
HOME = CONFIG.organization.home_region
HERE = (MEMBER, HOME)


@pytest.fixture(scope="module")
def desired() -> State:
    """What the shipped config wants."""
    return desired_state(CONFIG, ORGANIZATION, sample.detections())


def reported(
    desired: State, observed: State, organization: Organization = ORGANIZATION, config: Config = CONFIG
) -> StatusReport:
    """The status of today."""
    return status(config, organization, desired, observed, TODAY)


def with_instance(state: State, name: str, account: str, region: str, change: StackInstance | None) -> State:
    """A State with one instance of a stack set replaced, or taken away."""
    stack_set = _set(state, name)
    others = tuple(
        instance
        for instance in stack_set.instances
        if (instance.account, instance.region) != (account, region)
    )
    return with_set(state, replace(stack_set, instances=(*others, change) if change else others))


def with_set(state: State, changed: StackSet) -> State:
    """A State with one stack set replaced."""
    others = tuple(item for item in state.stack_sets if item.name != changed.name)
    return replace(state, stack_sets=(*others, changed))


def with_state(account_id: str, state: AccountState) -> Organization:
    """The organization with one account in another state."""
    accounts = tuple(
        replace(account, state=state) if account.id == account_id else account
        for account in ORGANIZATION.accounts
    )
    return replace(ORGANIZATION, accounts=accounts)


def cell_of(report: StatusReport, stack: str, account: str, region: str) -> Cell:
    """One cell of the matrix."""
    (only,) = [
        cell for cell in report.cells if (cell.stack, cell.account, cell.region) == (stack, account, region)
    ]
    return only


def _set(state: State, name: str) -> StackSet:
    stack_set = state.stack_set(name)
    assert stack_set is not None
    return stack_set


def test_everything_in_place_is_full_coverage(desired: State) -> None:
    report = reported(desired, desired)
    assert report.coverage.is_full
    assert report.coverage.percent == 100.0
    assert {cell.state for cell in report.cells} == {CellState.CURRENT}
    assert {cell.account for cell in report.cells} == set(ORGANIZATION.by_id)


def test_nothing_in_place_is_no_coverage(desired: State) -> None:
    report = reported(desired, State())
    assert report.coverage.covered == 0
    assert report.coverage.wanted + report.coverage.waived == len(report.cells)
    assert {cell.state for cell in report.cells} == {CellState.MISSING}


def test_cells_have_a_fixed_order_names_and_units(desired: State) -> None:
    report = reported(desired, desired)
    keys = [(cell.unit, cell.account, cell.region, cell.stack) for cell in report.cells]
    assert keys == sorted(keys)
    cell = cell_of(report, "orgmon-detection", *HERE)
    assert (cell.account_name, cell.unit) == ("payments-prod", "Root/Workloads/Prod")


def test_the_digest_is_known_only_where_an_instance_is_in_step(desired: State) -> None:
    current = cell_of(reported(desired, desired), "orgmon-detection", *HERE)
    assert current.digest == _set(desired, "orgmon-detection").template.digest
    failed = StackInstance(*HERE, InstanceStatus.OUTDATED, reason="denied", last_operation_id="op-1")
    observed = with_instance(desired, "orgmon-detection", *HERE, failed)
    cell = cell_of(reported(desired, observed), "orgmon-detection", *HERE)
    assert (cell.state, cell.digest, cell.reason, cell.operation) == (
        CellState.OUTDATED,
        "",
        "denied",
        "op-1",
    )


def test_a_template_that_is_not_deployed_yet_leaves_nothing_covered(desired: State) -> None:
    older = replace(_set(desired, "orgmon-detection"), template=TemplateBody.of({"Resources": {}}))
    cell = cell_of(reported(desired, with_set(desired, older)), "orgmon-detection", *HERE)
    assert cell.state is CellState.OUTDATED
    assert cell.reason == "template changed in orgmon, not deployed yet"
    assert cell.digest == older.template.digest


def test_an_inoperable_instance_is_not_covered(desired: State) -> None:
    broken = StackInstance(*HERE, InstanceStatus.INOPERABLE, reason="DELETE_FAILED")
    report = reported(desired, with_instance(desired, "orgmon-detection", *HERE, broken))
    assert cell_of(report, "orgmon-detection", *HERE).state is CellState.INOPERABLE
    assert report.coverage.wanted - report.coverage.covered == 1


def test_an_extra_instance_is_shown_and_not_counted(desired: State) -> None:
    extra = StackInstance(MEMBER, "sa-east-1")
    report = reported(desired, with_instance(desired, "orgmon-detection", MEMBER, "sa-east-1", extra))
    assert cell_of(report, "orgmon-detection", MEMBER, "sa-east-1").state is CellState.EXTRA
    assert report.coverage == reported(desired, desired).coverage


def test_a_stack_set_that_is_not_wanted_any_more_is_extra(desired: State) -> None:
    former = StackSet("orgmon-former", TemplateBody.of({}), instances=(StackInstance(*HERE),))
    report = reported(desired, with_set(desired, former))
    assert cell_of(report, "orgmon-former", *HERE).state is CellState.EXTRA


def test_a_suspended_account_is_shown_and_not_counted(desired: State) -> None:
    organization = with_state(MEMBER, AccountState.SUSPENDED)
    report = reported(desired, with_instance(desired, "orgmon-detection", *HERE, None), organization)
    cell = cell_of(report, "orgmon-detection", *HERE)
    assert (cell.state, cell.reason) == (CellState.SUSPENDED, "SUSPENDED")
    assert report.coverage.is_full


def test_a_waiver_keeps_a_gap_out_of_the_count_until_it_expires(desired: State) -> None:
    observed = with_instance(desired, "orgmon-detection", WAIVED, HOME, None)
    report = reported(desired, observed)
    assert report.coverage.is_full
    assert report.coverage.waived == 1
    assert "emptied every week" in cell_of(report, "orgmon-detection", WAIVED, HOME).waived
    late = status(CONFIG, ORGANIZATION, desired, observed, date(2028, 1, 1))
    assert (late.coverage.waived, late.coverage.is_full) == (0, False)


def test_a_waived_account_that_is_covered_counts_as_covered(desired: State) -> None:
    assert reported(desired, desired).coverage.waived == 0


def test_an_active_account_that_no_scope_names_counts_in_every_detection_region(desired: State) -> None:
    new = Account("123123123123", "acquired", "new@example.com", AccountState.ACTIVE, ORGANIZATION.root.id)
    organization = replace(ORGANIZATION, accounts=(*ORGANIZATION.accounts, new))
    report = reported(desired, desired, organization)
    cells = [cell for cell in report.cells if cell.account == new.id]
    assert {cell.state for cell in cells} == {CellState.NOT_IN_SCOPE}
    assert report.unlisted == (new.id,)
    assert [cell.region for cell in cells] == sorted(CONFIG.regions.detection_regions)
    assert report.coverage.wanted - report.coverage.covered == len(CONFIG.regions.detection_regions)


def test_a_plain_stack_that_is_behind_says_why(desired: State) -> None:
    broken = tuple(
        replace(stack, status="ROLLBACK_COMPLETE", reason="denied") if stack.name == "orgmon-trail" else stack
        for stack in desired.stacks
    )
    report = reported(desired, replace(desired, stacks=broken))
    (cell,) = [cell for cell in report.cells if cell.stack == "orgmon-trail"]
    assert (cell.state, cell.reason) == (CellState.OUTDATED, "ROLLBACK_COMPLETE: denied")


def test_whoever_is_not_told_is_passed_on_and_makes_it_not_good(desired: State) -> None:
    told = RouteCheck("critical", "email", "soc@example.com", RouteState.SUBSCRIBED)
    assert status(CONFIG, ORGANIZATION, desired, desired, TODAY, (told,)).is_good
    pending = (told, replace(told, state=RouteState.PENDING))
    report = status(CONFIG, ORGANIZATION, desired, desired, TODAY, pending)
    assert report.routes == pending
    assert report.coverage.is_full
    assert not report.is_good
