"""Sessions and clients: which credentials a call is made with, how fast, and how its failure is told."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.config
import botocore.exceptions

from orgmon.config.model import OrganizationSection
from orgmon.errors import AwsError, NotFoundError, OrgmonError
from orgmon.stackset import CallAs, PermissionModel

# AWS publishes no rates for CloudFormation: begin fast, and let each throttled answer halve the rate.
CALLS_PER_SECOND, SLOWEST = 200.0, 2.0
THROTTLED = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "SlowDown",
)
RETRIES = {"mode": "standard", "max_attempts": 8}
POOL = 20

REMEDIES = {
    "AccessDenied": "let the caller do this: the README lists the actions that orgmon needs",
    "AccessDeniedException": "let the caller do this: the README lists the actions that orgmon needs",
    "ExpiredToken": "sign in again; the same command goes on where it was",
    "ExpiredTokenException": "sign in again; the same command goes on where it was",
    "InvalidClientTokenId": "these credentials are not valid: check the profile or the environment",
    "UnrecognizedClientException": "these credentials are not valid: check the profile or the environment",
    "AWSOrganizationsNotInUseException": "use credentials of the organization's management account",
    "Throttling": "AWS is busy: run the same command again, it goes on where it was",
    "Throttled": "AWS is busy: run the same command again, it goes on where it was",
}
NOT_FOUND = (
    "StackSetNotFoundException",
    "StackInstanceNotFoundException",
    "OperationNotFoundException",
    "NoSuchBucket",
    "NoSuchKey",
    "404",
    "NotFound",
    "ResourceNotFoundException",
)


class RateLimiter:
    """Spaces calls evenly; one for each account, Region and service. Thread-safe.

    A throttled answer halves the rate, a good one brings back a hundredth of it. botocore's own retries repeat what
    was throttled.
    """

    def __init__(
        self,
        per_second: float = CALLS_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._shortest = self._gap = 1.0 / per_second
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, **_: object) -> None:
        """Return when the next call may be made. Takes what botocore passes to an event handler."""
        with self._lock:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + self._gap
        if at > now:
            self._sleep(at - now)

    def learn(self, response: tuple[object, dict[str, Any]] | None = None, **_: object) -> None:
        """Adapt to an answer: (HTTP response, parsed response), or None where there was none."""
        if response is None:
            return
        throttled = response[1].get("Error", {}).get("Code") in THROTTLED
        with self._lock:
            self._gap = (
                min(self._gap * 2, 1 / SLOWEST) if throttled else max(self._gap * 0.99, self._shortest)
            )


class Sessions:
    """Clients for the accounts that orgmon works in.

    The management session is for plain stacks, AWS Organizations and the self-managed stack sets; with a delegated
    administrator's session, service-managed stack sets are called through that. Members are reached by
    ``access_role``. ``make`` turns a profile name (or None) into a boto3 session.
    """

    def __init__(
        self,
        organization: OrganizationSection,
        make: Callable[[str | None], Any] = lambda profile: boto3.Session(profile_name=profile),
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._organization = organization
        self._make = make
        self._log = log
        self._sessions: dict[str, Any] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.RLock()

    @property
    def home_region(self) -> str:
        """The Region of trail, hub and stack sets."""
        return self._organization.home_region

    def management(self, service: str, region: str | None = None) -> Any:
        """A client in the management account; in the home Region unless another is named."""
        return self._client("management", service, region or self.home_region)

    def stack_sets(self, model: PermissionModel) -> tuple[Any, CallAs]:
        """The CloudFormation client for stack sets of a permission model, and what to pass as CallAs."""
        call_as = self._organization.call_as
        if model is PermissionModel.SERVICE_MANAGED and call_as is CallAs.DELEGATED_ADMIN:
            return self._client("delegated_admin", "cloudformation", self.home_region), call_as
        return self.management("cloudformation"), CallAs.SELF

    def member(self, account: str, service: str, region: str | None = None) -> Any:
        """A client in a member account, through the access role.

        Raises AwsError where the role cannot be assumed.
        """
        if account == self._organization.management_account:
            return self.management(service, region)
        return self._client(account, service, region or self.home_region)

    def _client(self, who: str, service: str, region: str) -> Any:
        key = (who, service, region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._build(who, service, region)
            return self._clients[key]

    def _build(self, who: str, service: str, region: str) -> Any:
        config = botocore.config.Config(retries=RETRIES, max_pool_connections=POOL, user_agent_appid="orgmon")
        with translated("client", region=region):
            client = self._session(who).client(service, region_name=region, config=config)
        limiter = RateLimiter()
        client.meta.events.register("before-send", limiter.wait)
        client.meta.events.register("needs-retry", limiter.learn)
        if self._log:
            log = self._log
            client.meta.events.register(
                "after-call", lambda model, http_response, **_: log(
                    f"{who} {region} {model.service_model.service_name}:{model.name} {http_response.status_code}"
                )
            )  # fmt: skip
        return client

    def _session(self, who: str) -> Any:
        if who not in self._sessions:
            self._sessions[who] = self._open(who)
        return self._sessions[who]

    def _open(self, who: str) -> Any:
        named = self._organization.sessions
        if who == "management":
            return self._make(named.management.profile)
        if who == "delegated_admin":
            return self._make(named.delegated_admin.profile if named.delegated_admin else None)
        return self._assumed(who)

    def _assumed(self, account: str) -> Any:
        """A session in a member account. Its credentials are fetched again when they expire."""
        from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

        source = self._session("management")
        role = f"arn:{self._organization.partition}:iam::{account}:role/{self._organization.access_role}"
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=source._session.create_client,
            source_credentials=source.get_credentials(),
            role_arn=role,
            extra_args={"RoleSessionName": "orgmon"},
        )
        session = self._make(None)
        session._session._credentials = DeferredRefreshableCredentials(
            refresh_using=fetcher.fetch_credentials, method="assume-role"
        )
        return session


@contextlib.contextmanager
def translated(operation: str, *, account: str = "", region: str = "") -> Iterator[None]:
    """Turn the SDK's errors into ours, with the place and what to do. Raises AwsError or NotFoundError."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"].get("Code", "")
        message = error.response["Error"].get("Message", "")
        kind = NotFoundError if code in NOT_FOUND else AwsError
        raise kind(
            operation, code, message, account=account, region=region, remedy=REMEDIES.get(code, "")
        ) from error
    except botocore.exceptions.NoCredentialsError as error:
        raise OrgmonError(
            "no AWS credentials were found",
            "sign in (aws sso login), set AWS_PROFILE, or name a profile under organization.sessions",
        ) from error
    except botocore.exceptions.ProfileNotFound as error:
        raise OrgmonError(str(error), "correct organization.sessions or the AWS configuration") from error
    except botocore.exceptions.BotoCoreError as error:
        raise AwsError(
            operation,
            type(error).__name__,
            str(error),
            account=account,
            region=region,
            remedy="check the network; the same command goes on where it was",
        ) from error
