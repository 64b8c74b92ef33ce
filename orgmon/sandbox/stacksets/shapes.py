"""Records as the API shows them. Source: botocore's model of CloudFormation."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.cloudformation.parameters import masked
from orgmon.sandbox.stacksets.records import Instance, Operation, Result, StackSetRecord

Members = dict[str, Any]
GATE = "AWSCloudFormationStackSetAccountGate"


def set_shape(stack_set: StackSetRecord) -> Members:
    """DescribeStackSet's StackSet."""
    shown = masked(stack_set.settings.template.parameters, stack_set.settings.parameters)
    return {
        **_set_head(stack_set),
        "TemplateBody": stack_set.settings.template.text,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in shown.items()],
        "Capabilities": list(stack_set.settings.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in stack_set.settings.tags.items()],
        "StackSetARN": stack_set.arn,
        "AdministrationRoleARN": stack_set.settings.administration_role,
        "ExecutionRoleName": stack_set.settings.execution_role,
        "OrganizationalUnitIds": sorted(stack_set.units),
        "Regions": sorted({instance.region for instance in stack_set.instances.values()}),
    }


def set_summary(stack_set: StackSetRecord) -> Members:
    """ListStackSets' StackSetSummary."""
    return {**_set_head(stack_set), "DriftStatus": "NOT_CHECKED"}


def _set_head(stack_set: StackSetRecord) -> Members:
    members: Members = {
        "StackSetName": stack_set.name,
        "StackSetId": stack_set.id,
        "Status": stack_set.status,
        "PermissionModel": stack_set.settings.permission_model,
        "ManagedExecution": {"Active": stack_set.settings.managed_execution},
    }
    if stack_set.settings.description:
        members["Description"] = stack_set.settings.description
    if stack_set.is_service_managed:
        members["AutoDeployment"] = _auto_deployment(stack_set)
    return members


def _auto_deployment(stack_set: StackSetRecord) -> Members:
    auto = stack_set.settings.auto_deployment
    members: Members = {"Enabled": auto.enabled}
    if auto.enabled:
        members["RetainStacksOnAccountRemoval"] = auto.retains
    if auto.depends_on:
        members["DependsOn"] = list(auto.depends_on)
    return members


def instance_summary(stack_set: StackSetRecord, instance: Instance) -> Members:
    """ListStackInstances' StackInstanceSummary. Without a stack there is no StackId, without a reason none."""
    members: Members = {
        "StackSetId": stack_set.id,
        "Region": instance.region,
        "Account": instance.account,
        "Status": instance.status,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed},
        "OrganizationalUnitId": instance.unit_id,
        "DriftStatus": "NOT_CHECKED",
        "LastOperationId": instance.last_operation,
    }
    if instance.stack_id:
        members["StackId"] = instance.stack_id
    if instance.reason:
        members["StatusReason"] = instance.reason
    return members


def instance_shape(stack_set: StackSetRecord, instance: Instance) -> Members:
    """DescribeStackInstance's StackInstance: the only place where overrides are shown."""
    shown = masked(stack_set.settings.template.parameters, instance.overrides)
    overrides = [{"ParameterKey": key, "ParameterValue": value} for key, value in shown.items()]
    return {**instance_summary(stack_set, instance), "ParameterOverrides": overrides}


def operation_summary(operation: Operation) -> Members:
    """ListStackSetOperations' StackSetOperationSummary."""
    members: Members = {
        "OperationId": operation.id,
        "Action": operation.task.action,
        "Status": operation.status,
        "CreationTimestamp": operation.created,
        "OperationPreferences": operation.wire_preferences,
        "StatusDetails": {"FailedStackInstancesCount": operation.failures},
    }
    if operation.ended is not None:
        members["EndTimestamp"] = operation.ended
    if operation.reason:
        members["StatusReason"] = operation.reason
    return members


def operation_shape(stack_set: StackSetRecord, operation: Operation) -> Members:
    """DescribeStackSetOperation's StackSetOperation."""
    members = {**operation_summary(operation), "StackSetId": stack_set.id}
    if operation.task.shows_roles:
        members["AdministrationRoleARN"] = stack_set.settings.administration_role
        members["ExecutionRoleName"] = stack_set.settings.execution_role
    if operation.retain is not None:
        members["RetainStacks"] = operation.retain
    if operation.targets:
        members["DeploymentTargets"] = operation.targets
    return members


def result_shape(result: Result) -> Members:
    """ListStackSetOperationResults' summary of one pair."""
    function = f"arn:aws:lambda:{result.region}:{result.account}:function:{GATE}"
    members: Members = {
        "Account": result.account,
        "Region": result.region,
        "Status": result.status,
        "OrganizationalUnitId": result.unit_id,
    }
    if result.status in ("SUCCEEDED", "FAILED"):
        members["AccountGateResult"] = {
            "Status": "SKIPPED",
            "StatusReason": f"Function not found: {function}",
        }
    if result.reason:
        members["StatusReason"] = result.reason
    return members
