"""Stack sets in the shapes of CloudFormation's API: what calls take, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orgmon.stackset import (
    AutoDeployment,
    DeploymentTarget,
    DetailedStatus,
    InstanceStatus,
    Operation,
    OperationPreferences,
    OperationResult,
    OperationStatus,
    Pair,
    PermissionModel,
    ResultStatus,
    StackInstance,
    StackSet,
    TemplateBody,
)

Members = dict[str, Any]


def creation(stack_set: StackSet, auto: AutoDeployment, template: Mapping[str, str]) -> Members:
    """What CreateStackSet takes, but CallAs."""
    service_managed = stack_set.permission_model is PermissionModel.SERVICE_MANAGED
    return {
        "StackSetName": stack_set.name,
        "PermissionModel": stack_set.permission_model,
        **template,
        **content(stack_set),
        **({"AutoDeployment": auto_deployment(auto)} if service_managed else roles(stack_set)),
    }


def started(
    stack_set: StackSet,
    operation_id: str,
    preferences: OperationPreferences,
    target: DeploymentTarget | None = None,
) -> Members:
    """What every call takes that starts an operation; without a target it is about all instances."""
    return {
        "StackSetName": stack_set.name,
        "OperationId": operation_id,
        "OperationPreferences": operation_preferences(preferences),
        **(targets(target) if target is not None else {}),
    }


def content(stack_set: StackSet) -> Members:
    """What CreateStackSet and UpdateStackSet take besides the template."""
    parameters, tags = sorted(stack_set.parameters), sorted(stack_set.tags)
    return {
        **description(stack_set),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters],
        "Capabilities": sorted(stack_set.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in tags],
    }


def description(stack_set: StackSet) -> Members:
    """The description, where there is one: an empty one is refused."""
    return {"Description": stack_set.description} if stack_set.description else {}


def roles(stack_set: StackSet) -> Members:
    """The roles of a self-managed stack set, where they are named."""
    named = {
        "AdministrationRoleARN": stack_set.administration_role_arn,
        "ExecutionRoleName": stack_set.execution_role_name,
    }
    return {key: value for key, value in named.items() if value}


def auto_deployment(auto: AutoDeployment) -> Members:
    """RetainStacksOnAccountRemoval is refused unless auto-deployment is on (API reference, AutoDeployment)."""
    if not auto.enabled:
        return {"Enabled": False}
    return {"Enabled": True, "RetainStacksOnAccountRemoval": auto.retain_stacks_on_account_removal}


def operation_preferences(preferences: OperationPreferences) -> Members:
    """Always said in full: preferences belong to one operation, and the defaults stop at the first failure."""
    said: Members = {
        "FailureToleranceCount": preferences.failure_tolerance_count,
        "FailureTolerancePercentage": preferences.failure_tolerance_percentage,
        "MaxConcurrentCount": preferences.max_concurrent_count,
        "MaxConcurrentPercentage": preferences.max_concurrent_percentage,
        "RegionConcurrencyType": preferences.region_concurrency,
        "ConcurrencyMode": preferences.concurrency_mode,
    }
    return {key: value for key, value in said.items() if value is not None}


def targets(target: DeploymentTarget) -> Members:
    """Accounts and Regions; where units are named, the accounts are those of them that are meant."""
    regions = {"Regions": sorted(target.regions)}
    if not target.units:
        return {"Accounts": sorted(target.accounts), **regions}
    units: Members = {"OrganizationalUnitIds": list(target.units)}
    if not target.whole_units:
        units |= {"Accounts": sorted(target.accounts), "AccountFilterType": "INTERSECTION"}
    return {"DeploymentTargets": units, **regions}


def stack_set(told: Members) -> StackSet:
    """DescribeStackSet's answer; it tells nothing of instances and operations."""
    auto = told.get("AutoDeployment") or {}
    return StackSet(
        name=told["StackSetName"],
        template=TemplateBody(told["TemplateBody"]),
        parameters=tuple(
            sorted((item["ParameterKey"], item["ParameterValue"]) for item in told.get("Parameters", []))
        ),
        permission_model=PermissionModel(told.get("PermissionModel", PermissionModel.SELF_MANAGED)),
        auto_deployment=AutoDeployment(
            bool(auto.get("Enabled")), bool(auto.get("RetainStacksOnAccountRemoval"))
        ),
        capabilities=tuple(told.get("Capabilities", [])),
        tags=tuple((tag["Key"], tag["Value"]) for tag in told.get("Tags", [])),
        description=told.get("Description", ""),
        units=tuple(told.get("OrganizationalUnitIds", [])),
        administration_role_arn=told.get("AdministrationRoleARN", ""),
        execution_role_name=told.get("ExecutionRoleName", ""),
    )


def instance(summary: Members) -> StackInstance:
    """A summary of ListStackInstances."""
    detailed = summary.get("StackInstanceStatus", {}).get("DetailedStatus", DetailedStatus.PENDING)
    return StackInstance(
        account=summary["Account"],
        region=summary["Region"],
        status=InstanceStatus(summary["Status"]),
        detailed_status=DetailedStatus(detailed),
        reason=summary.get("StatusReason", ""),
        # Instances that never had a stack have no such key at all.
        stack_id=summary.get("StackId"),
        unit_id=summary.get("OrganizationalUnitId", ""),
        last_operation_id=summary.get("LastOperationId", ""),
    )


def operation(told: Members) -> Operation:
    """DescribeStackSetOperation's answer, or a summary of ListStackSetOperations."""
    return Operation(
        id=told["OperationId"],
        action=told.get("Action", ""),
        status=OperationStatus(told["Status"]),
        created=_time(told.get("CreationTimestamp")),
        ended=_time(told.get("EndTimestamp")),
        reason=told.get("StatusReason", ""),
        failed=told.get("StatusDetails", {}).get("FailedStackInstancesCount", 0),
    )


def result(summary: Members) -> OperationResult:
    """A summary of ListStackSetOperationResults."""
    return OperationResult(
        Pair(summary["Account"], summary["Region"]),
        ResultStatus(summary["Status"]),
        summary.get("StatusReason", ""),
    )


def _time(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
