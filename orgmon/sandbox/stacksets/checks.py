"""What the service checks in a request before it looks at anything: patterns, enums, ranges, lengths.

boto3 checks none of it (only required members, types and minimum lengths).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.stacksets.arithmetic import Preferences
from orgmon.sandbox.stacksets.refusals import invalid, unfit

Params = Mapping[str, Any]

UNIT = re.compile(r"(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})")
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_ROLE_NAME = re.compile(r"[a-zA-Z_0-9+=,.@-]{1,64}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-zA-Z0-9-]{1,128}")
_OPERATION = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}")
_ENUMS = {
    "PermissionModel": ("SERVICE_MANAGED", "SELF_MANAGED"),
    "CallAs": ("SELF", "DELEGATED_ADMIN"),
    "Status": ("ACTIVE", "DELETED"),
}
_PREFERENCE_ENUMS = {
    "RegionConcurrencyType": ("SEQUENTIAL", "PARALLEL"),
    "ConcurrencyMode": ("STRICT_FAILURE_TOLERANCE", "SOFT_FAILURE_TOLERANCE"),
}
_RANGES = {
    "FailureToleranceCount": (0, None),
    "FailureTolerancePercentage": (0, 100),
    "MaxConcurrentCount": (1, None),
    "MaxConcurrentPercentage": (1, 100),
}
MAXIMUM_UNITS = 50
MAXIMUM_TAGS = 50


def check_name(name: str) -> None:
    """Raise Refusal unless a stack set may have this name."""
    if not _NAME.fullmatch(name):
        raise unfit(name, "stackSetName", "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*")


def check_role_name(name: str) -> None:
    """Raise Refusal unless an execution role may be given like this: a name, never a path or ARN."""
    if not _ROLE_NAME.fullmatch(name):
        raise unfit(name, "executionRoleName", "satisfy regular expression pattern: [a-zA-Z_0-9+=,.@-]+")


def check_enums(params: Params, known: Mapping[str, tuple[str, ...]] = _ENUMS) -> None:
    """Raise Refusal for a value that an enum does not have."""
    for member, values in known.items():
        value = params.get(member)
        if value is not None and value not in values:
            raise _not_in(value, member, values)


def enum(params: Params, member: str, values: tuple[str, ...]) -> str:
    """The value of an enum member, empty where it is absent. Raises Refusal for an unknown one."""
    check_enums(params, {member: values})
    return str(params.get(member) or "")


def _not_in(value: object, member: str, values: tuple[str, ...]) -> Refusal:
    return unfit(value, _camel(member), f"satisfy enum value set: [{', '.join(values)}]")


def check_places(
    accounts: tuple[str, ...] = (), regions: tuple[str, ...] = (), units: tuple[str, ...] = ()
) -> None:
    """Raise Refusal for an account, Region or unit that cannot be one, or too many units."""
    for values, pattern, member in (
        (accounts, _ACCOUNT, "accounts"),
        (regions, _REGION, "regions"),
        (units, UNIT, "deploymentTargets.organizationalUnitIds"),
    ):
        if any(not pattern.fullmatch(value) for value in values):
            text = (
                f"satisfy constraint: [Member must satisfy regular expression pattern: ^{pattern.pattern}$]"
            )
            raise unfit([*values], member, text)
    if len(units) > MAXIMUM_UNITS:
        text = f"have length less than or equal to {MAXIMUM_UNITS}"
        raise unfit([*units], "deploymentTargets.organizationalUnitIds", text)


def tags_of(params: Params) -> dict[str, str] | None:
    """The tags of a request, None where it has none. Raises Refusal."""
    if params.get("Tags") is None:
        return None
    tags = {str(tag["Key"]): str(tag["Value"]) for tag in params["Tags"]}
    if len(tags) > MAXIMUM_TAGS:
        raise unfit(len(tags), "tags", f"have length less than or equal to {MAXIMUM_TAGS}")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")
    return tags


def operation_id_of(params: Params) -> str:
    """The OperationId of a request, or a new one."""
    given = params.get("OperationId")
    if given is None:
        return str(uuid.uuid4())
    if not _OPERATION.fullmatch(str(given)):
        raise unfit(given, "operationId", "satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*")
    return str(given)


def page_size(params: Params) -> int:
    """MaxResults, 100 where it is absent. Raises Refusal outside 1..100."""
    size = params.get("MaxResults")
    if size is None:
        return 100
    if not 1 <= int(size) <= 100:
        raise unfit(size, "maxResults", "have value between 1 and 100")
    return int(size)


def preferences_of(params: Params) -> Preferences:
    """The OperationPreferences of a request. Raises Refusal."""
    given = params.get("OperationPreferences") or {}
    check_enums(given, _PREFERENCE_ENUMS)
    for member, (least, most) in _RANGES.items():
        value = given.get(member)
        if value is not None and (value < least or (most is not None and value > most)):
            constraint = (
                f"have value less than or equal to {most}" if value > least else f"be at least {least}"
            )
            raise unfit(value, f"operationPreferences.{_camel(member)}", constraint)
    for kind in ("FailureTolerance", "MaxConcurrent"):
        if given.get(f"{kind}Count") is not None and given.get(f"{kind}Percentage") is not None:
            raise invalid(f"You must specify either {kind}Count or {kind}Percentage, but not both.")
    return Preferences(
        tolerance_count=given.get("FailureToleranceCount"),
        tolerance_percentage=given.get("FailureTolerancePercentage"),
        concurrent_count=given.get("MaxConcurrentCount"),
        concurrent_percentage=given.get("MaxConcurrentPercentage"),
        parallel=given.get("RegionConcurrencyType") == "PARALLEL",
        soft=given.get("ConcurrencyMode") == "SOFT_FAILURE_TOLERANCE",
        region_order=tuple(given.get("RegionOrder") or ()),
    )


def wire_preferences_of(params: Params) -> dict[str, Any]:
    """OperationPreferences as they are shown later: RegionOrder is always there."""
    given = params.get("OperationPreferences") or {}
    return {"RegionOrder": [], **{key: value for key, value in given.items() if value is not None}}


def _camel(member: str) -> str:
    return member[0].lower() + member[1:]
