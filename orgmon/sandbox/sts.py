"""STS: temporary credentials and the question who one is.

Whether the caller may assume a role is decided by the Authorizer before a handler runs: the role's trust policy is
the resource policy of ``sts:AssumeRole``. Source: STS API reference, IAM user guide "Roles terms and concepts".
"""

from __future__ import annotations

import json
import re
from typing import Any

from orgmon.sandbox.calls import NOT_HERE, Call, Operations, Principal, Refusal
from orgmon.sandbox.identity import Credentials, Identity
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.policy import Document
from orgmon.sandbox.stores import Stores

HOUR = 3600
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")


class Sts:
    """Answers ``sts`` calls."""

    def __init__(self, stores: Stores, identity: Identity, organization: OrgView) -> None:
        self._stores = stores
        self._organization = organization
        self._identity = identity

    def register(self, operations: Operations) -> None:
        """Take over every operation of the service."""
        operations.register("sts", "AssumeRole", self.assume_role)
        operations.register("sts", "GetCallerIdentity", self.get_caller_identity)
        operations.register("sts", "GetSessionToken", self.get_session_token)
        operations.register("sts", "*", self._unknown)

    def assume_role(self, call: Call) -> dict[str, Any]:
        """Credentials of a role. Asks for an existing role, a good session name and a duration in its limits."""
        role = self._stores.role(call.params["RoleArn"])
        if role is None or self._organization.is_suspended(role.account_id):
            raise Refusal(
                "AccessDenied",
                f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: "
                f"{call.params['RoleArn']}",
                403,
            )
        if call.principal.kind == "root" and not call.trusted:
            raise Refusal("AccessDenied", "Roles may not be assumed by root accounts.", 403)
        name = _session_name(call.params["RoleSessionName"])
        seconds = _duration(call, int(role.max_session_duration or HOUR))
        principal = session_of(role, name)
        credentials = self._identity.issue(
            principal,
            seconds,
            self._session_policies(call),
            with_mfa=self._showed_code(call),
            tags=tuple((tag["Key"], tag["Value"]) for tag in call.params.get("Tags", [])),
        )
        user = {"AssumedRoleId": principal.principal_id, "Arn": principal.arn}
        return {"Credentials": _wire(credentials), "AssumedRoleUser": user}

    def get_caller_identity(self, call: Call) -> dict[str, Any]:
        """Who signed."""
        who = call.principal
        return {"UserId": who.principal_id or who.account, "Account": who.account, "Arn": who.arn}

    def get_session_token(self, call: Call) -> dict[str, Any]:
        """Temporary credentials of the same user."""
        if call.principal.kind not in ("user", "root"):
            raise Refusal("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
        seconds = int(call.params.get("DurationSeconds") or 12 * HOUR)
        return {
            "Credentials": _wire(
                self._identity.issue(call.principal, seconds, with_mfa=self._showed_code(call))
            )
        }

    def _showed_code(self, call: Call) -> bool:
        """Whether a user showed the code of his device. Any six digits will do, on a device that is his."""
        serial, code = call.params.get("SerialNumber"), call.params.get("TokenCode")
        if not serial and not code:
            return False
        user = self._stores.iam(call.account).users.get(call.principal.name)
        has_device = user is not None and serial in user.mfa_devices
        if not has_device or not re.fullmatch(r"\d{6}", str(code)):
            text = "MultiFactorAuthentication failed with invalid MFA one time pass code."
            raise Refusal("AccessDenied", text, 403)
        return True

    def _session_policies(self, call: Call) -> tuple[Document, ...]:
        inline = call.params.get("Policy")
        documents: list[Document] = [_checked(inline)] if inline else []
        account = call.params["RoleArn"].split(":")[4]
        for entry in call.params.get("PolicyArns", []):
            policy = self._stores.iam(account).managed_policies.get(entry["arn"])
            if policy is None:
                raise Refusal("MalformedPolicyDocument", f"Policy {entry['arn']} does not exist.")
            documents.append(next(version.document for version in policy.versions if version.is_default))
        return tuple(documents)

    def _unknown(self, call: Call) -> dict[str, Any]:
        raise Refusal("NotImplemented", f"The sandbox does not have sts:{call.operation}.", NOT_HERE)


def session_of(role: Any, session_name: str) -> Principal:
    """A session of one of moto's IAM roles."""
    return Principal(
        kind="role",
        account=role.account_id,
        arn=f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{session_name}",
        name=role.name,
        role_arn=role.arn,
        principal_id=f"{role.id}:{session_name}",
        session_name=session_name,
    )


def _session_name(name: str) -> str:
    if not _SESSION_NAME.fullmatch(name):
        raise Refusal(
            "ValidationError",
            f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        )
    return name


def _duration(call: Call, longest: int) -> int:
    seconds = int(call.params.get("DurationSeconds") or HOUR)
    if call.principal.kind == "role" and seconds > HOUR:
        raise Refusal(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
    if not 900 <= seconds <= longest:
        raise Refusal(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            if seconds > longest
            else f"Value '{seconds}' at 'durationSeconds' must be greater than or equal to 900",
        )
    return seconds


def _checked(document: str) -> str:
    try:
        json.loads(document)
    except ValueError as error:
        raise Refusal("MalformedPolicyDocument", "The session policy is not valid JSON.") from error
    return document


def _wire(credentials: Credentials) -> dict[str, Any]:
    return {
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret_key,
        "SessionToken": credentials.token,
        "Expiration": credentials.expires,
    }
