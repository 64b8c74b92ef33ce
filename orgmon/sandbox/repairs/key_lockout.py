"""KMS: a key policy that would leave its caller unable to change it again is refused.

Source: KMS API reference, CreateKey and PutKeyPolicy (BypassPolicyLockoutSafetyCheck); the text is quoted in public
issues. Conditions are not looked at: a statement that allows under one is taken to hold.
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.policy import Decision, Request, evaluate, statements
from orgmon.sandbox.world import World

_LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."
_CALLS = ("CreateKey", "PutKeyPolicy")


def install(world: World) -> None:
    """Look at key policies before they are put. To be done after it was looked at whom they name."""
    world.before.append(_check)


def _check(call: Call) -> None:
    if call.service != "kms" or call.operation not in _CALLS or "Policy" not in call.params:
        return
    if call.trusted or call.params.get("BypassPolicyLockoutSafetyCheck"):
        return
    key = f"arn:aws:kms:{call.region}:{call.resource_account}:key/new"
    bare = {"Statement": [each for each in map(_bare, statements(call.params["Policy"])) if each]}
    verdict = evaluate(bare, Request("kms:PutKeyPolicy", key, call.principal))
    if verdict.decision is not Decision.ALLOW:
        raise Refusal("MalformedPolicyDocumentException", _LOCKED_OUT)


def _bare(statement: Any) -> dict[str, Any]:
    """A statement without its condition; nothing of one that denies under a condition."""
    if statement.get("Effect") == "Deny" and statement.get("Condition"):
        return {}
    return {name: value for name, value in statement.items() if name != "Condition"}
