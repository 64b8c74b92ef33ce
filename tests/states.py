"""Hypothesis strategies: small organizations, rollouts, and States in every condition that AWS knows."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from orgmon.organization import Account, AccountState, Organization, OrganizationalUnit
from orgmon.rollout import Rollout, Wave
from orgmon.stackset import (
    Artifact,
    AutoDeployment,
    DetailedStatus,
    InstanceStatus,
    OperationPreferences,
    Pair,
    PermissionModel,
    Stack,
    StackInstance,
    StackSet,
    State,
    TemplateBody,
)

MANAGEMENT = "100000000000"
MEMBERS = ("200000000001", "200000000002", "200000000003", "200000000004")
LEFT = "900000000009"
REGIONS = ("eu-north-1", "us-east-1", "us-west-2")
ROOT, UNIT, INNER = "r-abcd", "ou-abcd-00000001", "ou-abcd-00000002"
STAGES = ("base", "hub", "detection")
MANAGED = ("hub", "detection", "detection-management")
STACK_STATUSES = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
    "ROLLBACK_COMPLETE",
    "CREATE_FAILED",
    "DELETE_FAILED",
    "REVIEW_IN_PROGRESS",
)
# Status, how the last operation went, and whether a stack is behind it.
CONDITIONS = (
    (InstanceStatus.CURRENT, DetailedStatus.SUCCEEDED, True),
    (InstanceStatus.CURRENT, DetailedStatus.CANCELLED, True),
    (InstanceStatus.OUTDATED, DetailedStatus.PENDING, True),
    (InstanceStatus.OUTDATED, DetailedStatus.FAILED, True),
    (InstanceStatus.OUTDATED, DetailedStatus.FAILED, False),
    (InstanceStatus.OUTDATED, DetailedStatus.CANCELLED, False),
    (InstanceStatus.INOPERABLE, DetailedStatus.INOPERABLE, True),
)
UNITS = (
    OrganizationalUnit(ROOT, "Root", "Root"),
    OrganizationalUnit(UNIT, "Workloads", "Root/Workloads", ROOT),
    OrganizationalUnit(INNER, "Prod", "Root/Workloads/Prod", UNIT),
)


@dataclass(frozen=True)
class Case:
    """Everything that a plan is made from."""

    organization: Organization
    rollout: Rollout
    desired: State
    observed: State


def template(number: int) -> TemplateBody:
    """One of a few templates."""
    return TemplateBody.of({"Resources": {"Bus": {"Properties": {"Name": f"bus-{number}"}}}})


@st.composite
def organizations(draw: st.DrawFn) -> Organization:
    """A management account and a few members anywhere, most of them ACTIVE."""
    states = st.sampled_from(
        [*[AccountState.ACTIVE] * 5, AccountState.SUSPENDED, AccountState.PENDING_CLOSURE]
    )
    members = draw(st.lists(st.sampled_from(MEMBERS), unique=True, min_size=1))
    accounts = [Account(MANAGEMENT, "management", "m@example.com", AccountState.ACTIVE, ROOT)]
    for member in sorted(members):
        unit = draw(st.sampled_from((ROOT, UNIT, INNER)))
        accounts.append(Account(member, member, "a@example.com", draw(states), unit))
    return Organization("o-abcdefghij", MANAGEMENT, UNITS, tuple(accounts))


@st.composite
def rollouts(draw: st.DrawFn) -> Rollout:
    """One to three waves; every account that there can be is in exactly one."""
    count = draw(st.integers(1, 3))
    place = {account: draw(st.integers(0, count - 1)) for account in (MANAGEMENT, LEFT, *MEMBERS)}
    waves = tuple(
        Wave(f"wave {number}", frozenset(account for account, wave in place.items() if wave == number))
        for number in range(count)
    )
    return Rollout(STAGES, waves, OperationPreferences(failure_tolerance_percentage=10))


@st.composite
def stack_sets(draw: st.DrawFn, name: str, organization: Organization, *, observed: bool) -> StackSet:
    """A stack set that could be, or that could be found."""
    self_managed = name.endswith("-management")
    model = PermissionModel.SELF_MANAGED if self_managed else PermissionModel.SERVICE_MANAGED
    auto = draw(st.booleans()) and not self_managed
    units = () if self_managed else draw(st.sampled_from(((ROOT,), (UNIT,), (INNER, ROOT))))
    possible = _possible(organization, units, self_managed=self_managed, observed=observed)
    pairs = draw(st.frozensets(st.sampled_from(possible))) if possible else frozenset()
    return StackSet(
        name=name,
        template=template(draw(st.integers(0, 1))),
        parameters=(("Retention", draw(st.sampled_from(("30", "90")))),),
        permission_model=model,
        auto_deployment=AutoDeployment(auto),
        tags=draw(st.sampled_from(((), (("orgmon", name),)))),
        units=units,
        instances=tuple(
            draw(_instances(pair, organization, units)) if observed else StackInstance(*pair)
            for pair in sorted(pairs)
        ),
    )


def _possible(
    organization: Organization, units: tuple[str, ...], *, self_managed: bool, observed: bool
) -> list[Pair]:
    if self_managed:
        accounts = {MANAGEMENT}
    else:
        accounts = set().union(*(organization.under(unit) for unit in units)) - {MANAGEMENT}
        # Wanted are members; found is also what has left.
        accounts |= {LEFT} if observed else set()
    return [Pair(account, region) for account in sorted(accounts) for region in REGIONS]


@st.composite
def _instances(
    draw: st.DrawFn, pair: Pair, organization: Organization, units: tuple[str, ...]
) -> StackInstance:
    status, detail, has_stack = draw(st.sampled_from(CONDITIONS))
    holding = [unit for unit in units if pair.account in organization.under(unit)]
    return StackInstance(
        *pair,
        status,
        detail,
        reason="rehearsed" if detail is DetailedStatus.FAILED else "",
        stack_id=f"arn:aws:cloudformation:{pair.region}:{pair.account}:stack/s/1" if has_stack else None,
        unit_id=(holding or list(units) or [""])[0],
    )


@st.composite
def states(draw: st.DrawFn, organization: Organization, *, observed: bool) -> State:
    """A State that could be wanted, or that could be found."""
    names = draw(st.lists(st.sampled_from(MANAGED), unique=True))
    if observed and draw(st.booleans()):
        names.append("former")
    status = st.sampled_from(STACK_STATUSES if observed else ("CREATE_COMPLETE",))
    stacks = tuple(
        Stack(name, MANAGEMENT, REGIONS[0], template(draw(st.integers(0, 1))), status=draw(status))
        for name in draw(st.lists(st.sampled_from(("base", "trail")), unique=True))
    )
    artifacts = (
        draw(st.frozensets(st.sampled_from(("a.zip", "b.zip"))))
        if any(stack.name == STAGES[0] for stack in stacks)
        else frozenset()
    )
    return State(
        stacks,
        tuple(draw(stack_sets(name, organization, observed=observed)) for name in names),
        frozenset(Artifact("artifacts", key) for key in artifacts),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """An organization, a rollout, what should be and what is."""
    organization = draw(organizations())
    return Case(
        organization,
        draw(rollouts()),
        draw(states(organization, observed=False)),
        draw(states(organization, observed=True)),
    )
