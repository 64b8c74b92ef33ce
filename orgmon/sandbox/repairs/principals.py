"""Principals in trust and key policies: they have to exist, and a policy means the one that was there when it was put.

A deleted role or user stands in such policies by its unique id from then on, and who is made again under the same
name is somebody else. Sources: IAM user guide, "AWS JSON policy elements: Principal" (IAM role principals, IAM user
principals); KMS API reference, CreateKey.Policy (principals must exist and be visible to KMS); AWS knowledge center,
kms-policy-error-invalid-principals (unique ids of who is gone are refused); texts of IAM's refusals as reported in
hashicorp/terraform-provider-aws (issue 8905). Whoever is of an account that the embedded AWS does not have is taken
on trust.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.conditions import as_list
from orgmon.sandbox.policy import statements
from orgmon.sandbox.world import World

_ROOT = re.compile(r"\*|\d{12}|arn:[^:]+:iam::\d{12}:root")
_PERSON = re.compile(r"arn:[^:]+:(?:iam|sts)::(\d{12}):(user|role|assumed-role|federated-user)/(.+)")
_UNIQUE_ID = re.compile(r"A(?:ROA|IDA)[A-Z0-9]+")
_TRUSTS = {"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}


def install(world: World) -> None:
    """Look at trust and key policies before they are put, and at roles and users that come and go."""
    principals = _Principals(world)
    world.before.append(principals.check)
    world.after.append(principals.changed)


class _Principals:
    def __init__(self, world: World) -> None:
        self._world = world
        # Who is being deleted: ARN and unique id, by the request.
        self._leaving: dict[str, tuple[str, str]] = {}

    def check(self, call: Call) -> None:
        """Before a call: does everybody exist whom its policy names?"""
        if call.service == "kms" and "Policy" in call.params:
            self._check_key_policy(call)
        if call.service != "iam":
            return
        for name in _named(call.params.get(_TRUSTS.get(call.operation, ""), "{}")):
            if not self._exists(name):
                raise Refusal("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{name}"')
        if call.operation in ("DeleteRole", "DeleteUser") and not call.internal:
            entity = self._entity_of(call)
            if entity is not None:
                self._leaving[call.request_id] = (str(entity.arn), str(entity.id))

    def _check_key_policy(self, call: Call) -> None:
        if not all(self._is_visible(name) for name in _named(call.params["Policy"])):
            text = "Policy contains a statement with one or more invalid principals."
            raise Refusal("MalformedPolicyDocumentException", text)

    def changed(self, call: Call) -> None:
        """After a call: somebody has come, or is gone and stands in policies by his id."""
        if call.service != "iam":
            return
        gone = self._leaving.pop(call.request_id, None)
        if call.error is not None:
            return
        if gone is not None:
            self._orphan(*gone)
        elif call.operation in ("CreateRole", "CreateUser"):
            entity = self._entity_of(call)
            if entity is not None:
                self._world.propagation.note(str(entity.id))

    def _entity_of(self, call: Call) -> Any | None:
        """moto's role or user that a call is about."""
        if "RoleName" in call.params:
            return self._world.stores.role_named(call.account, str(call.params["RoleName"]))
        return self._world.stores.iam(call.account).users.get(call.params.get("UserName"))

    def _exists(self, name: str) -> bool:
        return bool(_ROOT.fullmatch(name)) or self._found(name) is not None

    def _is_visible(self, name: str) -> bool:
        if _ROOT.fullmatch(name):
            return True
        found = self._found(name)
        return found is not None and not self._world.propagation.is_under_way(found)

    def _found(self, name: str) -> str | None:
        """The unique id of a principal, an empty text where nobody can tell it, None if there is no such one."""
        if _UNIQUE_ID.fullmatch(name):
            return name if self._has_id(name) else None
        match = _PERSON.fullmatch(name)
        if match is None:
            return None
        account, kind, local = match.groups()
        if kind == "federated-user" or not self._world.organization.exists(account):
            return ""
        if kind == "assumed-role":
            entity = self._world.stores.role_named(account, local.partition("/")[0])
        elif kind == "role":
            entity = self._world.stores.role(name)
        else:
            entity = self._world.stores.iam(account).users.get(local.rsplit("/", 1)[-1])
            entity = entity if entity is not None and entity.arn == name else None
        return None if entity is None else str(entity.id)

    def _has_id(self, unique_id: str) -> bool:
        return any(
            unique_id in store.roles or any(user.id == unique_id for user in list(store.users.values()))
            for _, _, store in self._world.stores.everywhere("iam")
        )

    def _orphan(self, arn: str, unique_id: str) -> None:
        """Put the id of who is gone in the place of his ARN, in all trust and key policies."""

        def renamed(name: str) -> str:
            return unique_id if name == arn else name

        for _, _, store in self._world.stores.everywhere("iam"):
            for role in list(store.roles.values()):
                if arn in role.assume_role_policy_document:
                    role.assume_role_policy_document = _rewritten(role.assume_role_policy_document, renamed)
        for _, _, store in self._world.stores.everywhere("kms"):
            for key in list(store.keys.values()):
                if arn in key.policy:
                    key.policy = _rewritten(key.policy, renamed)


def _named(policy: Any) -> Iterator[str]:
    """Everybody whom a policy names as an AWS principal, or spares as one."""
    for statement in statements(str(policy)):
        for element in ("Principal", "NotPrincipal"):
            who = statement.get(element) if isinstance(statement, dict) else None
            if isinstance(who, dict):
                yield from (str(name) for name in as_list(who.get("AWS", [])))


def _rewritten(policy: str, renamed: Callable[[str], str]) -> str:
    """The policy with other names for its AWS principals."""
    document = json.loads(policy)
    for statement in as_list(document["Statement"]):
        for element in ("Principal", "NotPrincipal"):
            who = statement.get(element)
            if isinstance(who, dict) and "AWS" in who:
                names = [renamed(str(name)) for name in as_list(who["AWS"])]
                who["AWS"] = names if isinstance(who["AWS"], list) else names[0]
    return json.dumps(document)
