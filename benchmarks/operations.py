"""How many stack set operations and API steps the usual changes take, for the shipped accounts.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.measure import Figure
from orgmon.config.model import Config
from orgmon.desired.state import desired_state
from orgmon.desired.waves import rollout
from orgmon.detections.model import Detection
from orgmon.organization import Account, AccountState, Organization
from orgmon.plan.model import Action, Plan
from orgmon.plan.planner import plan
from orgmon.stackset import State, TemplateBody
from tests import sample

NEW_REGION = "ca-central-1"
NEW_ACCOUNT = "123123123123"


def measured() -> Iterator[Figure]:
    """Operations and steps of each change; what is deployed before it is what the shipped file wants."""
    config, organization, detections = sample.config(), sample.organization(), sample.detections()
    deployed = _wanted(config, organization, detections)
    grown = _with_account(organization)
    wider = _with_region(config)
    cases = {
        "a first rollout": _plan(config, organization, deployed, State()),
        "nothing to do": _plan(config, organization, deployed, deployed),
        "a new account": _plan(config, grown, _wanted(config, grown, detections), deployed),
        "a new Region": _plan(wider, organization, _wanted(wider, organization, detections), deployed),
        "a changed member template": _plan(config, organization, _with_template(deployed), deployed),
        "a new detection": _plan(
            config, organization, deployed, _wanted(config, organization, detections[1:])
        ),
    }
    for name, planned in cases.items():
        yield Figure(
            "operations",
            f"{name}: pairs",
            sum(change.action is not Action.NONE for change in planned.changes),
        )
        yield Figure("operations", f"{name}: stack set operations", len(planned.operations))
        yield Figure("operations", f"{name}: API steps", len(planned.steps))


def _wanted(config: Config, organization: Organization, detections: tuple[Detection, ...]) -> State:
    """What a config wants, as it is once it is deployed."""
    state = desired_state(config, organization, detections)
    stack_sets = tuple(
        replace(
            stack_set,
            instances=tuple(
                replace(
                    instance,
                    stack_id=f"{stack_set.name}/{instance.account}/{instance.region}",
                    unit_id=next(iter(stack_set.units), ""),
                )
                for instance in stack_set.instances
            ),
        )
        for stack_set in state.stack_sets
    )
    return replace(state, stack_sets=stack_sets)


def _plan(config: Config, organization: Organization, desired: State, observed: State) -> Plan:
    return plan(desired, observed, organization, rollout(config, organization))


def _with_account(organization: Organization) -> Organization:
    unit = next(unit for unit in organization.units if unit.name == "Prod")
    new = Account(NEW_ACCOUNT, "new", "new@example.com", AccountState.ACTIVE, unit.id)
    return replace(organization, accounts=(*organization.accounts, new))


def _with_region(config: Config) -> Config:
    regions = config.regions.model_copy(update={"governed": (*config.regions.governed, NEW_REGION)})
    return config.model_copy(update={"regions": regions})


def _with_template(state: State) -> State:
    """The members' detection stack with another description."""
    stack_set = state.stack_set("orgmon-detection")
    assert stack_set is not None
    changed = replace(
        stack_set, template=TemplateBody.of({**stack_set.template.content, "Description": "changed"})
    )
    others = tuple(item for item in state.stack_sets if item.name != changed.name)
    return replace(state, stack_sets=(*others, changed))
