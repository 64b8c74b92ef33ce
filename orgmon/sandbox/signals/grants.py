"""May one service act on another's resource? Resource policies, key policies and the roles that services assume.

Sources: IAM user guide, "Global condition context keys" (aws:SourceArn, aws:SourceAccount, aws:SourceOrgID); KMS
developer guide, "AWS managed keys" (nobody can change their policies, and they let no service principal in).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orgmon.sandbox.calls import Principal, service_principal
from orgmon.sandbox.policy import Decision
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.losses import NO_PERMISSIONS, Undeliverable
from orgmon.sandbox.sts import session_of
from orgmon.sandbox.world import World

USE_TO_SEND = ("kms:GenerateDataKey", "kms:Decrypt")
"""What a sender to an encrypted queue or topic has to be allowed to do with the key."""


@dataclass(frozen=True)
class Sender:
    """Who acts on a resource, with the condition keys that AWS sets for him."""

    principal: Principal
    context: Mapping[str, str] = field(default_factory=dict)


class Grants:
    """Answers questions about permissions between services."""

    def __init__(self, world: World) -> None:
        self._world = world

    def service(self, name: str, source_arn: str, account: str) -> Sender:
        """A service (``events`` for events.amazonaws.com) that acts for a resource of ``account``."""
        context = {
            "aws:SourceArn": source_arn,
            "aws:SourceAccount": account,
            "aws:SourceOwner": account,
        }
        organization = self._world.organization.organization_of(account)
        if organization:
            context["aws:SourceOrgID"] = organization
        return Sender(service_principal(f"{name}.amazonaws.com", account), context)

    def assume(self, role_arn: str, service: Sender, session_name: str) -> Sender:
        """A session of a role, for a service. Raises Undeliverable if the role is missing or does not trust it."""
        role = self._world.stores.role(role_arn)
        if role is None:
            raise Undeliverable(NO_PERMISSIONS, f"The role {role_arn} does not exist.")
        decision = self._world.policies.allowed_by_resource(
            role.assume_role_policy_document, service.principal, "sts:AssumeRole", role_arn, service.context
        )
        if decision is not Decision.ALLOW:
            who = service.principal.service
            raise Undeliverable(NO_PERMISSIONS, f"The role {role_arn} cannot be assumed by {who}.")
        return Sender(session_of(role, session_name))

    def refusal(self, sender: Sender, action: str, resource: str) -> str | None:
        """None if the sender may, else why not, in AWS's words."""
        why = self._world.policies.refusal(sender.principal, action, resource, sender.context)
        if why is None:
            return None
        who = sender.principal.service or sender.principal.arn
        return f"{who} is not authorized to perform: {action} on resource: {resource} {why}"

    def allows(self, policy: str, sender: Sender, action: str, resource: str) -> bool:
        """True if one resource policy allows it."""
        decision = self._world.policies.allowed_by_resource(
            policy, sender.principal, action, resource, sender.context
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

    def key_refusal(
        self, key: str, account: str, region: str, sender: Sender, actions: tuple[str, ...]
    ) -> str | None:
        """None if the sender may do all the actions with the key (its id, alias or ARN), else why not.

        ``account`` and ``region`` are those of the resource that is encrypted with it.
        """
        if key.rsplit(":", 1)[-1].startswith("alias/aws/"):
            if sender.principal.kind != "service" and sender.principal.account == account:
                return None
            return f"the AWS managed key {key} cannot be used by others than its account's own principals"
        arn = self.key_arn(key, account, region)
        problem = self._unusable(arn)
        if problem:
            return problem
        whys = (self.refusal(sender, action, arn) for action in actions)
        return next((why for why in whys if why is not None), None)

    def require_key(self, key: str | None, account: str, region: str, sender: Sender) -> None:
        """Raises Undeliverable if what is encrypted with ``key`` (None: nothing) cannot be sent to."""
        why = self.key_refusal(key, account, region, sender, USE_TO_SEND) if key else None
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
