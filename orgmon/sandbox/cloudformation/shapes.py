"""Stacks as CloudFormation's API shows them: records -> output members."""

from __future__ import annotations

import json
from typing import Any

from orgmon.sandbox.cloudformation import capabilities, parameters
from orgmon.sandbox.cloudformation.schema import is_known, schema_of
from orgmon.sandbox.cloudformation.stack import ChangeSet, Event, ResourceRecord, StackRecord
from orgmon.sandbox.cloudformation.template import Template


def set_only(members: dict[str, Any]) -> dict[str, Any]:
    """The members without those that have no value."""
    return {name: value for name, value in members.items() if value not in (None, "")}


def stack_shape(stack: StackRecord) -> dict[str, Any]:
    """A stack as DescribeStacks shows it: lists that are empty are left out, but for topics and tags."""
    request = stack.request
    return set_only(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "ChangeSetId": None if stack.is_gone else stack.change_set_id,
            "Description": request.template.description,
            "Parameters": parameter_shapes(request.template, request.parameters) or None,
            "CreationTime": stack.created,
            "LastUpdatedTime": stack.updated,
            "DeletionTime": stack.deleted,
            "RollbackConfiguration": {},
            "StackStatus": stack.status,
            "StackStatusReason": stack.reason,
            "DisableRollback": request.on_failure == "DO_NOTHING",
            "NotificationARNs": list(request.notifications),
            "Capabilities": list(request.capabilities) or None,
            "Outputs": [_output_shape(output) for output in stack.outputs] or None,
            "RoleARN": request.role_arn,
            "Tags": tag_shapes(request.tags),
            "EnableTerminationProtection": None if stack.is_gone else stack.termination_protection,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
            "LastOperations": operation_shapes(stack) or None,
        }
    )


def operation_shapes(stack: StackRecord) -> list[dict[str, str]]:
    """The last operation, and before it the rollback that it ended in."""
    return [{"OperationType": kind, "OperationId": each} for kind, each in stack.operations]


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
            "LastOperations": operation_shapes(stack) or None,
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
    """An event as DescribeStackEvents shows it; before there is a resource its physical id is an empty text."""
    members = {
        "StackId": stack.id,
        "StackName": stack.name,
        "EventId": event.id,
        "OperationId": event.operation_id,
        "LogicalResourceId": event.logical_id,
        "ResourceType": event.type,
        "Timestamp": event.time,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "ResourceProperties": None if event.properties is None else json.dumps(event.properties),
        "ClientRequestToken": event.token,
    }
    return {**set_only(members), "PhysicalResourceId": event.physical_id}


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
            "IncludeNestedStacks": False,
            "ImportExistingResources": change_set.request.adopts,
        }
    )


def identifier_shapes(template: Template) -> list[dict[str, Any]]:
    """The resources by type, with the properties that name one which is to be imported, as far as AWS can read it.

    Source: API reference, ResourceIdentifierSummary; the types' registry schemas.
    """
    shown = []
    for kind in template.resource_types:
        ids = [each.logical_id for each in template.resources.values() if each.type == kind]
        identifiers = schema_of(kind).identifiers if is_known(kind) else ()
        members = {"ResourceType": kind, "LogicalResourceIds": ids, "ResourceIdentifiers": list(identifiers)}
        shown.append({name: value for name, value in members.items() if value})
    return shown


def declared_parameters(template: Template) -> list[dict[str, Any]]:
    """The parameters of a template as GetTemplateSummary shows them."""
    return [_declaration(name, body) for name, body in template.parameters.items()]


def capability_members(template: Template) -> dict[str, Any]:
    """Capabilities and their reason, empty when the template needs none."""
    needed = capabilities.needed_by(template)
    if not needed:
        return {}
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
