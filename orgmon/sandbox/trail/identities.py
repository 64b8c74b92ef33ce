"""``userIdentity``: who did it, as CloudTrail tells it.

Source: CloudTrail user guide, "CloudTrail userIdentity element".
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import Call, Principal


class Sessions:
    """When temporary keys were handed out, which every record of a session repeats."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[str, datetime] = {}
        self._with_mfa: set[str] = set()

    def heard(self, call: Call) -> None:
        """Remember the key that a call to STS returned."""
        if call.service != "sts" or not call.response or "Credentials" not in call.response:
            return
        key = str(call.response["Credentials"]["AccessKeyId"])
        with self._lock:
            self._begun[key] = call.time
            if call.params.get("TokenCode"):
                self._with_mfa.add(key)

    def is_with_mfa(self, access_key: str) -> bool:
        """True if a code was shown when the key was made."""
        return access_key in self._with_mfa

    def began(self, access_key: str, otherwise: datetime) -> datetime:
        """When the key was made; ``otherwise`` for keys that the sandbox itself has made."""
        return self._begun.get(access_key, otherwise)


def identity_of(principal: Principal, time: datetime, invoked_by: str, sessions: Sessions) -> dict[str, Any]:
    """The element for a principal that called at ``time``."""
    if principal.kind == "service":
        return {"type": "AWSService", "invokedBy": principal.service}
    if principal.kind == "anonymous":
        return {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    element: dict[str, Any] = {
        "type": {"root": "Root", "user": "IAMUser", "role": "AssumedRole"}[principal.kind],
        "principalId": principal.principal_id or principal.account,
        "arn": principal.arn,
        "accountId": principal.account,
    }
    if principal.access_key:
        element["accessKeyId"] = principal.access_key
    if principal.kind == "user":
        element["userName"] = principal.name
    context = _session_context(principal, sessions, time)
    if context:
        element["sessionContext"] = context
    if invoked_by:
        element["invokedBy"] = invoked_by
    return element


def foreign_identity_of(principal: Principal) -> dict[str, Any]:
    """The element in the record that the owner of a resource gets of a caller from another account."""
    if principal.kind == "service":
        return {"type": "AWSService", "invokedBy": principal.service}
    return {
        "type": "AWSAccount",
        "principalId": principal.principal_id or principal.account,
        "accountId": principal.account,
    }


def _session_context(principal: Principal, sessions: Sessions, time: datetime) -> dict[str, Any]:
    began = sessions.began(principal.access_key, time)
    with_mfa = "true" if sessions.is_with_mfa(principal.access_key) else "false"
    attributes = {"creationDate": f"{began:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": with_mfa}
    if principal.kind == "role":
        issuer = {
            "type": "Role",
            "principalId": principal.principal_id.split(":")[0],
            "arn": principal.role_arn,
            "accountId": principal.account,
            "userName": principal.name,
        }
        return {"sessionIssuer": issuer, "attributes": attributes}
    return {"attributes": attributes} if principal.access_key.startswith("ASIA") else {}
