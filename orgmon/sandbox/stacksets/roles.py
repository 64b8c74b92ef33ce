"""Who acts in the target accounts, and whether the roles for that are there and trust each other.

Sources: CloudFormation user guide, "Grant self-managed permissions" (what both roles need; a principal of its own
for each opt-in Region), "Grant service-managed permissions"; API reference, CreateStackSet (ExecutionRoleName is a
name without a path, so that the role is ``role/NAME``).
"""

from __future__ import annotations

import hashlib
import json
import threading

from orgmon.regions import OPT_IN_REGIONS
from orgmon.sandbox import managed_policies
from orgmon.sandbox.calls import Principal, Refusal, service_principal
from orgmon.sandbox.policies.links import Source
from orgmon.sandbox.policies.switches import Switch
from orgmon.sandbox.policy import Decision
from orgmon.sandbox.seed import STACKSETS_PRINCIPAL
from orgmon.sandbox.stacksets.records import StackSetRecord
from orgmon.sandbox.stacksets.refusals import invalid
from orgmon.sandbox.sts import session_of
from orgmon.sandbox.world import World

DEFAULT_ADMINISTRATION_ROLE = "AWSCloudFormationStackSetAdministrationRole"
DEFAULT_EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"
_SERVICE_ROLE = (
    "aws-service-role/stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgAdmin"
)
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_SESSION = "AWSCloudFormation"
_ASSUME = "sts:AssumeRole"
_CLOUDFORMATION = "cloudformation.amazonaws.com"
# One call of each kind stands for "cloudformation:*" and "s3:*".
_MINIMUM = (
    "cloudformation:GetTemplateSummary",
    "cloudformation:CreateStack",
    "s3:GetObject",
    "s3:PutObject",
)


def default_administration_role(account: str) -> str:
    """The ARN of the administration role that is used when none is given."""
    return f"arn:aws:iam::{account}:role/{DEFAULT_ADMINISTRATION_ROLE}"


def service_administration_role(account: str) -> str:
    """The ARN that a service-managed stack set shows as its administration role."""
    return f"arn:aws:iam::{account}:role/{_SERVICE_ROLE}"


def service_execution_role(org_id: str) -> str:
    """The name of the role that AWS makes in each target of a service-managed set; the same in the organization."""
    return f"stacksets-exec-{hashlib.sha256(org_id.encode()).hexdigest()[:32]}"


class Roles:
    """The way into target accounts. Safe to use from several threads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._furnished: set[str] = set()

    def enter(self, stack_set: StackSetRecord, account: str, region: str) -> Principal:
        """A session of the execution role in a target. Raises Refusal with the instance's StatusReason."""
        if stack_set.is_service_managed:
            return self._enter_as_service(stack_set, account)
        return self._enter_by_roles(stack_set, account, region)

    def _enter_as_service(self, stack_set: StackSetRecord, account: str) -> Principal:
        name = stack_set.settings.execution_role
        self._furnish(account, name)
        role = self._world.stores.role_named(account, name)
        if role is None or not self._trusts_service(
            role.assume_role_policy_document, STACKSETS_PRINCIPAL, STACKSETS_PRINCIPAL, stack_set
        ):
            raise _no_way_in(account, name, _SERVICE_ROLE)
        return session_of(role, _SESSION)

    def _furnish(self, account: str, name: str) -> None:
        """Make the execution role, the first time that an account is a target; after that it is left alone."""
        with self._lock:
            if account in self._furnished:
                return
            self._furnished.add(account)
            managed_policies.ensure(self._world.stores, account, _ADMINISTRATOR)
            iam = self._world.stores.iam(account)
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": STACKSETS_PRINCIPAL},
                "Action": _ASSUME,
            }
            trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.create_role(name, trust, "/", None, "", [], "3600")
            iam.attach_role_policy(_ADMINISTRATOR, name)

    def _enter_by_roles(self, stack_set: StackSetRecord, account: str, region: str) -> Principal:
        administrator = self._world.stores.role(stack_set.settings.administration_role)
        principal = f"cloudformation.{region}.amazonaws.com" if region in OPT_IN_REGIONS else _CLOUDFORMATION
        if administrator is None or not self._trusts_service(
            administrator.assume_role_policy_document, principal, _CLOUDFORMATION, stack_set
        ):
            name = stack_set.settings.administration_role.rsplit("/", 1)[-1]
            raise invalid(
                f"Account {stack_set.account} should have '{name}' role with trust relationship to "
                "CloudFormation service."
            )
        session = session_of(administrator, _SESSION)
        role = None
        if self._world.organization.exists(account):
            role = self._world.stores.role(f"arn:aws:iam::{account}:role/{stack_set.settings.execution_role}")
        if role is None or self._world.policies.refusal(session, _ASSUME, role.arn) is not None:
            raise _no_way_in(account, stack_set.settings.execution_role, administrator.name)
        execution = session_of(role, _SESSION)
        self._require_minimum(execution)
        return execution

    def _require_minimum(self, execution: Principal) -> None:
        """All of CloudFormation and S3: which calls StackSets really makes is told nowhere."""
        if not self._world.switches.is_on(Switch.EXECUTION_ROLE_MINIMUM):
            return
        for action in _MINIMUM:
            if self._world.policies.allowed_by_identity(execution, action, "*") is not Decision.ALLOW:
                raise Refusal(
                    "AccessDenied",
                    f"User: {execution.arn} is not authorized to perform: {action} on resource: * because no "
                    f"identity-based policy allows the {action} action",
                    403,
                )

    def _trusts_service(self, document: str, principal: str, service: str, stack_set: StackSetRecord) -> bool:
        """Whether a trust policy lets a principal of a service in that acts for the stack set."""
        source = Source(stack_set.arn, stack_set.account)
        context = self._world.links.of(service.removesuffix(".amazonaws.com"), _ASSUME, "role", source)
        decision = self._world.policies.allowed_by_resource(
            document, service_principal(principal), _ASSUME, "*", context
        )
        return decision is Decision.ALLOW


def _no_way_in(account: str, role: str, administrator: str) -> Refusal:
    return invalid(
        f"Account {account} should have '{role}' role with trust relationship to Role '{administrator}'."
    )
