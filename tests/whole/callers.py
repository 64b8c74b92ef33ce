"""Callers who may do what ``orgmon policy`` prints and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

from orgmon.actions.policy import policy
from orgmon.project import Project
from orgmon.sandbox.assembly import Sandbox
from orgmon.stacks.purpose import Caller, Purpose
from tests.whole.embedded import SECURITY_PROFILE, Rehearsal
from tests.whole.links import HOME, MANAGEMENT, SECURITY

ROLE = "rollout"
ACCOUNTS = {Caller.MANAGEMENT: MANAGEMENT, Caller.DELEGATED_ADMIN: SECURITY}
Statements = list[dict[str, Any]]


class Limited(Rehearsal):
    """A rehearsal whose callers are roles with one policy each."""

    def make_session(self, profile: str | None) -> Any:
        """Sessions of the roles."""
        is_delegate = profile == SECURITY_PROFILE
        return session_of(self.sandbox, Caller.DELEGATED_ADMIN if is_delegate else Caller.MANAGEMENT)

    def allow(self, purpose: Purpose, without: str = "") -> None:
        """Give the roles what they need, but one statement of that Sid, or one action, of the management account's."""
        project = Project(self.path)
        told = policy(project, purpose, Caller.MANAGEMENT)
        allow(self.sandbox, Caller.MANAGEMENT, _without(told.document["Statement"], without))
        if told.other is not None:
            allow(self.sandbox, told.other, policy(project, purpose, told.other).document["Statement"])


def make_roles(sandbox: Sandbox) -> None:
    """The roles, which may do nothing yet."""
    for account in ACCOUNTS.values():
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam = sandbox.world.client("iam", account, HOME)
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)


def session_of(sandbox: Sandbox, caller: Caller = Caller.MANAGEMENT) -> Any:
    """A session of a role."""
    return sandbox.world.session(ACCOUNTS[caller], role_name=ROLE)


def allow(sandbox: Sandbox, caller: Caller, statements: Statements) -> None:
    """Give a role these statements and no others."""
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam = sandbox.world.client("iam", ACCOUNTS[caller], HOME)
    iam.put_role_policy(RoleName=ROLE, PolicyName="rollout", PolicyDocument=document)


def _without(statements: Statements, what: str) -> Statements:
    kept = [
        {**one, "Action": [action for action in one["Action"] if action != what]}
        for one in statements
        if one["Sid"] != what
    ]
    assert not what or kept != statements
    return kept


def refused(text: str) -> set[str]:
    """The actions that a text says somebody may not do; SNS writes its own name in capitals."""
    found = re.findall(r"not authorized to perform: (\w+):(\w+)", text)
    return {f"{service.lower()}:{action}" for service, action in found}
