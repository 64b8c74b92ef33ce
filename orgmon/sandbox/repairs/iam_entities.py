"""IAM: what has to go before something can, and how AWS words that a role is not there.

Sources: IAM API reference, DeletePolicy, DeleteUser, DeleteGroup (what must be removed first), UpdateRole; IAM user
guide, "Remove an IAM user"; texts as recorded in LocalStack's public tests (tests/aws/services/iam) and as quoted in
public issues.
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

_IN_USE = "Cannot delete a policy attached to entities."
_VERSIONS = (
    "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
    "The default version is deleted with the policy."
)


def install(world: World) -> None:
    """Look at what is deleted and at the roles that are named; update roles."""
    entities = _Entities(world)
    world.before.append(entities.check)
    world.operations.register("iam", "UpdateRole", entities.update_role)


class _Entities:
    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, call: Call) -> None:
        """Before a call: is the role there, is a name still free, is nothing left of what is to go?"""
        if call.service != "iam":
            return
        iam = self._world.stores.iam(call.account)
        if "RoleName" in call.params and call.operation != "CreateRole":
            role = self._role(call)
            if call.operation == "GetRolePolicy" and call.params["PolicyName"] not in role.policies:
                raise _missing("role policy", str(call.params["PolicyName"]))
        elif call.operation == "CreateUser" and call.params["UserName"] in iam.users:
            text = f"User with name {call.params['UserName']} already exists."
            raise Refusal("EntityAlreadyExists", text, 409)
        elif call.operation == "DeletePolicy":
            _check_policy(iam.managed_policies.get(call.params["PolicyArn"]))
        elif call.operation == "DeleteUser":
            _check_user(iam, str(call.params["UserName"]))
        elif call.operation == "DeleteGroup" and _members(iam, str(call.params["GroupName"])):
            raise _conflict("must remove users from group first")

    def update_role(self, call: Call) -> dict[str, Any]:
        """What is given is changed; the rest stays as it is."""
        role = self._role(call)
        role.description = call.params.get("Description", role.description)
        role.max_session_duration = call.params.get("MaxSessionDuration", role.max_session_duration)
        return {}

    def _role(self, call: Call) -> Any:
        name = str(call.params["RoleName"])
        role = self._world.stores.role_named(call.account, name)
        if role is None:
            raise _missing("role", name)
        return role


def _check_policy(policy: Any | None) -> None:
    if policy is None:
        return
    if policy.attachment_count:
        raise Refusal("DeleteConflict", _IN_USE, 409)
    if len(policy.versions) > 1:
        raise Refusal("DeleteConflict", _VERSIONS, 409)


def _check_user(iam: Any, name: str) -> None:
    user = iam.users.get(name)
    if user is None:
        return
    left = (
        (user.access_keys, "must delete access keys first"),
        (user.password, "must delete login profile first"),
        (user.mfa_devices, "must delete MFA device first"),
        (
            [group for group in iam.groups.values() if user in group.users],
            "must remove users from group first",
        ),
    )
    for things, text in left:
        if things:
            raise _conflict(text)


def _members(iam: Any, name: str) -> list[Any]:
    return list(iam.groups[name].users) if name in iam.groups else []


def _missing(kind: str, name: str) -> Refusal:
    return Refusal("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)


def _conflict(text: str) -> Refusal:
    return Refusal("DeleteConflict", f"Cannot delete entity, {text}.", 409)
