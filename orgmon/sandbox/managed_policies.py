"""AWS's own managed policies, put into moto's IAM when they are first asked for.

moto can load all of them into every account, which would cost seconds and memory.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy

from orgmon.sandbox.calls import Call
from orgmon.sandbox.stores import Stores

_PREFIX = "arn:aws:iam::aws:policy/"


@cache
def _all() -> dict[str, dict[str, Any]]:
    """Every policy by the end of its ARN (path and name)."""
    data: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return {f"{policy['Path'].lstrip('/')}{name}": {**policy, "Name": name} for name, policy in data.items()}


def ensure(stores: Stores, account: str, arn: str) -> None:
    """Make an AWS managed policy known to an account's IAM. Does nothing for an ARN that AWS does not have."""
    policies = stores.iam(account).managed_policies
    if not arn.startswith(_PREFIX) or arn in policies:
        return
    data = _all().get(arn.removeprefix(_PREFIX))
    if data is not None:
        policies[arn] = AWSManagedPolicy.from_data(data["Name"], account, "us-east-1", data)


class ManagedPolicies:
    """Runs before IAM calls: the policies that a call names are there when moto looks for them."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def __call__(self, call: Call) -> None:
        """Put in the AWS managed policies that the call names."""
        for name in ("PolicyArn", "PermissionsBoundary"):
            arn = call.params.get(name)
            if call.service == "iam" and isinstance(arn, str):
                ensure(self._stores, call.account, arn)
