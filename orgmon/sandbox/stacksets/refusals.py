"""How StackSets refuses: codes, texts and HTTP statuses. Source: API reference, the errors of each operation."""

from __future__ import annotations

from orgmon.sandbox.calls import Refusal

NOT_MANAGEMENT = (
    "You must be the management account or delegated admin account of an organization before operating a "
    "SERVICE_MANAGED stack set"
)
NOT_DELEGATED = "Account used is not a delegated administrator"
NO_ORGANIZATIONS_ACCESS = "You must enable organizations access to operate a service managed stack set"
ONLY_UNITS = "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target"
ONLY_ACCOUNTS = "StackSets with SELF_MANAGED permission model can only have accounts as target"
UNITS_REQUIRED = "OrganizationalUnitIds are required"
ONE_TEMPLATE = "Exactly one of TemplateBody or TemplateUrl must be specified"
MANAGED_EXECUTION_ALONE = "Cannot update ManagedExecution while updating StackSet Template or Parameters."


def invalid(text: str) -> Refusal:
    """ValidationError."""
    return Refusal("ValidationError", text)


def unfit(value: object, member: str, constraint: str) -> Refusal:
    """ValidationError for one member of a request."""
    text = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
    return invalid(f"{text}Member must {constraint}")


def bad_operation(text: str) -> Refusal:
    """InvalidOperationException."""
    return Refusal("InvalidOperationException", text)


def no_set(name: str) -> Refusal:
    """StackSetNotFoundException."""
    return Refusal("StackSetNotFoundException", f"StackSet {name} not found", 404)


def name_taken() -> Refusal:
    """NameAlreadyExistsException."""
    return Refusal("NameAlreadyExistsException", "StackSet already exists", 409)


def created_but_modified(name: str) -> Refusal:
    """CreatedButModifiedException."""
    return Refusal("CreatedButModifiedException", f"StackSet {name} was created but has been modified", 409)


def not_empty() -> Refusal:
    """StackSetNotEmptyException."""
    return Refusal("StackSetNotEmptyException", "StackSet is not empty", 409)


def in_progress(arn: str, operation_id: str) -> Refusal:
    """OperationInProgressException."""
    text = f"Another Operation on StackSet {arn} is in progress: {operation_id}"
    return Refusal("OperationInProgressException", text, 409)


def operation_id_used(operation_id: str) -> Refusal:
    """OperationIdAlreadyExistsException."""
    text = f"Operation with id {operation_id} already exists"
    return Refusal("OperationIdAlreadyExistsException", text, 409)


def no_operation(operation_id: str) -> Refusal:
    """OperationNotFoundException."""
    return Refusal("OperationNotFoundException", f"Operation {operation_id} not found", 404)


def no_instance(name: str, account: str, region: str) -> Refusal:
    """StackInstanceNotFoundException."""
    text = f"Stack instance not found for StackSet {name}, account {account}, region {region}"
    return Refusal("StackInstanceNotFoundException", text, 404)


def no_stack(stack_id: str) -> Refusal:
    """StackNotFoundException."""
    return Refusal("StackNotFoundException", f"Stack {stack_id} not found", 404)


def unit_not_targeted(unit_id: str) -> Refusal:
    """ValidationError for a unit that the stack set was never deployed to."""
    return invalid(f"Organizational unit {unit_id} not found in StackSet")
