"""The calls on stack sets themselves: create, update, delete, describe, list."""

from __future__ import annotations

import uuid
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.cloudformation.capabilities import require
from orgmon.sandbox.cloudformation.parameters import settle
from orgmon.sandbox.cloudformation.scope import partition_of
from orgmon.sandbox.stacksets import refusals, roles, shapes, targeting
from orgmon.sandbox.stacksets.callers import Caller, caller_of, check_service_managed, found, operable
from orgmon.sandbox.stacksets.checks import (
    check_name,
    operation_id_of,
    preferences_of,
    tags_of,
    wire_preferences_of,
)
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.lists import Lists
from orgmon.sandbox.stacksets.records import (
    SELF_MANAGED,
    SERVICE_MANAGED,
    AutoDeployment,
    Instance,
    Operation,
    StackSetRecord,
)
from orgmon.sandbox.stacksets.settings import auto_deployment_of, settings_of, template_of_set
from orgmon.sandbox.stacksets.tasks import Update

Members = dict[str, Any]


class SetOperations:
    """Handlers of the gateway for stack sets."""

    def __init__(self, engine: StackSetEngine, lists: Lists) -> None:
        self._engine = engine
        self._lists = lists

    def create(self, call: Call) -> Members:
        """CreateStackSet: synchronous, deploys nothing."""
        params = call.params
        caller = caller_of(self._engine, call)
        name = str(params["StackSetName"])
        check_name(name)
        model = str(params.get("PermissionModel") or SELF_MANAGED)
        if model == SERVICE_MANAGED:
            check_service_managed(self._engine, caller)
        elif caller.is_delegated:
            raise refusals.invalid("CallAs DELEGATED_ADMIN can only be used with SERVICE_MANAGED stack sets")
        auto = auto_deployment_of(params, model) or AutoDeployment()
        tags = tags_of(params) or {}
        template = template_of_set(self._engine, call)
        capabilities = tuple(params.get("Capabilities") or ())
        require(template, capabilities)
        values = settle(template.parameters, params.get("Parameters") or [], None)
        asked = {key: value for key, value in params.items() if key != "ClientRequestToken"}
        with self._engine.lock:
            known = self._known(caller, name, params, asked)
            if known is not None:
                return {"StackSetId": known.id}
            stack_set = self._record(caller, name, model)
            stack_set.template, stack_set.parameters = template, values
            stack_set.capabilities, stack_set.tags = capabilities, tags
            stack_set.description = str(params.get("Description") or "")
            stack_set.auto_deployment = auto
            stack_set.managed_execution = bool((params.get("ManagedExecution") or {}).get("Active"))
            stack_set.token, stack_set.asked = str(params.get("ClientRequestToken") or ""), asked
            self._take_roles(stack_set, params)
            self._engine.add(stack_set)
        return {"StackSetId": stack_set.id}

    def _known(self, caller: Caller, name: str, params: Members, asked: Members) -> StackSetRecord | None:
        """The set that an earlier try of the same request has made. Raises Refusal when the name is taken."""
        other = self._engine.find(caller.home, name)
        if other is None or other.status != "ACTIVE":
            return None
        if not other.token or other.token != params.get("ClientRequestToken"):
            raise refusals.name_taken()
        if other.modified or other.asked != asked:
            raise refusals.created_but_modified(name)
        return other
