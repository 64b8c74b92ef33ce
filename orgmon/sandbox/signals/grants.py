"""May one service act on another's resource? Resource policies, key policies and the roles that services assume.

Sources: ``policies/links.py`` for the condition keys; KMS developer guide, "AWS managed keys" (nobody can change
their policies, and they let no service principal in), "Encryption context" and its entries by service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orgmon.sandbox.calls import Principal, service_principal
from orgmon.sandbox.policies.links import Source, kind_of
from orgmon.sandbox.policy import Decision
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.losses import NO_PERMISSIONS, Undeliverable
from orgmon.sandbox.sts import session_of
from orgmon.sandbox.world import World

USE_TO_SEND = ("kms:GenerateDataKey", "kms:Decrypt")
"""What a sender to an encrypted queue or topic has to be allowed to do with the key."""

_ENCRYPTION_CONTEXT = {
    "queue": "aws:sqs:arn",
    "topic": "aws:sns:topicArn",
    "trail": "aws:cloudtrail:arn",
    "log-group": "aws:logs:arn",
    "bus": "aws:events:event-bus:arn",
}


@dataclass(frozen=True)
class Sender:
    """Who acts on a resource: somebody with a policy, or a service for its ``source``; ``context`` is known beside."""

    principal: Principal
    context: Mapping[str, str] = field(default_factory=dict)
    source: Source | None = None

    def with_context(self, **keys: str) -> Sender:
        """The same sender with further condition keys; ``s3:x-amz-acl`` and the like by ``**{}``."""
        return replace(self, context={**self.context, **keys})


class Grants:
    """Answers questions about permissions between services."""

    def __init__(self, world: World) -> None:
        self._world = world

    def service(self, name: str, source_arn: str, account: str) -> Sender:
        """A service (``events`` for events.amazonaws.com) that acts for a resource of ``account``."""
        return Sender(service_principal(f"{name}.amazonaws.com", account), source=Source(source_arn, account))

    def _context(self, sender: Sender, action: str, kind: str) -> dict[str, str]:
        """The condition keys of one call, for a service those that it passes on in this call."""
        if sender.source is None:
            return dict(sender.context)
        service = sender.principal.service.removesuffix(".amazonaws.com")
        return {**self._world.links.of(service, action, kind, sender.source), **sender.context}

    def assume(self, role_arn: str, service: Sender, session_name: str) -> Sender:
        """A session of a role, for a service. Raises Undeliverable if the role is missing or does not trust it."""
        role = self._world.stores.role(role_arn)
        if role is None:
            raise Undeliverable(NO_PERMISSIONS, f"The role {role_arn} does not exist.")
        decision = self._world.policies.allowed_by_resource(
            role.assume_role_policy_document,
            service.principal,
            "sts:AssumeRole",
            role_arn,
            self._context(service, "sts:AssumeRole", "role"),
        )
        if decision is not Decision.ALLOW:
            who = service.principal.service
            raise Undeliverable(NO_PERMISSIONS, f"The role {role_arn} cannot be assumed by {who}.")
        return Sender(session_of(role, session_name))

    def refusal(self, sender: Sender, action: str, resource: str) -> str | None:
        """None if the sender may, else why not, in AWS's words."""
        return self._refusal(sender, action, resource, kind_of(resource))

    def _refusal(self, sender: Sender, action: str, resource: str, kind: str) -> str | None:
        context = self._context(sender, action, kind)
        why = self._world.policies.refusal(sender.principal, action, resource, context)
        if why is None:
            return None
        who = sender.principal.service or sender.principal.arn
        return f"{who} is not authorized to perform: {action} on resource: {resource} {why}"

    def allows(self, policy: str, sender: Sender, action: str, resource: str) -> bool:
        """True if one resource policy allows it."""
        decision = self._world.policies.allowed_by_resource(
            policy, sender.principal, action, resource, self._context(sender, action, kind_of(resource))
        )
        return decision is Decision.ALLOW

    def require(self, sender: Sender, action: str, resource: str) -> None:
        """Raises Undeliverable (NO_PERMISSIONS) if the sender may not."""
        why = self.refusal(sender, action, resource)
        if why is not None:
            raise Undeliverable(NO_PERMISSIONS, why)

    def require_role(self, sender: Sender, action: str, resource: str) -> None:
        """As ``require``, by the identity's own policies alone."""
        allowed = self._world.policies.allowed_by_identity(sender.principal, action, resource, sender.context)
        if allowed is not Decision.ALLOW:
            text = f"{sender.principal.arn} is not authorized to perform: {action} on resource: {resource}"
            raise Undeliverable(NO_PERMISSIONS, text)

    def key_refusal(self, key: str, encrypted: str, sender: Sender, actions: tuple[str, ...]) -> str | None:
        """None if the sender may do all the actions with the key (its id, alias or ARN), else why not.

        ``encrypted`` is the ARN of what is encrypted with it: a queue, a topic, or the trail of log files.
        """
        what = Arn.parse(encrypted)
        if key.rsplit(":", 1)[-1].startswith("alias/aws/"):
            if sender.principal.kind != "service" and sender.principal.account == what.account:
                return None
            return f"the AWS managed key {key} cannot be used by others than its account's own principals"
        arn = self.key_arn(key, what.account, what.region)
        problem = self._unusable(arn)
        if problem:
            return problem
        whys = (self._key_action_refusal(arn, what, sender, action) for action in actions)
        return next((why for why in whys if why is not None), None)

    def _key_action_refusal(self, key_arn: str, what: Arn, sender: Sender, action: str) -> str | None:
        """A key is used on behalf of somebody through the service of what is encrypted, or by a service itself."""
        kind = kind_of(what.text)
        context = {}
        if action != "kms:DescribeKey":
            context[f"kms:EncryptionContext:{_ENCRYPTION_CONTEXT[kind]}"] = what.text
        if sender.source is None:
            context["kms:ViaService"] = f"{what.service}.{what.region}.amazonaws.com"
            context["kms:CallerAccount"] = sender.principal.account
        return self._refusal(sender.with_context(**context), action, key_arn, kind)

    def require_key(self, key: str | None, encrypted: str, sender: Sender) -> None:
        """Raises Undeliverable if what is encrypted with ``key`` (None: nothing) cannot be sent to."""
        why = self.key_refusal(key, encrypted, sender, USE_TO_SEND) if key else None
        if why is not None:
            raise Undeliverable(NO_PERMISSIONS, why)

    def key_arn(self, key: str, account: str, region: str) -> str:
        """The ARN of a key that is named by id, alias or ARN; an alias without a key stays an alias."""
        if key.startswith("arn:"):
            arn = Arn.parse(key)
            account, region, local = arn.account, arn.region, arn.local
        else:
            local = key
        if local.startswith("alias/"):
            local = self._world.stores.key_of_alias(account, region, local) or local
        elif not local.startswith("key/"):
            local = f"key/{local}"
        return f"arn:aws:kms:{region}:{account}:{local}"

    def _unusable(self, key_arn: str) -> str | None:
        arn = Arn.parse(key_arn)
        key = self._world.stores.find("kms", arn.account, arn.region, "keys", arn.local.removeprefix("key/"))
        if key is None:
            return f"the key {key_arn} does not exist"
        return None if key.key_state == "Enabled" else f"the key {key_arn} is {key.key_state}"
