"""May this principal do that? The organization's policies, identity and resource policies, boundaries, sessions.

Source: IAM user guide, "Policy evaluation logic", "Cross-account policy evaluation logic"; KMS developer guide,
"Key policies" (a key's policy must always agree). Not enforced: ``iam:PassRole``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from orgmon.sandbox.actions import FREE_OPERATIONS, action_of
from orgmon.sandbox.calls import Call, Principal
from orgmon.sandbox.conditions import Context
from orgmon.sandbox.identity import Identity
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.policies.guardrails import Guardrails
from orgmon.sandbox.policy import Decision, Document, Request, Verdict, combine, evaluate
from orgmon.sandbox.request_context import RequestContext, of_call
from orgmon.sandbox.resources import Place, owner_of, resource_of
from orgmon.sandbox.seed import admin_key
from orgmon.sandbox.stores import Stores

# Services whose resources another account may use, if the resource's policy says so.
_SHARED_SERVICES = frozenset({"s3", "sqs", "sns", "secretsmanager", "kms", "lambda", "events", "sts"})


class Authorizer:
    """Decides over moto's IAM and the resource policies in moto's stores."""

    def __init__(
        self,
        stores: Stores,
        organization: OrgView,
        identity: Identity,
        guardrails: Guardrails,
        now: Callable[[], datetime],
    ) -> None:
        self._stores = stores
        self._identity = identity
        self._guardrails = guardrails
        self._context = RequestContext(stores, organization, identity, now)

    def allowed_by_resource(
        self,
        policy_document: Document | None,
        principal: Principal,
        action: str,
        resource: str,
        context: Mapping[str, Any] | None = None,
    ) -> Decision:
        """What a resource's own policy says about a principal, and the organization's. No document: NONE."""
        known = self._known(principal, resource, context or {})
        owner = self._account_of(resource)
        if owner and self._guardrails.refusal_at(owner, principal, action, resource, known) is not None:
            return Decision.DENY
        return _verdict(policy_document, Request(action, resource, principal, known)).decision

    def allowed_by_identity(
        self,
        principal: Principal,
        action: str,
        resource: str,
        context: Mapping[str, Any] | None = None,
    ) -> Decision:
        """What a principal's own policies say, and the organization's. Services have no policies of their own."""
        known = self._known(principal, resource, context or {})
        reason = self._guardrails.refusal_for(principal, action, resource, known)
        reason = reason or self._identity_refusal(principal, action, resource, known)
        if reason is None:
            return Decision.ALLOW
        return Decision.DENY if reason.startswith("with an explicit deny") else Decision.NONE

    def refusal(
        self,
        principal: Principal,
        action: str,
        resource: str,
        context: Mapping[str, Any] | None = None,
        *,
        owner: str = "",
    ) -> str | None:
        """None if the principal may, else why not, in AWS's words (``because no identity-based policy ...``).

        The resource's policy is looked up in the stores. ``owner`` is the account that the resource belongs to, if
        its ARN does not tell.
        """
        owner = owner or self._account_of(resource) or principal.account
        known = self._context.of_resource(owner) | self._known(principal, resource, context or {})
        forbidden = self._guardrails.refusal_for(principal, action, resource, known)
        forbidden = forbidden or self._guardrails.refusal_at(owner, principal, action, resource, known)
        if forbidden is not None:
            return forbidden
        document = self._stores.resource_policy(resource)
        on_resource = _verdict(document, Request(action, resource, principal, known))
        if on_resource.decision is Decision.DENY:
            return "with an explicit deny in a resource-based policy"
        if principal.kind in ("service", "anonymous"):
            return None if on_resource.decision is Decision.ALLOW else _no_resource_policy(action)
        by_identity = self._identity_refusal(principal, action, resource, known)
        if owner != principal.account or _needs_resource_policy(resource, action, document):
            return _both(on_resource, by_identity, action, owner == principal.account)
        is_personal = on_resource.decision is Decision.ALLOW and not on_resource.delegated
        if is_personal and (by_identity is None or by_identity.startswith("because no identity-based")):
            return None
        return by_identity

    def address(self, call: Call) -> None:
        """Fill in what a call addresses and whose that is."""
        place = Place(call.account, call.region)
        call.resource = resource_of(call.service, call.operation, call.params, place, self._stores)
        call.resource_account = self._owner(call, place)

    def check(self, call: Call, context: Mapping[str, Any] | None = None) -> str | None:
        """None if the call may be made, else why not, in AWS's words."""
        if (call.service, call.operation) in FREE_OPERATIONS:
            return None
        action = action_of(call.service, call.operation, "VersionId" in call.params)
        full = {**of_call(call), **(context or {})}
        actions = (action, "sts:TagSession") if _tags_session(call) else (action,)
        whys = (
            self.refusal(call.principal, each, call.resource, full, owner=call.resource_account)
            for each in actions
        )
        return next((why for why in whys if why is not None), None)

    def _owner(self, call: Call, place: Place) -> str:
        if call.service not in _SHARED_SERVICES:
            return call.account
        if call.service == "s3" and call.operation != "CreateBucket":
            return self._stores.bucket_owner(call.params.get("Bucket", "")) or call.account
        return owner_of(call.resource, place)

    def _account_of(self, resource: str) -> str:
        """The account that a resource is in, an empty string if its ARN does not tell."""
        bucket = _bucket_in(resource)
        return self._stores.bucket_owner(bucket) if bucket else owner_of(resource, Place("", ""))

    def _region_of(self, resource: str) -> str:
        """The Region that a resource is in, an empty string for those without."""
        bucket = _bucket_in(resource)
        if not bucket:
            return resource.split(":")[3] if resource.count(":") >= 5 else ""
        owner = self._stores.bucket_owner(bucket)
        found = self._stores.find("s3", owner, "aws", "buckets", bucket) if owner else None
        return str(found.region_name) if found else ""

    def _known(self, principal: Principal, resource: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The context. A request of which only the resource is known is one to the resource's Region."""
        known = self._context.of_caller(principal) | {key.lower(): value for key, value in given.items()}
        if "aws:requestedregion" not in known and (region := self._region_of(resource)):
            known["aws:requestedregion"] = region
        return known

    def _identity_refusal(
        self, principal: Principal, action: str, resource: str, context: Context
    ) -> str | None:
        if principal.kind == "root" or self._is_admin(principal):
            return None
        if principal.kind not in ("user", "role"):
            return f"because no identity-based policy allows the {action} action"
        request = Request(action, resource, context=context)
        layers = (
            ("identity-based policy", "an identity-based policy", tuple(self._attached(principal))),
            ("permissions boundary", "a permissions boundary", self._boundary(principal)),
            ("session policy", "a session policy", self._identity.policies_of(principal.access_key) or None),
        )
        for name, with_article, documents in layers:
            if documents is None:
                continue
            decision = combine(evaluate(document, request) for document in documents)
            if decision is Decision.DENY:
                return f"with an explicit deny in {with_article}"
            if decision is Decision.NONE:
                return f"because no {name} allows the {action} action"
        return None

    def _is_admin(self, principal: Principal) -> bool:
        return principal.kind == "user" and principal.access_key == admin_key(principal.account)[0]

    def _holder(self, principal: Principal) -> Any | None:
        if principal.kind == "user":
            return self._stores.iam(principal.account).users.get(principal.name)
        return self._stores.role(principal.role_arn)

    def _attached(self, principal: Principal) -> Iterator[Document]:
        holder = self._holder(principal)
        holders = [holder] if holder else []
        if holder and principal.kind == "user":
            groups = self._stores.iam(principal.account).groups.values()
            holders += [group for group in groups if any(user.name == holder.name for user in group.users)]
        for entity in holders:
            yield from entity.policies.values()
            yield from (_default_version(policy) for policy in entity.managed_policies.values())

    def _boundary(self, principal: Principal) -> tuple[Document, ...] | None:
        holder = self._holder(principal)
        boundary = getattr(holder, "permissions_boundary", None)
        if not boundary:
            return None
        arn = boundary["PermissionsBoundaryArn"] if isinstance(boundary, dict) else str(boundary)
        policy = self._stores.iam(principal.account).managed_policies.get(arn)
        return (_default_version(policy),) if policy else ()


def _bucket_in(resource: str) -> str:
    prefix = "arn:aws:s3:::"
    return resource.removeprefix(prefix).split("/", 1)[0] if resource.startswith(prefix) else ""


def _verdict(document: Document | None, request: Request) -> Verdict:
    return Verdict(Decision.NONE) if document is None else evaluate(document, request)


def _default_version(policy: Any) -> Document:
    document: Document = next(version.document for version in policy.versions if version.is_default)
    return document


def _tags_session(call: Call) -> bool:
    return call.service == "sts" and call.operation == "AssumeRole" and bool(call.params.get("Tags"))


def _needs_resource_policy(resource: str, action: str, document: Document | None) -> bool:
    is_key = resource.startswith("arn:aws:kms:") and ":key/" in resource
    return action in ("sts:AssumeRole", "sts:TagSession") or (is_key and document is not None)


def _no_resource_policy(action: str) -> str:
    return f"because no resource-based policy allows the {action} action"


def _both(on_resource: Verdict, by_identity: str | None, action: str, same_account: bool) -> str | None:
    """The resource's policy must allow; one that names the principal himself is enough within his account."""
    if on_resource.decision is not Decision.ALLOW:
        return _no_resource_policy(action)
    if same_account and not on_resource.delegated:
        return by_identity if by_identity and by_identity.startswith("with") else None
    return by_identity
