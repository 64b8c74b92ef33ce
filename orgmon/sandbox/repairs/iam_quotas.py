"""IAM: how long policies may be, and how many of them a role, user or group may have.

Source: IAM user guide, "IAM and AWS STS quotas" (white space is not counted; inline policies are counted together; the
defaults, which can be raised for trust policies and attached policies); texts as quoted in public issues.
"""

from __future__ import annotations

import re
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

LONGEST_TRUST = 2_048
LONGEST_MANAGED = 6_144
MOST_ATTACHED = 10
LONGEST_INLINE = {"Role": 10_240, "User": 2_048, "Group": 5_120}
_PUT = re.compile(r"Put(Role|User|Group)Policy")
_ATTACH = re.compile(r"Attach(Role|User|Group)Policy")
_TRUSTS = {"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}
_MANAGED = ("CreatePolicy", "CreatePolicyVersion")


def install(world: World) -> None:
    """Look at policies before they are put or attached."""

    def check(call: Call) -> None:
        if call.service != "iam":
            return
        if call.operation in _TRUSTS and _size(call.params[_TRUSTS[call.operation]]) > LONGEST_TRUST:
            raise _exceeded("ACLSizePerRole", LONGEST_TRUST)
        if call.operation in _MANAGED and _size(call.params["PolicyDocument"]) > LONGEST_MANAGED:
            raise _exceeded("PolicySize", LONGEST_MANAGED)
        if found := _PUT.fullmatch(call.operation):
            _check_inline(call, found[1], _holder(world, call, found[1]))
        if found := _ATTACH.fullmatch(call.operation):
            holder = _holder(world, call, found[1])
            others = set(holder.managed_policies if holder else ()) - {call.params["PolicyArn"]}
            if len(others) >= MOST_ATTACHED:
                raise _exceeded(f"PoliciesPer{found[1]}", MOST_ATTACHED)

    world.before.append(check)


def _holder(world: World, call: Call, kind: str) -> Any | None:
    """moto's role, user or group that a call names, if it is there."""
    name = str(call.params[f"{kind}Name"])
    if kind == "Role":
        return world.stores.role_named(call.account, name)
    iam = world.stores.iam(call.account)
    return (iam.users if kind == "User" else iam.groups).get(name)


def _check_inline(call: Call, kind: str, holder: Any | None) -> None:
    inline = {str(name): text for name, text in (holder.policies.items() if holder else ())}
    inline[str(call.params["PolicyName"])] = call.params["PolicyDocument"]
    most = LONGEST_INLINE[kind]
    if sum(_size(text) for text in inline.values()) > most:
        name = call.params[f"{kind}Name"]
        text = f"Maximum policy size of {most} bytes exceeded for {kind.lower()} {name}"
        raise Refusal("LimitExceeded", text, 409)


def _size(document: Any) -> int:
    return len(re.sub(r"\s", "", str(document)))


def _exceeded(quota: str, most: int) -> Refusal:
    return Refusal("LimitExceeded", f"Cannot exceed quota for {quota}: {most}", 409)
