"""The Lambda operation that runs a function."""

from __future__ import annotations

import base64
import json
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.signals.functions import Functions
from orgmon.sandbox.signals.losses import NO_PERMISSIONS, Undeliverable
from orgmon.sandbox.world import World

LONGEST_LOG = 4096


class FunctionApi:
    """Answers Invoke."""

    def __init__(self, world: World, functions: Functions) -> None:
        self._world = world
        self._functions = functions

    def install(self) -> None:
        """Take the operation over."""
        self._world.operations.register("lambda", "Invoke", self.invoke)

    def invoke(self, call: Call) -> dict[str, Any]:
        """Run a function; with the type Event nobody waits for it, with DryRun nothing happens."""
        arn = call.resource
        event = _event(call.params.get("Payload"))
        kind = call.params.get("InvocationType", "RequestResponse")
        try:
            function = self._functions.find(arn)
            if kind == "DryRun":
                return {"StatusCode": 204}
            if kind == "Event":
                self._world.clock.after(0, lambda: self._functions.invoke(function.function_arn, event))
                return {"StatusCode": 202}
            outcome = self._functions.invoke(function.function_arn, event)
        except Undeliverable as problem:
            raise _refusal(problem, arn) from problem
        answer: dict[str, Any] = {
            "StatusCode": 200,
            "Payload": outcome.payload.encode(),
            "ExecutedVersion": "$LATEST",
        }
        if outcome.error:
            answer["FunctionError"] = "Unhandled"
        if call.params.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode(outcome.log.encode()[-LONGEST_LOG:]).decode()
        return answer


def _event(payload: Any) -> Any:
    if hasattr(payload, "read"):
        payload = payload.read()
    try:
        return json.loads(payload) if payload else {}
    except ValueError as problem:
        text = "Could not parse request body into json."
        raise Refusal("InvalidRequestContentException", text) from problem


def _refusal(problem: Undeliverable, arn: str) -> Refusal:
    if problem.code == NO_PERMISSIONS:
        return Refusal("AccessDeniedException", problem.message, 403)
    return Refusal("ResourceNotFoundException", f"Function not found: {arn}", 404)
