"""How CloudTrail spells values. Sigma ignores case and AWS's patterns do not: the compiler writes CloudTrail's."""

from __future__ import annotations

import functools
import importlib.resources

from orgmon.detections.projection import EVENT_NAME, EVENT_SOURCE

SPELLINGS: dict[str, tuple[str, ...]] = {
    "userIdentity.type": (
        "Root",
        "IAMUser",
        "AssumedRole",
        "Role",
        "FederatedUser",
        "Directory",
        "AWSAccount",
        "AWSService",
        "IdentityCenterUser",
        "SAMLUser",
        "WebIdentityUser",
        "Unknown",
    ),
    "additionalEventData.MFAUsed": ("Yes", "No"),
    "responseElements.ConsoleLogin": ("Success", "Failure"),
    "eventType": (
        "AwsApiCall",
        "AwsServiceEvent",
        "AwsConsoleAction",
        "AwsConsoleSignIn",
        "AwsCloudTrailInsight",
    ),
}
"""Values that CloudTrail spells in one way, by field."""


def has_vocabulary(path: str) -> bool:
    """Whether the values of the field are known."""
    return path in SPELLINGS or path in (EVENT_NAME, EVENT_SOURCE)


def spelled(path: str, value: str) -> str | None:
    """The value as CloudTrail writes it, or None where no value of the field, or more than one, is spelled like it."""
    known = _vocabulary(path).get(value.lower(), frozenset())
    if value in known:
        return value
    return next(iter(known)) if len(known) == 1 else None


@functools.cache
def _vocabulary(path: str) -> dict[str, frozenset[str]]:
    """Spellings by the value in lower case."""
    spellings: dict[str, frozenset[str]] = {}
    for value in SPELLINGS.get(path, ()) or _listed(path):
        spellings[value.lower()] = spellings.get(value.lower(), frozenset()) | {value}
    return spellings


def _listed(path: str) -> tuple[str, ...]:
    """The names of API calls, or the hosts of services, from the list in this package."""
    text = (
        importlib.resources.files("orgmon.detections.sigma")
        .joinpath("spellings.txt")
        .read_text(encoding="utf-8")
    )
    hosts, _, names = text.partition("\n\n")
    return tuple((hosts if path == EVENT_SOURCE else names).split())
