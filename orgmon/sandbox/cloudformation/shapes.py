"""Stacks as CloudFormation's API shows them: records -> output members."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.cloudformation import capabilities, parameters
from orgmon.sandbox.cloudformation.stack import Change, ChangeSet, Event, ResourceRecord, StackRecord
from orgmon.sandbox.cloudformation.template import Template


def set_only(members: dict[str, Any]) -> dict[str, Any]:
    """The members without those that have no value."""
    return {name: value for name, value in members.items() if value not in (None, "")}


def stack_shape(stack: StackRecord) -> dict[str, Any]:
    """A stack as DescribeStacks shows it."""
    request = stack.request
    return set_only(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "ChangeSetId": stack.change_set_id,
            "Description": request.template.description,
            "Parameters": parameter_shapes(request.template, request.parameters),
            "CreationTime": stack.created,
            "LastUpdatedTime": stack.updated,
            "DeletionTime": stack.deleted,
            "StackStatus": stack.status,
            "StackStatusReason": stack.reason,
            "DisableRollback": request.on_failure == "DO_NOTHING",
            "NotificationARNs": list(request.notifications),
            "Capabilities": list(request.capabilities),
            "Outputs": [_output_shape(output) for output in stack.outputs],
            "RoleARN": request.role_arn,
            "Tags": tag_shapes(request.tags),
            "EnableTerminationProtection": stack.termination_protection,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }
    )


def summary_shape(stack: StackRecord) -> dict[str, Any]:
    """A stack as ListStacks shows it."""
    return set_only(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "TemplateDescription": stack.request.template.description,
            "CreationTime": stack.created,
            "LastUpdatedTime": stack.updated,
            "DeletionTime": stack.deleted,
            "StackStatus": stack.status,
            "StackStatusReason": stack.reason,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }
    )


def parameter_shapes(template: Template, values: dict[str, str]) -> list[dict[str, Any]]:
    """Parameters with their values; NoEcho ones masked."""
    shown = parameters.masked(template.parameters, values)
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in shown.items()]


def tag_shapes(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as a list of Key and Value."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def event_shape(stack: StackRecord, event: Event) -> dict[str, Any]:
    """An event as DescribeStackEvents shows it."""
    return set_only(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "EventId": event.id,
            "LogicalResourceId": event.logical_id,
            "PhysicalResourceId": event.physical_id,
            "ResourceType": event.type,
            "Timestamp": event.time,
            "ResourceStatus": event.status,
            "ResourceStatusReason": event.reason,
            "ClientRequestToken": event.token,
        }
    )


def resource_shape(
    stack: StackRecord, record: ResourceRecord, time_member: str = "Timestamp"
) -> dict[str, Any]:
    """A resource; ``time_member`` is what the operation calls the time of the last change."""
    return set_only(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "LogicalResourceId": record.logical_id,
            "PhysicalResourceId": record.physical_id,
            "ResourceType": record.type,
            time_member: record.updated,
            "ResourceStatus": record.status,
            "ResourceStatusReason": record.reason,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
    )


def change_set_shape(stack: StackRecord, change_set: ChangeSet) -> dict[str, Any]:
    """A change set without its changes."""
    return set_only(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "ChangeSetId": change_set.id,
            "ChangeSetName": change_set.name,
            "Description": change_set.description,
            "CreationTime": change_set.created,
            "ExecutionStatus": change_set.execution_status,
            "Status": change_set.status,
            "StatusReason": change_set.reason,
            "ImportExistingResources": change_set.request.adopts,
        }
    )


def change_shape(change: Change) -> dict[str, Any]:
    """One change of a change set."""
    body = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "PhysicalResourceId": change.physical_id,
        "ResourceType": change.type,
        "Replacement": change.replacement,
        "PolicyAction": change.policy_action,
        "Scope": list(change.scope),
        "Details": [_detail_shape(name, recreation) for name, recreation in change.details],
    }
    return {"Type": "Resource", "ResourceChange": set_only(body)}


def declared_parameters(template: Template) -> list[dict[str, Any]]:
    """The parameters of a template as GetTemplateSummary shows them."""
    return [_declaration(name, body) for name, body in template.parameters.items()]


def capability_members(template: Template) -> dict[str, Any]:
    """Capabilities and their reason, empty when the template needs none."""
    needed = capabilities.needed_by(template)
    if not needed:
        return {"Capabilities": []}
    types = ", ".join(capabilities.iam_types_in(template))
    reason = f"The following resource(s) require capabilities: [{types}]"
    return {"Capabilities": list(needed), "CapabilitiesReason": reason}


def _output_shape(output: Any) -> dict[str, Any]:
    members = {
        "OutputKey": output.key,
        "OutputValue": output.value,
        "Description": output.description,
        "ExportName": output.export,
    }
    return set_only(members)


def _detail_shape(name: str, recreation: str) -> dict[str, Any]:
    target = {"Attribute": "Tags" if name == "Tags" else "Properties", "RequiresRecreation": recreation}
    if name != "Tags":
        target["Name"] = name
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}


def _declaration(name: str, body: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {
        "ParameterKey": name,
        "ParameterType": str(body.get("Type", "String")),
        "NoEcho": parameters.is_secret(body),
        "Description": str(body.get("Description", "")),
        "ParameterConstraints": {},
    }
    if "Default" in body:
        members["DefaultValue"] = str(body["Default"])
    if "AllowedValues" in body:
        members["ParameterConstraints"] = {"AllowedValues": [str(each) for each in body["AllowedValues"]]}
    return set_only(members)
