"""How other programs reach a sandbox: its address, and the environment that leads there and nowhere else."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.errors import OrgmonError

# What would send calls elsewhere than to the sandbox, as far as the names are fixed: there is also an endpoint a
# service. https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
CLEARED = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)
ENDPOINT = "AWS_ENDPOINT_URL_"
# Profiles of the real AWS must not be read by accident.
NO_FILES = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Address:
    """A running sandbox: its URL, and the key of the management account's administrator.

    ``token`` tells it from any other that has had the same URL; empty where that does not matter.
    """

    url: str
    region: str
    access_key: str
    secret_key: str
    token: str = ""

    def environment(self) -> dict[str, str]:
        """The variables that any AWS client needs to use the sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **NO_FILES,
        }

    def whole_environment(self, current: Mapping[str, str]) -> dict[str, str]:
        """An environment for a command: the current one without what would lead elsewhere."""
        kept = {key: value for key, value in current.items() if not _leads_elsewhere(key)}
        return {**kept, **self.environment()}

    def exports(self, current: Mapping[str, str]) -> str:
        """The environment as lines for a shell whose variables are ``current``."""
        others = sorted(key for key in current if key.startswith(ENDPOINT))
        lines = (f"export {key}={shlex.quote(value)}" for key, value in self.environment().items())
        return "\n".join((f"unset {' '.join((*CLEARED, *others))}", *lines))

    def control(self, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask one of the sandbox's own endpoints, such as ``mailbox`` or ``trouble``.

        Raises OrgmonError with the sandbox's own message where it refuses.
        """
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(  # noqa: S310 - always the loopback address of the sandbox
            f"{self.url}/_sandbox/{name}",
            data=data,
            headers={"Content-Type": "application/json"},
            method="POST" if data is not None else "GET",
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
                told: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise OrgmonError(f"the sandbox refused: {_reason(error)}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise OrgmonError(
                f"the sandbox at {self.url} does not answer", "start one: orgmon sandbox serve"
            ) from error
        return told


def _reason(error: urllib.error.HTTPError) -> str:
    """What the sandbox says; what is not a sandbox says it in its own way."""
    try:
        return str(json.load(error)["error"])
    except (ValueError, LookupError, TypeError):
        return str(error)


def _leads_elsewhere(variable: str) -> bool:
    return variable in CLEARED or variable.startswith(ENDPOINT)


def isolate() -> None:
    """Cut this process off from every real AWS. The embedded AWS has clients of its own, which ask the environment
    as any client does: a profile that is not there would break them.
    """
    for key in [key for key in os.environ if _leads_elsewhere(key) or key == "AWS_ENDPOINT_URL"]:
        del os.environ[key]
    os.environ.update(NO_FILES)
