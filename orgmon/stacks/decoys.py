"""The decoys, and nothing else: no name, tag, description or output of this stack gives orgmon away.

Secrets carry no name, so CloudFormation makes ``<LogicalId>-<random>`` of the phrase. The value is drawn in
the account and known to nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from troposphere import Template, secretsmanager

from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who


def _build(inputs: Inputs) -> Template:
    template = Template(Description="Service configuration")
    template.set_version("2010-09-09")
    for phrase in inputs.decoys:
        template.add_resource(_secret(phrase))
    return template


def _secret(phrase: str) -> secretsmanager.Secret:
    """A secret with the fields that a real database login has."""
    login = {"engine": "postgres", "host": f"{phrase.lower()}.internal", "port": 5432, "username": "app_rw"}
    return secretsmanager.Secret(
        phrase,
        GenerateSecretString=secretsmanager.GenerateSecretString(
            SecretStringTemplate=json.dumps(login, sort_keys=True),
            GenerateStringKey="password",
            PasswordLength=28,
            ExcludePunctuation=True,
        ),
    )


def _values(inputs: Inputs) -> Mapping[str, str]:
    return {}


STACK = StackDefinition(
    "decoys",
    Placement(Who.CHOSEN_MEMBERS, Where.CHOSEN),
    "decoys",
    _build,
    _values,
    is_neutral=True,
    is_wanted=lambda inputs: bool(inputs.decoys),
)
