"""The policy that a caller needs for a command, from accounts.yaml alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orgmon.config.model import Config
from orgmon.desired.inputs import inputs
from orgmon.errors import UsageError
from orgmon.project import Project
from orgmon.stacks.caller import Asked
from orgmon.stacks.caller import policy as policy_of
from orgmon.stacks.purpose import Caller, Purpose
from orgmon.stackset import PermissionModel


@dataclass(frozen=True)
class CallerPolicy:
    """An IAM identity policy and whose it is.

    ``account`` is empty where accounts.yaml does not name it, ``profile`` where boto3's own chain decides. ``other``
    is the second caller that the command has, if it has one.
    """

    purpose: Purpose
    caller: Caller
    account: str
    profile: str
    document: dict[str, Any]
    other: Caller | None = None


def policy(project: Project, purpose: Purpose, caller: Caller) -> CallerPolicy:
    """What a caller has to be allowed. Raises ConfigError, and UsageError where there is no such caller."""
    config = project.config
    sessions = config.organization.sessions
    delegate = sessions.delegated_admin
    if caller is Caller.DELEGATED_ADMIN and delegate is None:
        raise UsageError(
            "accounts.yaml names no delegated administrator",
            "leave --caller out, or name a profile under organization.sessions.delegated_admin",
        )
    is_management = caller is Caller.MANAGEMENT
    session = sessions.management if is_management or delegate is None else delegate
    other = Caller.DELEGATED_ADMIN if is_management else Caller.MANAGEMENT
    return CallerPolicy(
        purpose,
        caller,
        config.organization.management_account if is_management else "",
        session.profile or "",
        policy_of(_asked(config, purpose, caller)),
        other if delegate else None,
    )


def _asked(config: Config, purpose: Purpose, caller: Caller) -> Asked:
    organization = config.organization
    return Asked(
        purpose,
        caller,
        inputs(config, ()),
        organization.access_role,
        delegates=organization.sessions.delegated_admin is not None,
        self_managed=organization.permission_model is PermissionModel.SELF_MANAGED,
        by_tags=config.selects_by_tags,
    )
