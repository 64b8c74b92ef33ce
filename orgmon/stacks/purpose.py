"""What a caller's policy is for, and whose it is. Without imports: the command line reads it before anything else."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """The command that a caller wants to run."""

    PLAN = "plan"
    DEPLOY = "deploy"
    DESTROY = "destroy"
    STATUS = "status"


class Caller(StrEnum):
    """The account of a caller, as ``organization.sessions`` of accounts.yaml names them."""

    MANAGEMENT = "management"
    DELEGATED_ADMIN = "delegated-admin"
