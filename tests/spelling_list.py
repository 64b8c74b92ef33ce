"""Writes ``orgmon/detections/sigma/spellings.txt`` from botocore's models: ``python -m tests.spelling_list``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session

TARGET = Path(__file__).parents[1] / "orgmon" / "detections" / "sigma" / "spellings.txt"
HOSTS = [
    "signin",
    "sso",
    "sso-directory",
    "identitystore",
    "sso-oauth",
    "controltower",
    "monitoring",
    "tagging",
]
NAMES = [
    "AccountDepartedOrganization", "AccountJoinedOrganization", "AcceptedHandshake", "Authenticate", "CheckMfa",
    "ConsoleLogin", "CreateAccountResult", "CredentialChallenge", "CredentialVerification", "EndSecretVersionDelete",
    "ExitRole", "Federate", "GetSigninToken", "InvokeExecution", "Logout", "PasswordRecoveryCompleted",
    "PasswordRecoveryRequested", "PasswordUpdated", "RenewRole", "SecretExpired", "StartSecretVersionDelete",
    "SwitchRole", "UserAuthentication", "AssociateDirectory", "DisassociateDirectory", "AssociateProfile",
    "DisassociateProfile", "StartSSO", "CreateAlias", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock",
    "PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock",
]  # fmt: skip
"""What the console and services record without an API call of that name."""


def text() -> str:
    """Hosts of services, an empty line, names of API calls; sorted, one a line."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    hosts, names = set(HOSTS), set(NAMES)
    for service in loader.list_available_services("service-2"):
        model = loader.load_service_model(service, "service-2")
        hosts.add(model["metadata"].get("signingName") or model["metadata"]["endpointPrefix"])
        hosts.add(model["metadata"]["endpointPrefix"])
        names.update(model["operations"])
        if service == "lambda":
            names.update(_dated(model["operations"]))
    return "\n".join(
        [*sorted(f"{host.split('.')[-1]}.amazonaws.com" for host in hosts), "", *sorted(names), ""]
    )


def _dated(operations: dict[str, Any]) -> Iterator[str]:
    """Lambda's calls, which CloudTrail names with the date of their API, some with a v2 behind it."""
    for name, operation in operations.items():
        date = operation["http"]["requestUri"].split("/")[1].replace("-", "")
        yield from (f"{name}{date}", f"{name}{date}v2")


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
