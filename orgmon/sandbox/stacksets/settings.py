"""From a CreateStackSet or UpdateStackSet request to the stack set's settings.

Source: API reference, both operations; Parameter ("if you don't specify a key and value ... uses the default").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.cloudformation.capabilities import require
from orgmon.sandbox.cloudformation.parameters import settle
from orgmon.sandbox.cloudformation.template import Template, parse
from orgmon.sandbox.cloudformation.templates import checked, text_of
from orgmon.sandbox.policies.switches import Switch
from orgmon.sandbox.stacksets import refusals, roles
from orgmon.sandbox.stacksets.checks import Params, check_role_name, tags_of
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.records import SELF_MANAGED, AutoDeployment, Settings, StackSetRecord

_SOURCES = ("TemplateBody", "TemplateURL", "StackId")
_MAXIMUM_DEPENDENCIES = 10


def new_settings(engine: StackSetEngine, call: Call, account: str) -> Settings:
    """The settings of a new stack set that lives in ``account``. Raises Refusal."""
    params = call.params
    model = str(params.get("PermissionModel") or SELF_MANAGED)
    tags = tags_of(params) or {}
    template = _new_template(engine, call)
    capabilities = tuple(params.get("Capabilities") or ())
    require(template, capabilities)
    administration_role, execution_role = _roles(engine, params, model, account, "")
    return Settings(
        template=template,
        parameters=settle(template.parameters, params.get("Parameters") or [], None),
        permission_model=model,
        administration_role=administration_role,
        execution_role=execution_role,
        description=str(params.get("Description") or ""),
        capabilities=capabilities,
        tags=tags,
        auto_deployment=_auto_deployment(params, model) or AutoDeployment(),
        managed_execution=_managed_execution(params) or False,
    )


def changed_settings(engine: StackSetEngine, call: Call, stack_set: StackSetRecord) -> Settings:
    """The settings after an UpdateStackSet request. Raises Refusal."""
    params = call.params
    before = stack_set.settings
    model = str(params.get("PermissionModel") or before.permission_model)
    if model != before.permission_model and stack_set.instances:
        raise refusals.invalid("PermissionModel can not be changed while the stack set has stack instances")
    tags = tags_of(params)
    template = _changed_template(engine, call, before)
    capabilities = tuple(params.get("Capabilities") or ())
    require(template, capabilities)
    known = before.execution_role if model == before.permission_model else ""
    administration_role, execution_role = _roles(engine, params, model, stack_set.account, known)
    managed = _managed_execution(params)
    return Settings(
        template=template,
        parameters=_changed_parameters(engine, params, template, before.parameters),
        permission_model=model,
        administration_role=administration_role,
        execution_role=execution_role,
        description=_changed_description(engine, params, before.description),
        capabilities=capabilities,
        tags=before.tags if tags is None else tags,
        auto_deployment=_auto_deployment(params, model) or before.auto_deployment,
        managed_execution=before.managed_execution if managed is None else managed,
    )


def check_managed_execution(params: Params, stack_set: StackSetRecord) -> None:
    """ManagedExecution changes alone, and while nothing is under way. Raises Refusal (InvalidOperationException)."""
    managed = _managed_execution(params)
    if managed is None or managed == stack_set.settings.managed_execution:
        return
    if not params.get("UsePreviousTemplate") or params.get("Parameters") is not None:
        raise refusals.bad_operation(refusals.MANAGED_EXECUTION_ALONE)
    if stack_set.is_busy:
        raise refusals.bad_operation("Cannot update ManagedExecution while operations are running or queued.")


def _new_template(engine: StackSetEngine, call: Call) -> Template:
    given = [source for source in _SOURCES if call.params.get(source) is not None]
    if len(given) != 1:
        raise refusals.invalid(refusals.ONE_TEMPLATE)
    if given == ["StackId"]:
        stack_id = str(call.params["StackId"])
        return engine.stacks.register.get(call.account, call.region, stack_id).request.template
    return _read(engine, call)


def _changed_template(engine: StackSetEngine, call: Call, before: Settings) -> Template:
    given = [call.params.get("TemplateBody"), call.params.get("TemplateURL")]
    sources = sum(source is not None for source in given) + bool(call.params.get("UsePreviousTemplate"))
    if sources != 1:
        raise refusals.invalid(refusals.ONE_TEMPLATE)
    return before.template if call.params.get("UsePreviousTemplate") else _read(engine, call)


def _read(engine: StackSetEngine, call: Call) -> Template:
    """Check a template as far as AWS does here: a transform is accepted, and the operation fails later."""
    text = text_of(engine.world, call)
    template = parse(text)
    return template if template.transforms else checked(text)


def _changed_description(engine: StackSetEngine, params: Params, before: str) -> str:
    given = params.get("Description")
    if given is None and engine.world.switches.is_on(Switch.DESCRIPTION_KEPT):
        return before
    return str(given or "")


def _changed_parameters(
    engine: StackSetEngine, params: Params, template: Template, before: Mapping[str, str]
) -> dict[str, str]:
    """Without Parameters all values are kept; else a key that is not listed gets its default again."""
    given: list[dict[str, Any]] | None = params.get("Parameters")
    if given is None and not engine.world.switches.is_on(Switch.PARAMETERS_KEPT):
        given = []
    if given is None:
        given = [
            {"ParameterKey": key, "UsePreviousValue": True} for key in before if key in template.parameters
        ]
    return settle(template.parameters, given, before)


def _roles(
    engine: StackSetEngine, params: Params, model: str, account: str, known_execution_role: str
) -> tuple[str, str]:
    """Administration role (ARN) and execution role (name). A custom administration role must be given each time."""
    administration = params.get("AdministrationRoleARN")
    execution = params.get("ExecutionRoleName")
    if execution is not None:
        check_role_name(str(execution))
    if model == SELF_MANAGED:
        return (
            str(administration or roles.default_administration_role(account)),
            str(execution or known_execution_role or roles.DEFAULT_EXECUTION_ROLE),
        )
    if administration or execution:
        raise refusals.invalid(
            "Roles can only be specified for stack sets with SELF_MANAGED permission model"
        )
    org_id = engine.world.organization.org_id
    return roles.service_administration_role(account), roles.service_execution_role(org_id)


def _auto_deployment(params: Params, model: str) -> AutoDeployment | None:
    given = params.get("AutoDeployment")
    if given is None:
        return None
    if model == SELF_MANAGED:
        raise refusals.invalid("AutoDeployment can only be specified with SERVICE_MANAGED permission model")
    enabled = bool(given.get("Enabled"))
    retains = given.get("RetainStacksOnAccountRemoval")
    if retains is not None and not enabled:
        raise refusals.invalid(
            "RetainStacksOnAccountRemoval can only be specified when AutoDeployment is enabled"
        )
    depends_on = tuple(given.get("DependsOn") or ())
    if len(depends_on) > _MAXIMUM_DEPENDENCIES:
        raise refusals.invalid(f"A stack set can depend on at most {_MAXIMUM_DEPENDENCIES} stack sets")
    return AutoDeployment(enabled, bool(retains), depends_on)


def _managed_execution(params: Params) -> bool | None:
    given = (params.get("ManagedExecution") or {}).get("Active")
    return None if given is None else bool(given)
