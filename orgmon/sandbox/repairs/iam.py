"""IAM: the unique ids of users, groups and the like.

Source: IAM user guide, "IAM identifiers" (AIDA for a user, AGPA for a group, AIPA for an instance profile, ANPA for
a managed policy; 21 capital letters and digits).
"""

from __future__ import annotations

import base64
import secrets
from functools import cache
from typing import Any

import moto.iam.models

_PREFIXES = {"User": "AIDA", "Group": "AGPA", "InstanceProfile": "AIPA"}


@cache
def install() -> None:
    """Let what moto makes have ids as AWS gives them.

    It replaces constructors and a function in moto's module: the answer to the call that makes a user has his id.
    """
    for name, prefix in _PREFIXES.items():
        _give_ids(getattr(moto.iam.models, name), prefix)
    moto.iam.models.random_policy_id = lambda: new_id("ANPA")


def new_id(prefix: str) -> str:
    """A unique id of IAM: four letters for the kind, 17 for the one."""
    return prefix + base64.b32encode(secrets.token_bytes(11)).decode()[:17]


def _give_ids(kind: Any, prefix: str) -> None:
    make = kind.__init__

    def with_id(self: Any, *args: Any, **members: Any) -> None:
        make(self, *args, **members)
        self.id = new_id(prefix)

    kind.__init__ = with_id
