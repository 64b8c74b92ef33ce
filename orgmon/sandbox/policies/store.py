"""The organization's policies, and what they are attached to.

Source: Organizations API reference (the errors of each operation); user guide, "Enabling a policy type": with the
type every root, unit and account has the policy that allows everything, also those that come later; "Disabling a
policy type": all attachments of the type are gone.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, replace

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.organization import Change, OrgView
from orgmon.sandbox.policies.syntax import LIMITS, RCP, SCP, check_content

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Policy:
    """One policy. ``content`` is the document as it was given."""

    id: str
    kind: str
    name: str
    description: str
    content: str
    is_aws_managed: bool = False


_ALL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", %s"Action": "*", "Resource": "*"}]}'
FULL_ACCESS = {
    SCP: Policy(
        "p-FullAWSAccess", SCP, "FullAWSAccess", "Allows access to every operation.", _ALL % "", True
    ),
    RCP: Policy(
        "p-RCPFullAWSAccess",
        RCP,
        "RCPFullAWSAccess",
        "Allows access to every resource.",
        _ALL % '"Principal": "*", ',
        True,
    ),
}


class OrganizationPolicies:
    """All policies. Methods that change something raise Refusal as the Organizations API does."""

    def __init__(self, view: OrgView) -> None:
        self._view = view
        self._lock = threading.RLock()
        self._policies = {policy.id: policy for policy in FULL_ACCESS.values()}
        self._attached: dict[tuple[str, str], tuple[str, ...]] = {}
        self.enabled: frozenset[str] = frozenset()
        view.on_account_changed(self._account_changed)

    def of_kind(self, kind: str) -> list[Policy]:
        """The policies of a type, AWS's own first."""
        return [policy for policy in self._policies.values() if policy.kind == kind]

    def get(self, policy_id: str) -> Policy:
        """A policy. Raises Refusal if there is none of that id."""
        policy = self._policies.get(policy_id)
        if policy is None:
            raise Refusal("PolicyNotFoundException", "You specified a policy that doesn't exist.")
        return policy

    def attached(self, kind: str, target: str) -> tuple[Policy, ...]:
        """What is attached directly to a root, unit or account; nothing while the type is not enabled."""
        if kind not in self.enabled:
            return ()
        ids = self._attached.get((kind, target), (FULL_ACCESS[kind].id,))
        return tuple(self._policies[policy_id] for policy_id in ids)

    def targets(self, policy: Policy) -> list[str]:
        """The roots, units and accounts that a policy is attached to."""
        known = [*self._view.units, *self._view.accounts]
        return [target for target in known if policy in self.attached(policy.kind, target)]

    def create(self, kind: str, name: str, description: str, content: str) -> Policy:
        """A new policy."""
        check_content(kind, content)
        with self._lock:
            self._check_name(kind, name, "")
            if len(self.of_kind(kind)) > LIMITS[kind].policies:
                text = "You have exceeded the number of policies that an organization can have."
                raise _violation("POLICY_NUMBER_LIMIT_EXCEEDED", text)
            policy_id = "p-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
            policy = Policy(policy_id, kind, name, description, content)
            self._policies[policy_id] = policy
            self._view.policy_ids.add(policy_id)
            return policy

    def update(
        self, policy_id: str, name: str | None, description: str | None, content: str | None
    ) -> Policy:
        """Another name, description or content; what is None stays."""
        with self._lock:
            policy = self._own(policy_id)
            if content is not None:
                check_content(policy.kind, content)
            if name is not None:
                self._check_name(policy.kind, name, policy_id)
            policy = replace(
                policy,
                name=policy.name if name is None else name,
                description=policy.description if description is None else description,
                content=policy.content if content is None else content,
            )
            self._policies[policy_id] = policy
            return policy

    def delete(self, policy_id: str) -> None:
        """Remove a policy that is attached to nothing."""
        with self._lock:
            policy = self._own(policy_id)
            if self.targets(policy):
                text = "The policy is attached to one or more entities. You must detach it from all of them first."
                raise Refusal("PolicyInUseException", text)
            del self._policies[policy_id]
            self._view.policy_ids.discard(policy_id)

    def attach(self, policy_id: str, target: str) -> None:
        """Attach a policy to a root, unit or account."""
        with self._lock:
            policy = self.get(policy_id)
            self.check_target(target)
            if policy.kind not in self.enabled:
                text = "This operation can be performed only for enabled policy types."
                raise Refusal("PolicyTypeNotEnabledException", text)
            there = self.attached(policy.kind, target)
            if policy in there:
                text = "The policy is already attached to the target."
                raise Refusal("DuplicatePolicyAttachmentException", text)
            if len(there) >= LIMITS[policy.kind].attached:
                text = "You have attached the maximum number of policies of this type to the target."
                raise _violation("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", text)
            self._put(policy.kind, target, (*there, policy))

    def detach(self, policy_id: str, target: str) -> None:
        """Detach a policy; one service control policy must be left, and the default resource control policy."""
        with self._lock:
            policy = self.get(policy_id)
            self.check_target(target)
            there = self.attached(policy.kind, target)
            if policy not in there:
                text = "The policy isn't attached to the specified target in the specified root."
                raise Refusal("PolicyNotAttachedException", text)
            if policy == FULL_ACCESS[RCP]:
                raise _invalid("NON_DETACHABLE_POLICY", "You can't detach this policy.")
            if len(there) == 1:
                text = "You cannot remove the last policy attached to the specified target. You must have at least one."
                raise _violation("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", text)
            self._put(policy.kind, target, tuple(each for each in there if each != policy))

    def enable(self, kind: str, root: str) -> None:
        """Enable a type: from now on everything has the policy that allows everything."""
        self._check_root(root)
        if kind in self.enabled:
            text = "The specified policy type is already enabled in the specified root."
            raise Refusal("PolicyTypeAlreadyEnabledException", text)
        self.enabled |= {kind}

    def disable(self, kind: str, root: str) -> None:
        """Disable a type: its policies stay, their attachments go."""
        self._check_root(root)
        if kind not in self.enabled:
            text = "The specified policy type isn't currently enabled in this root."
            raise Refusal("PolicyTypeNotEnabledException", text)
        with self._lock:
            self.enabled -= {kind}
            self._attached = {key: ids for key, ids in self._attached.items() if key[0] != kind}

    def check_target(self, target: str) -> None:
        """Raises Refusal for what is no root, unit or account of the organization."""
        if target not in self._view.units and target not in self._view.accounts:
            raise Refusal("TargetNotFoundException", "You specified a target that doesn't exist.")

    def _check_root(self, root: str) -> None:
        if root != self._view.root_id:
            raise Refusal("RootNotFoundException", "You specified a root that doesn't exist.")

    def _own(self, policy_id: str) -> Policy:
        policy = self.get(policy_id)
        if policy.is_aws_managed:
            raise _invalid(
                "IMMUTABLE_POLICY", "You specified a policy that is managed by AWS and can't be modified."
            )
        return policy

    def _check_name(self, kind: str, name: str, but: str) -> None:
        if any(policy.name == name and policy.id != but for policy in self.of_kind(kind)):
            raise Refusal("DuplicatePolicyException", "A policy with the same name already exists.")

    def _put(self, kind: str, target: str, policies: tuple[Policy, ...]) -> None:
        self._attached[kind, target] = tuple(policy.id for policy in policies)

    def _account_changed(self, kind: Change, account: str, old_parent: str, new_parent: str) -> None:
        """What has left comes back without its attachments."""
        if kind == "REMOVED":
            with self._lock:
                self._attached = {key: ids for key, ids in self._attached.items() if key[1] != account}


def _violation(reason: str, text: str) -> Refusal:
    return Refusal("ConstraintViolationException", text, details={"Reason": reason})


def _invalid(reason: str, text: str) -> Refusal:
    return Refusal("InvalidInputException", text, details={"Reason": reason})
