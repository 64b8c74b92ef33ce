"""The embedded AWS as one object: made from a seed, spoken to by boto3, served over HTTP, closed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from orgmon.sandbox import managed_policies, organizations_api
from orgmon.sandbox import seed as seeds
from orgmon.sandbox.authorizer import Authorizer
from orgmon.sandbox.calls import Hook, Operations, Principal, root_of
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.gateway import Gateway
from orgmon.sandbox.identity import Identity, Signer
from orgmon.sandbox.models import GLOBAL_SERVICES, new_session
from orgmon.sandbox.organization import Change, OrgView
from orgmon.sandbox.policies.guardrails import Guardrails
from orgmon.sandbox.policies.links import LinkKeys
from orgmon.sandbox.policies.store import OrganizationPolicies
from orgmon.sandbox.policies.switches import Switch, Switches
from orgmon.sandbox.propagation import Propagation
from orgmon.sandbox.regions import Regions
from orgmon.sandbox.seed import Seed
from orgmon.sandbox.server import Control, ControlledGateway, Server
from orgmon.sandbox.stores import Stores
from orgmon.sandbox.sts import Sts, session_of
from orgmon.sandbox.transport import attach, signing_as
from orgmon.sandbox.trouble import Trouble

_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


class World:
    """An embedded AWS. moto's stores are one per process, so a new World empties them: keep one alive at a time.

    ``before`` and ``after`` hooks run around every call that is not the sandbox's own housekeeping; what an
    ``after`` hook, an engine or a timer raises is collected in ``hook_errors``. ``controls`` are the JSON endpoints
    that ``serve`` offers under ``/_sandbox/``. ``flipped`` are the open questions that stand otherwise than by default.
    """

    def __init__(self, seed: Seed, *, clock: Clock | None = None, flipped: Iterable[Switch] = ()) -> None:
        self.seed = seed
        self.clock = clock or Clock()
        self.stores = Stores()
        self.stores.reset()
        self.organization = OrgView(seed, self.clock.now)
        self.switches = Switches(flipped)
        self.links = LinkKeys(self.switches, self.organization)
        self.trouble = Trouble()
        self.trouble.knows = self.organization.exists
        self.trouble.on_suspend = self.organization.close
        self.propagation = Propagation(self.trouble, self.clock.now)
        self.operations = Operations()
        self.identity = Identity(self.stores, self.organization, self.clock.now)
        self.trouble.on_expire = self.identity.expire
        self.organization_policies = OrganizationPolicies(self.organization)
        guardrails = Guardrails(self.organization, self.organization_policies)
        self.policies = Authorizer(self.stores, self.organization, self.identity, guardrails, self.clock.now)
        self.gateway = Gateway(
            self.clock, self.operations, self.trouble, self.identity, self.organization, self.policies
        )
        self.clock.on_error = self.gateway.hook_errors.append
        self.controls: dict[str, Control] = {
            "trouble": self.trouble.control,
            "clock": self._turn_clock,
            "health": self._health,
            "switches": self.switches.control,
        }
        self._session = new_session()
        attach(self._session, self.gateway)
        self._clients: dict[tuple[str, str], Any] = {}
        self._twins: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()
        self._register()
        self._furnish()

    @property
    def before(self) -> list[Hook]:
        """Hooks that run before a call is answered; they may raise Refusal."""
        return self.gateway.before

    @property
    def after(self) -> list[Hook]:
        """Hooks that run after every call, also a failed one, in order."""
        return self.gateway.after

    @property
    def hook_errors(self) -> list[BaseException]:
        """What hooks, engines and timers have raised. Empty in a sandbox that works."""
        return self.gateway.hook_errors

    def client(
        self,
        service: str,
        account: str,
        region: str,
        *,
        principal: Principal | None = None,
        invoked_by: str = "",
    ) -> Any:
        """A botocore client without sockets and without retries.

        With a ``principal`` its calls are authorised and recorded as his. Without one it is the account's root and
        trusted; then its calls are recorded only if ``invoked_by`` names the service that makes them.
        """
        home = "us-east-1" if service in GLOBAL_SERVICES else region
        key = (service, account, home, principal, invoked_by)
        # Two threads may make the same one: either is good.
        if key not in self._twins:
            signer = Signer(
                principal or root_of(account),
                invoked_by,
                trusted=principal is None,
                recorded=principal is not None or bool(invoked_by),
            )
            self._twins[key] = signing_as(self._unsigned(service, home), home, self.identity.enrol(signer))
        return self._twins[key]

    def session(
        self, account: str, *, role_name: str | None = None, region: str | None = None
    ) -> boto3.Session:
        """A boto3 session without sockets: the account's administrator, or a session of one of its roles.

        Raises LookupError if there is no such account or role. Its clients retry as boto3's always do.
        """
        if role_name is None:
            return self.session_with(*self.admin_key(account), region=region)
        principal = self.role_session(account, role_name, "sandbox")
        keys = self.identity.issue(principal, 12 * 3600)
        return self.session_with(keys.access_key, keys.secret_key, keys.token, region=region)

    def session_with(
        self,
        access_key: str,
        secret_key: str,
        token: str | None = None,
        *,
        region: str | None = None,
        source_address: str = "127.0.0.1",
    ) -> boto3.Session:
        """A boto3 session without sockets that signs with these keys, in the home Region unless told otherwise."""
        session = boto3.Session(
            access_key, secret_key, token, region or self.seed.home_region, botocore_session=new_session()
        )
        attach(session, self.gateway, source_address)
        return session

    def admin_key(self, account: str) -> tuple[str, str]:
        """The access key (id, secret) of an account's seeded administrator; the same in every run.

        Raises LookupError if there is no such account.
        """
        if not self.organization.exists(account):
            raise LookupError(f"the embedded AWS has no account {account}")
        return seeds.admin_key(account)

    def role_session(self, account: str, role_name: str, session_name: str) -> Principal:
        """The principal of a role's session, to be given to ``client``. Raises LookupError if there is no such role."""
        role = self.stores.role_named(account, role_name)
        if role is None:
            raise LookupError(f"account {account} has no role {role_name}")
        return session_of(role, session_name)

    def app(self) -> ControlledGateway:
        """The WSGI application: every API, and the control endpoints."""
        return ControlledGateway(self.gateway, self.controls)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Server:
        """Serve over HTTP in a thread; port 0 takes a free one. Prints nothing."""
        return Server(self.app(), host, port)

    def store(self, service: str, account: str, region: str) -> Any:
        """moto's backend of a service: the only door to moto for the other rooms."""
        return self.stores.of(service, account, region)

    def close(self) -> None:
        """Stop the clock and forget everything."""
        self.clock.close()
        self.stores.reset()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _unsigned(self, service: str, region: str) -> Any:
        """The one client of a service and Region that all twins are made from."""
        with self._lock:
            if (service, region) not in self._clients:
                config = Config(retries={"total_max_attempts": 1}, signature_version=UNSIGNED)
                self._clients[service, region] = self._session.create_client(
                    service, region_name=region, config=config
                )
            return self._clients[service, region]

    def _register(self) -> None:
        organizations_api.install(self.organization, self.organization_policies, self.operations)
        Sts(self.stores, self.identity, self.organization).register(self.operations)
        Regions(self.organization).register(self.operations)
        self.before.append(managed_policies.ManagedPolicies(self.stores))
        self.organization.on_account_changed(self._account_changed)

    def _furnish(self) -> None:
        for account in self.organization.all_accounts:
            self._furnish_account(account)
        for queue in self.seed.queues:
            self.client("sqs", queue.account, queue.region).create_queue(QueueName=queue.name)

    def _account_changed(self, kind: Change, account: str, old_parent: str, new_parent: str) -> None:
        if kind == "CREATED":
            self._furnish_account(account)

    def _furnish_account(self, account: str) -> None:
        self.identity.seed_admin(account, self.seed.admin_user)
        managed_policies.ensure(self.stores, account, _ADMINISTRATOR)
        iam = self.stores.iam(account)
        iam.attach_user_policy(_ADMINISTRATOR, self.seed.admin_user)
        if account != self.seed.management_account:
            trust = _trusting(self.seed.management_account)
            iam.create_role(self.seed.access_role, trust, "/", None, "", [], "3600")
            iam.attach_role_policy(_ADMINISTRATOR, self.seed.access_role)

    def _turn_clock(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        self.clock.advance(float(body.get("advance", 0)))
        return {"now": self.clock.now().isoformat()}

    def _health(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        return {
            "now": self.clock.now().isoformat(),
            "organization": self.organization.org_id,
            "management_account": self.organization.management_account,
            "accounts": len(self.organization.accounts),
            "errors": [repr(error) for error in self.hook_errors],
        }


def _trusting(account: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
