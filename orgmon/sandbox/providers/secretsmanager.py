"""Secrets Manager: secrets."""

from __future__ import annotations

import json
from typing import Any

from orgmon.sandbox.providers.properties import chosen, differs, is_true, tag_changes, tag_list
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides

_GENERATION = ("ExcludeCharacters", "PasswordLength", "ExcludeLowercase", "ExcludeNumbers")
_MORE_GENERATION = ("ExcludePunctuation", "ExcludeUppercase", "IncludeSpace", "RequireEachIncludedType")


@provides("AWS::SecretsManager::Secret")
class Secret(Provider):
    """A secret; its physical id is the ARN. Without a value in the template it has no version.

    CloudFormation names secrets without the stack's name: LOGICALID-RANDOM12. It makes a new version only when
    SecretString or GenerateSecretString change, and deletes without a recovery window.
    """

    name_property = "Name"
    supports = frozenset({"Name", "Description", "KmsKeyId", "SecretString", "GenerateSecretString", "Tags"})

    def name(self, place: Place, wanted: Properties) -> str:
        """The given name, or LOGICALID-RANDOM12."""
        return str(wanted.get("Name") or place.invent(with_stack=False))

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateSecret."""
        members = chosen(wanted, "Description", "KmsKeyId", "Tags")
        value = self._value(place, wanted)
        if value is not None:
            members["SecretString"] = value
        made = place.client("secretsmanager").create_secret(Name=self.name(place, wanted), **members)
        return place.claim(str(made["ARN"]))

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """UpdateSecret for description, key and value; tags have calls of their own."""
        client = place.client("secretsmanager")
        members: dict[str, Any] = {}
        if differs(old, wanted, "Description"):
            members["Description"] = wanted.get("Description", "")
        if differs(old, wanted, "KmsKeyId"):
            members["KmsKeyId"] = wanted.get("KmsKeyId", "alias/aws/secretsmanager")
        if differs(old, wanted, "SecretString", "GenerateSecretString"):
            value = self._value(place, wanted)
            members |= {} if value is None else {"SecretString": value}
        if members:
            client.update_secret(SecretId=physical_id, **members)
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        if removed:
            client.untag_resource(SecretId=physical_id, TagKeys=removed)
        if changed:
            client.tag_resource(SecretId=physical_id, Tags=tag_list(changed))

    def _value(self, place: Place, wanted: Properties) -> str | None:
        """The value that the template gives or asks to be generated."""
        if "SecretString" in wanted:
            return str(wanted["SecretString"])
        if "GenerateSecretString" not in wanted:
            return None
        rules = wanted["GenerateSecretString"]
        members = chosen(rules, *_GENERATION, *_MORE_GENERATION)
        typed = {name: _rule(name, value) for name, value in members.items()}
        password = place.client("secretsmanager").get_random_password(**typed)["RandomPassword"]
        if "SecretStringTemplate" not in rules:
            return str(password)
        return json.dumps({**json.loads(rules["SecretStringTemplate"]), rules["GenerateStringKey"]: password})

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteSecret, at once."""
        client = place.client("secretsmanager")
        client.describe_secret(SecretId=physical_id)
        client.delete_secret(SecretId=physical_id, ForceDeleteWithoutRecovery=True)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Name, description, key and tags; the value is write-only."""
        secret = place.client("secretsmanager").describe_secret(SecretId=physical_id)
        if "DeletedDate" in secret:
            return None
        return chosen(secret, "Name", "Description", "KmsKeyId", "Tags")

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """Id, which is the ARN."""
        return {"Id": physical_id}


def _rule(name: str, value: Any) -> Any:
    """A rule of the generation with the type that GetRandomPassword takes."""
    if name == "PasswordLength":
        return int(value)
    return str(value) if name == "ExcludeCharacters" else is_true(value)
