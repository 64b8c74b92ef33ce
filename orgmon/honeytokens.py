"""Decoys: what each kind is in AWS, what its name begins with, and by which placeholder rules know it.

A new kind is a value here, and its name in ``KindName``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

KindName = Literal["secret"]
"""The kinds as accounts.yaml calls them."""


@dataclass(frozen=True)
class Resource:
    """A resource of CloudFormation, without its logical id."""

    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of decoy. Its resource gets the phrase as logical id and carries no name, so that AWS makes one.

    ``resource`` makes it of a phrase; ``prefix`` says what the name that AWS makes of a phrase begins with;
    ``placeholder`` stands in rules for these beginnings.
    """

    placeholder: str
    prefix: Callable[[str], str]
    resource: Callable[[str], Resource]


@dataclass(frozen=True)
class Decoy:
    """One decoy. ``phrase`` is a believable name of letters and digits."""

    kind: Kind
    phrase: str

    @property
    def prefix(self) -> str:
        """What its name begins with in every account."""
        return self.kind.prefix(self.phrase)

    @property
    def resource(self) -> Resource:
        """What is placed in an account."""
        return self.kind.resource(self.phrase)


def _secret(phrase: str) -> Resource:
    """A secret with the fields of a real database login. The password is drawn in the account, known to nobody."""
    login = {"engine": "postgres", "host": f"{phrase.lower()}.internal", "port": 5432, "username": "app_rw"}
    generated = {
        "SecretStringTemplate": json.dumps(login, sort_keys=True),
        "GenerateStringKey": "password",
        "PasswordLength": 28,
        "ExcludePunctuation": True,
    }
    return Resource("AWS::SecretsManager::Secret", {"GenerateSecretString": generated})


KINDS: Mapping[KindName, Kind] = {
    "secret": Kind("decoys", lambda phrase: f"{phrase}-", _secret),
}
