"""CloudFormation's API for stack policies, and where a policy comes from."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.stack_policy import MAXIMUM_BYTES, parse
from orgmon.sandbox.cloudformation.templates import fetched
from orgmon.sandbox.world import World

Members = dict[str, Any]


class PolicyOperations:
    """Handlers of the gateway: a Call comes in, output members go out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def set_stack_policy(self, call: Call) -> Members:
        """SetStackPolicy: an empty object takes the policy away."""
        stack = self._engine.register.get(call.account, call.region, str(call.params["StackName"]))
        policy = policy_in(self._engine.world, call, "StackPolicy")
        if policy is None:
            raise Refusal("ValidationError", "You must specify either StackPolicyURL or StackPolicyBody")
        stack.policy = policy
        return {}

    def get_stack_policy(self, call: Call) -> Members:
        """GetStackPolicy: no body where there is no policy; during an update the one that holds for it."""
        stack = self._engine.register.get(call.account, call.region, str(call.params["StackName"]))
        during = stack.request.policy_during if stack.is_busy else None
        policy = stack.policy if during is None else during
        return {"StackPolicyBody": policy} if policy else {}


def policy_in(world: World, call: Call, member: str) -> str | None:
    """The policy that a call gives by a body or a URL, None where it gives none. Raises Refusal."""
    body, url = call.params.get(f"{member}Body"), call.params.get(f"{member}URL")
    if body is not None and url is not None:
        raise Refusal("ValidationError", f"You cannot specify both {member}URL and {member}Body")
    if body is None and url is None:
        return None
    text = str(body) if body is not None else fetched(world, call, str(url), MAXIMUM_BYTES)
    parse(text)
    return text
