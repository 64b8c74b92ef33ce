"""CloudFormation as AWS does it: templates become real resources, failures roll back, nothing is skipped."""

from __future__ import annotations

from orgmon.sandbox.cloudformation.change_sets import ChangeSetOperations
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.members import checking
from orgmon.sandbox.cloudformation.policy_operations import PolicyOperations
from orgmon.sandbox.cloudformation.stack_operations import StackOperations
from orgmon.sandbox.cloudformation.template_operations import TemplateOperations
from orgmon.sandbox.world import World


def install(world: World) -> Engine:
    """Answer the world's CloudFormation calls for stacks and change sets; returns the engine behind them."""
    engine = Engine(world)
    stacks = StackOperations(engine)
    sets = ChangeSetOperations(engine)
    policies = PolicyOperations(engine)
    templates = TemplateOperations(engine, sets)
    for operation, handler in (
        ("CreateStack", stacks.create_stack),
        ("UpdateStack", stacks.update_stack),
        ("DeleteStack", stacks.delete_stack),
        ("DescribeStacks", stacks.describe_stacks),
        ("ListStacks", stacks.list_stacks),
        ("DescribeStackEvents", stacks.describe_stack_events),
        ("DescribeStackResources", stacks.describe_stack_resources),
        ("DescribeStackResource", stacks.describe_stack_resource),
        ("ListStackResources", stacks.list_stack_resources),
        ("GetTemplate", templates.get_template),
        ("GetTemplateSummary", templates.get_template_summary),
        ("ValidateTemplate", templates.validate_template),
        ("UpdateTerminationProtection", stacks.update_termination_protection),
        ("ListExports", stacks.list_exports),
        ("ListImports", stacks.list_imports),
        ("SetStackPolicy", policies.set_stack_policy),
        ("GetStackPolicy", policies.get_stack_policy),
        ("CreateChangeSet", sets.create_change_set),
        ("DescribeChangeSet", sets.describe_change_set),
        ("ListChangeSets", sets.list_change_sets),
        ("ExecuteChangeSet", sets.execute_change_set),
        ("DeleteChangeSet", sets.delete_change_set),
    ):
        world.operations.register("cloudformation", operation, checking(operation, handler))
    return engine
