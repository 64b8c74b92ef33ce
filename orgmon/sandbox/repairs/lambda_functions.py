"""Lambda: settings and permissions of functions, and layers, that moto takes for granted.

Sources: Lambda API reference, CreateFunction, UpdateFunctionConfiguration (an environment may have no variables),
AddPermission,
PublishLayerVersion (a zip file, or a bucket and a key), UpdateFunctionUrlConfig; the texts of refusals are quoted in
public issues. The sandbox runs no container images.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from orgmon.sandbox import wording
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

_NO_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
LONGEST_TIMEOUT = 900
_NO_RUNTIME = "Runtime and Handler are mandatory parameters for functions created with deployment packages."


def install(world: World) -> None:
    """Look at layers and addresses; update configurations."""

    def check(call: Call) -> None:
        if call.service != "lambda":
            return
        if call.operation == "PublishLayerVersion":
            _check_code(call.params.get("Content") or {})
        if call.operation == "UpdateFunctionCode":
            _check_code(call.params)
        if call.operation == "CreateFunction":
            _check_new(call)
        _check_timeout(call.params)
        if call.operation == "AddPermission":
            _check_statement(_function(world, call), str(call.params["StatementId"]))
        if call.operation == "UpdateFunctionUrlConfig":
            function = _function(world, call)
            if function.url_config is None:
                text = "The resource you requested does not exist."
                raise Refusal("ResourceNotFoundException", text, 404, {"Type": "User"})

    def update(call: Call) -> dict[str, Any]:
        settings = dict(call.params)
        if "Environment" in settings:
            settings["Environment"] = {"Variables": {}, **settings["Environment"]}
        told: dict[str, Any] = _function(world, call).update_configuration(settings)
        return told

    world.before.append(check)
    world.operations.register("lambda", "UpdateFunctionConfiguration", update)


def _check_new(call: Call) -> None:
    if call.params.get("PackageType") == "Image":
        raise wording.not_there(call.service, call.operation)
    _check_code(call.params.get("Code") or {})
    if not {"Runtime", "Handler"} <= set(call.params):
        raise _invalid(_NO_RUNTIME)


def _check_timeout(params: dict[str, Any]) -> None:
    seconds = params.get("Timeout", LONGEST_TIMEOUT)
    if seconds > LONGEST_TIMEOUT:
        text = f"Member must have value less than or equal to {LONGEST_TIMEOUT}"
        value = f"Value '{seconds}' at 'timeout' failed to satisfy constraint"
        raise Refusal("ValidationException", f"1 validation error detected: {value}: {text}")


def _check_statement(function: Any, statement_id: str) -> None:
    if any(each.get("Sid") == statement_id for each in function.policy.statements):
        text = (
            f"The statement id ({statement_id}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement."
        )
        raise Refusal("ResourceConflictException", text, 409, {"Type": "User"})


def _check_code(code: dict[str, Any]) -> None:
    if "ZipFile" in code:
        if not zipfile.is_zipfile(io.BytesIO(code["ZipFile"])):
            raise _invalid(_NO_ZIP)
    elif not {"S3Bucket", "S3Key"} <= set(code):
        raise _invalid("Please provide a source for function code.")


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidParameterValueException", text, details={"Type": "User"})


def _function(world: World, call: Call) -> Any:
    function = world.stores.function(call.resource)
    if function is None:
        text = f"Function not found: {call.resource}"
        raise Refusal("ResourceNotFoundException", text, 404, {"Type": "User"})
    return function
