"""Sessions: which credentials a call is made with, and the clients that make it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import boto3
from botocore.credentials import DeferredRefreshableCredentials

from orgmon.aws.clients import Caller, CallersCredentials, Log, shared_client
from orgmon.aws.errors import translated
from orgmon.aws.rate import RateLimiter
from orgmon.config.model import OrganizationSection
from orgmon.stackset import CallAs, PermissionModel

MANAGEMENT, DELEGATED_ADMIN, MEMBERS = "management", "delegated_admin", "members"
# How much is kept of what was used last: clients of botocore (half a megabyte each), their copies for one account
# (next to nothing, but each knows its rate), and credentials of accounts.
SHARED, CLIENTS, ACCOUNTS = 128, 2048, 4096


class Sessions:
    """Clients for the accounts that orgmon works in. Thread-safe.

    The management session is for plain stacks, AWS Organizations and the self-managed stack sets; with a delegated
    administrator's session, service-managed stack sets are called through that. Members are reached by
    ``access_role``; they share the management session's settings, and a client for each service and Region, but no
    credentials. ``make`` turns a profile name (or None) into a boto3 session, ``log`` is told of each call.
    """

    def __init__(
        self,
        organization: OrganizationSection,
        make: Callable[[str | None], Any] = lambda profile: boto3.Session(profile_name=profile),
        log: Log | None = None,
    ) -> None:
        self._organization = organization
        self._make = make
        self._log = log
        self._making = threading.Lock()
        self._session = lru_cache(None)(self._open)
        self._shared = lru_cache(SHARED)(self._make_shared)
        self._client = lru_cache(CLIENTS)(self._make_client)
        self._credentials = lru_cache(ACCOUNTS)(self._assumed)

    @property
    def home_region(self) -> str:
        """The Region of trail, hub and stack sets."""
        return self._organization.home_region

    @property
    def management_account(self) -> str:
        """The account that owns the organization."""
        return self._organization.management_account

    def management(self, service: str, region: str | None = None) -> Any:
        """A client in the management account; in the home Region unless another is named."""
        return self._client(MANAGEMENT, service, region or self.home_region)

    def stack_sets(self, model: PermissionModel) -> tuple[Any, CallAs]:
        """The CloudFormation client for stack sets of a permission model, and what to pass as CallAs."""
        call_as = self._organization.call_as
        if model is PermissionModel.SERVICE_MANAGED and call_as is CallAs.DELEGATED_ADMIN:
            return self._client(DELEGATED_ADMIN, "cloudformation", self.home_region), call_as
        return self.management("cloudformation"), CallAs.SELF

    def member(self, account: str, service: str, region: str | None = None) -> Any:
        """A client in a member account, through the access role.

        It costs next to nothing, so that it may be asked for at each call. The role is assumed by the first call, and
        again when its credentials expire; that call ends with an error where it cannot be.
        """
        if account == self.management_account:
            return self.management(service, region)
        return self._client(account, service, region or self.home_region)

    def _make_client(self, who: str, service: str, region: str) -> Any:
        """A client that is there already is never waited for; sessions, though, are not thread-safe."""
        own = who in (MANAGEMENT, DELEGATED_ADMIN)
        with self._making, translated("client", region=region):
            client = self._shared(who if own else MEMBERS, service, region)
        return client.called_by(Caller(who, RateLimiter(), None if own else self._credentials(who)))

    def _make_shared(self, session: str, service: str, region: str) -> Any:
        return shared_client(self._session(session), service, region, log=self._log)

    def _open(self, session: str) -> Any:
        """A session of botocore's."""
        named = self._organization.sessions
        if session == MEMBERS:
            # All of a session but its credentials: models, settings, event handlers.
            members = copy.copy(self._session(MANAGEMENT))
            members._credentials = CallersCredentials()
            return members
        if session == DELEGATED_ADMIN:
            return self._make(named.delegated_admin.profile if named.delegated_admin else None)._session
        return self._make(named.management.profile)._session

    def _assumed(self, account: str) -> DeferredRefreshableCredentials:
        """Credentials in a member account, fetched by the first call and again when they expire."""
        return DeferredRefreshableCredentials(lambda: self._assume(account), "assume-role")

    def _assume(self, account: str) -> dict[str, str]:
        role = f"arn:{self._organization.partition}:iam::{account}:role/{self._organization.access_role}"
        answer = self.management("sts").assume_role(RoleArn=role, RoleSessionName="orgmon")["Credentials"]
        return {
            "access_key": answer["AccessKeyId"],
            "secret_key": answer["SecretAccessKey"],
            "token": answer["SessionToken"],
            "expiry_time": answer["Expiration"].isoformat(),
        }
