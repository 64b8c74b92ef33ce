"""StackSets as AWS has them: operations that go on by themselves, tolerances, statuses that tell apart."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.members import checking
from orgmon.sandbox.stacksets.auto_deployment import AutoDeployer
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.imports import Imports
from orgmon.sandbox.stacksets.instance_operations import InstanceOperations
from orgmon.sandbox.stacksets.lists import Lists
from orgmon.sandbox.stacksets.operation_queries import OperationQueries
from orgmon.sandbox.stacksets.organizations_access import OrganizationsAccess
from orgmon.sandbox.stacksets.set_operations import SetOperations
from orgmon.sandbox.stacksets.stances import Stances
from orgmon.sandbox.world import World


def install(world: World, engine: Engine, stances: Stances | None = None) -> StackSetEngine:
    """Answer the world's calls on stack sets; the instances' stacks are made by the CloudFormation ``engine``.

    Adds the control ``pace`` ({"seconds": real seconds an instance takes}) and carries out the rehearsed foreign
    operation.
    """
    made = StackSetEngine(world, engine, stances)
    lists = Lists(made)
    sets = SetOperations(made, lists)
    instances = InstanceOperations(made, lists)
    operations = OperationQueries(made, lists)
    access = OrganizationsAccess(made)
    auto = AutoDeployer(made)
    for operation, handler in (
        ("CreateStackSet", sets.create),
        ("UpdateStackSet", sets.update),
        ("DeleteStackSet", sets.delete),
        ("DescribeStackSet", sets.describe),
        ("ListStackSets", sets.list),
        ("CreateStackInstances", instances.create),
        ("UpdateStackInstances", instances.update),
        ("DeleteStackInstances", instances.delete),
        ("DescribeStackInstance", instances.describe),
        ("ListStackInstances", instances.list),
        ("DescribeStackSetOperation", operations.describe),
        ("ListStackSetOperations", operations.list),
        ("ListStackSetOperationResults", operations.results),
        ("StopStackSetOperation", operations.stop),
        ("ImportStacksToStackSet", Imports(made).start),
        ("ListStackSetAutoDeploymentTargets", auto.list_targets),
        ("ActivateOrganizationsAccess", access.activate),
        ("DeactivateOrganizationsAccess", access.deactivate),
        ("DescribeOrganizationsAccess", access.describe),
    ):
        checked = checking(operation, handler, required_only=True)
        world.operations.register("cloudformation", operation, checked)

    def pace(query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        made.pace = float(body.get("seconds", made.pace))
        return {"seconds": made.pace}

    world.controls["pace"] = pace
    world.trouble.on_foreign_operation = made.start_foreign
    world.organization.on_account_changed(auto)
    return made
