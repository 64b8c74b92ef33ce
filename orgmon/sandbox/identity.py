"""Access keys: who signs a call. Long-lived keys are those of moto's IAM users, temporary ones are ours.

The signature itself is not verified: a key id that exists is enough, a secret is never compared.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from orgmon.sandbox.calls import Principal
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.policy import Document
from orgmon.sandbox.seed import admin_key
from orgmon.sandbox.stores import Stores
from orgmon.sandbox.wire import Scope


class KeyProblem(Enum):
    """Why a key is not accepted."""

    MISSING = "MISSING"
    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"


class KeyRefused(Exception):
    """The key that signed a call is not accepted."""

    def __init__(self, problem: KeyProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True)
class Signer:
    """What a key stands for. ``policies`` are session policies: they only take away.

    ``trusted``: the sandbox itself, not authorised; ``recorded``: the call is part of the account's history.
    ``issued``, ``with_mfa``, ``tags`` are those of temporary credentials; ``renewed``: a service renews them in time.
    """

    principal: Principal
    invoked_by: str = ""
    trusted: bool = False
    recorded: bool = True
    policies: tuple[Document, ...] = ()
    token: str = ""
    expires: datetime | None = None
    issued: datetime | None = None
    with_mfa: bool = False
    tags: tuple[tuple[str, str], ...] = ()
    renewed: bool = False


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials, as STS hands them out."""

    access_key: str
    secret_key: str
    token: str
    expires: datetime


class Identity:
    """Every access key of the embedded AWS."""

    def __init__(self, stores: Stores, organization: OrgView, now: Callable[[], datetime]) -> None:
        self._stores = stores
        self._organization = organization
        self._now = now
        self._lock = threading.Lock()
        self._temporary: dict[str, Signer] = {}
        self._owners: dict[str, str] = {}

    def resolve(self, scope: Scope) -> Signer:
        """Who signed. Raises KeyRefused for a missing, unknown, inactive or expired key, or a wrong token."""
        if not scope.access_key:
            raise KeyRefused(KeyProblem.MISSING)
        signer = self._temporary.get(scope.access_key)
        if signer is None:
            return self._long_lived(scope.access_key)
        if not secrets.compare_digest(signer.token.encode(), scope.session_token.encode()):
            raise KeyRefused(KeyProblem.UNKNOWN)
        if signer.expires is not None and signer.expires <= self._now():
            raise KeyRefused(KeyProblem.EXPIRED)
        if not signer.trusted and self._organization.is_suspended(signer.principal.account):
            raise KeyRefused(KeyProblem.UNKNOWN)
        return signer

    def issue(
        self,
        principal: Principal,
        seconds: float,
        policies: tuple[Document, ...] = (),
        *,
        with_mfa: bool = False,
        tags: tuple[tuple[str, str], ...] = (),
        renewed: bool = False,
    ) -> Credentials:
        """Temporary credentials for a principal, good for that many sandbox seconds."""
        key, token = _new_key("ASIA"), secrets.token_urlsafe(96)
        now = self._now()
        expires = now + timedelta(seconds=seconds)
        signer = Signer(
            principal.with_key(key),
            policies=policies,
            token=token,
            expires=expires,
            issued=now,
            with_mfa=with_mfa,
            tags=tags,
            renewed=renewed,
        )
        with self._lock:
            self._temporary[key] = signer
        return Credentials(key, _new_secret(), token, expires)

    def expire(self) -> None:
        """Let all temporary credentials that were issued so far expire now, but for those that a service renews."""
        now = self._now()
        with self._lock:
            for key, signer in self._temporary.items():
                if signer.expires is not None and not signer.renewed:
                    self._temporary[key] = replace(signer, expires=min(signer.expires, now))

    def enrol(self, signer: Signer) -> str:
        """An access key without an end and without a secret, for the sandbox's own clients."""
        key = _new_key("ASIA")
        with self._lock:
            self._temporary[key] = signer
        return key

    def seed_admin(self, account: str, user_name: str) -> None:
        """An administrator with the account's static key."""
        iam = self._stores.iam(account)
        user = iam.create_user("us-east-1", user_name)
        user.id = f"AIDA{admin_key(account)[0][4:]}A"
        iam.create_access_key(user_name)
        key = user.access_keys[0]
        del iam.access_keys[key.access_key_id]
        key.access_key_id, key.secret_access_key = admin_key(account)
        iam.access_keys[key.access_key_id] = key

    def session_of(self, access_key: str) -> Signer | None:
        """What a temporary key stands for; None for a long-lived one, or none at all."""
        return self._temporary.get(access_key)

    def policies_of(self, access_key: str) -> tuple[Document, ...]:
        """The session policies that came with a temporary key."""
        signer = self._temporary.get(access_key)
        return signer.policies if signer else ()

    def _long_lived(self, access_key: str) -> Signer:
        account = self._owner(access_key)
        if not account or self._organization.is_suspended(account):
            raise KeyRefused(KeyProblem.UNKNOWN)
        iam = self._stores.iam(account)
        key = iam.access_keys.get(access_key)
        user = iam.users.get(key.user_name) if key else None
        if key is None or user is None or key.status != "Active":
            raise KeyRefused(KeyProblem.UNKNOWN)
        return Signer(_user(user, account, access_key))

    def _owner(self, access_key: str) -> str:
        known = self._owners.get(access_key)
        if known and access_key in self._stores.iam(known).access_keys:
            return known
        for account in self._organization.all_accounts:
            if access_key in self._stores.iam(account).access_keys:
                self._owners[access_key] = account
                return account
        return ""


def _user(user: Any, account: str, access_key: str) -> Principal:
    return Principal("user", account, user.arn, user.name, principal_id=user.id, access_key=access_key)


def _new_key(prefix: str) -> str:
    return prefix + base64.b32encode(secrets.token_bytes(10)).decode()


def _new_secret() -> str:
    return base64.b64encode(secrets.token_bytes(30)).decode()
