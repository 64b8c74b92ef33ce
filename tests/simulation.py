"""What each step of a plan does to a State, and what AWS refuses: a small model to check the planner against.

It knows nothing of the planner. Operations succeed at once, except for the pairs that a test lets fail. Accounts
that are not ACTIVE are skipped, INOPERABLE instances are left out of updates, and an update that sends a template
leaves every instance that it does not reach OUTDATED.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orgmon.organization import Organization
from orgmon.plan.step import (
    CreateStack,
    CreateStackInstances,
    CreateStackSet,
    DeleteObjects,
    DeleteStack,
    DeleteStackInstances,
    DeleteStackSet,
    ImportStacksToStackSet,
    PutObject,
    Step,
    UpdateStack,
    UpdateStackSet,
)
from orgmon.stackset import (
    AutoDeployment,
    DeploymentTarget,
    DetailedStatus,
    InstanceStatus,
    Pair,
    PermissionModel,
    Stack,
    StackInstance,
    StackSet,
    State,
)

UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "IMPORT_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_FAILED",
)
NOBODY: frozenset[Pair] = frozenset()
Instances = dict[Pair, StackInstance]


class Refused(AssertionError):
    """AWS would refuse the request."""


@dataclass(frozen=True)
class World:
    """The State of an organization, and the pairs that operations have walked so far.

    ``bucket_stack`` is the stack that holds the artifact bucket.
    """

    state: State
    organization: Organization
    bucket_stack: str = "base"
    walked: frozenset[Pair] = NOBODY

    def after(self, step: Step, failing: frozenset[Pair] = NOBODY) -> World:
        """The world after a step; operations fail in the ``failing`` pairs. Raises Refused."""
        match step:
            case PutObject(artifact=artifact):
                _require(self.state.stack(self.bucket_stack) is not None, "NoSuchBucket")
                return self._with(artifacts=self.state.artifacts | {artifact})
            case DeleteObjects(bucket=bucket):
                left = frozenset(item for item in self.state.artifacts if item.bucket != bucket)
                return self._with(artifacts=left)
            case CreateStack() | UpdateStack() | DeleteStack():
                return self._with(stacks=self._stacks(step))
            case CreateStackSet() | DeleteStackSet():
                return self._with(stack_sets=self._stack_sets(step))
            case UpdateStackSet():
                return self._update(step, failing)
            case CreateStackInstances():
                return self._create(step, failing)
            case DeleteStackInstances():
                return self._delete(step, failing)
            case ImportStacksToStackSet():
                return self._import(step)

    def _with(self, **changes: object) -> World:
        return replace(self, state=replace(self.state, **changes))  # type: ignore[arg-type]

    def _stacks(self, step: CreateStack | UpdateStack | DeleteStack) -> tuple[Stack, ...]:
        name, stack = step.stack.name, self.state.stack(step.stack.name)
        others = tuple(other for other in self.state.stacks if other.name != name)
        if isinstance(step, CreateStack):
            _require(stack is None, f"AlreadyExistsException: {name}")
            return (*others, replace(step.stack, status="CREATE_COMPLETE"))
        if stack is None:
            raise Refused(f"stack {name} does not exist")
        if isinstance(step, DeleteStack):
            full = name == self.bucket_stack and self.state.artifacts
            _require(not full, "BucketNotEmpty")
            return others
        _require(stack.status in UPDATABLE, f"{name} is in {stack.status} state and can not be updated")
        return (*others, replace(step.stack, status="UPDATE_COMPLETE"))

    def _stack_sets(self, step: CreateStackSet | DeleteStackSet) -> tuple[StackSet, ...]:
        name, stack_set = step.stack_set.name, self.state.stack_set(step.stack_set.name)
        others = tuple(other for other in self.state.stack_sets if other.name != name)
        if isinstance(step, CreateStackSet):
            _require(stack_set is None, f"NameAlreadyExistsException: {name}")
            return (
                *others,
                replace(step.stack_set, instances=(), units=(), auto_deployment=step.auto_deployment),
            )
        _require(stack_set is not None and not stack_set.instances, f"StackSetNotEmptyException: {name}")
        return others

    def _stack_set(self, step: Step) -> StackSet:
        stack_set = self.state.stack_set(step.target_name)
        if stack_set is None:
            raise Refused(f"StackSetNotFoundException: {step.target_name}")
        return stack_set

    def _changed(self, stack_set: StackSet, instances: Instances, walked: frozenset[Pair] = NOBODY) -> World:
        changed = replace(stack_set, instances=tuple(instances.values()))
        others = tuple(other for other in self.state.stack_sets if other.name != stack_set.name)
        state = replace(self.state, stack_sets=(*others, changed))
        return replace(self, state=state, walked=self.walked | walked)

    def _update(self, step: UpdateStackSet, failing: frozenset[Pair]) -> World:
        stack_set = self._stack_set(step)
        instances = dict(stack_set.by_pair)
        if step.sends_template:
            stack_set = _with_content(stack_set, step.stack_set)
            instances = {pair: _behind(instance) for pair, instance in instances.items()}
        if step.auto_deployment is not None:
            stack_set = _switched(stack_set, step)
        walked = self._updated(stack_set, step.target)
        for pair in walked:
            instances[pair] = self._brought_up(instances[pair], failing)
        # Switching auto-deployment walks everything, whatever it is for: that reaches nobody on purpose.
        return self._changed(stack_set, instances, NOBODY if step.auto_deployment is not None else walked)

    def _updated(self, stack_set: StackSet, target: DeploymentTarget | None) -> frozenset[Pair]:
        """The pairs that an update walks: those that exist, without INOPERABLE ones."""
        chosen = frozenset(stack_set.by_pair)
        if target is not None:
            named = self._resolved(stack_set, target)
            self_managed = stack_set.permission_model is PermissionModel.SELF_MANAGED
            _require(
                not (self_managed and named - chosen), f"StackInstanceNotFoundException: {named - chosen}"
            )
            self._require_known_units(stack_set, target)
            chosen &= named
        return frozenset(
            pair for pair in chosen if stack_set.by_pair[pair].status is not InstanceStatus.INOPERABLE
        )

    def _create(self, step: CreateStackInstances, failing: frozenset[Pair]) -> World:
        stack_set = self._stack_set(step)
        walked = self._resolved(stack_set, step.target)
        instances = dict(stack_set.by_pair)
        for pair in walked:
            new = StackInstance(*pair, InstanceStatus.OUTDATED, unit_id=self._unit_of(pair, step.target))
            old = instances.get(pair, new)
            _require(old.status is not InstanceStatus.INOPERABLE, f"{pair} is INOPERABLE")
            if old.status is not InstanceStatus.CURRENT:
                instances[pair] = self._brought_up(old, failing)
        stack_set = replace(stack_set, units=tuple(sorted({*stack_set.units, *step.target.units})))
        return self._changed(stack_set, instances, walked)

    def _delete(self, step: DeleteStackInstances, failing: frozenset[Pair]) -> World:
        stack_set = self._stack_set(step)
        self._require_known_units(stack_set, step.target)
        walked = self._resolved(stack_set, step.target) & frozenset(stack_set.by_pair)
        instances = dict(stack_set.by_pair)
        for pair in walked:
            if pair in failing and not step.retain:
                detail = DetailedStatus.INOPERABLE
                instances[pair] = replace(
                    instances[pair], status=InstanceStatus.INOPERABLE, detailed_status=detail
                )
            elif self._is_active(pair.account) or step.retain:
                del instances[pair]
        left = {instance.unit_id for instance in instances.values()}
        stack_set = replace(stack_set, units=tuple(unit for unit in stack_set.units if unit in left))
        return self._changed(stack_set, instances, walked)

    def _import(self, step: ImportStacksToStackSet) -> World:
        """Imported stacks run whatever they ran before; nobody has compared it with the stack set's template."""
        stack_set = self._stack_set(step)
        instances = dict(stack_set.by_pair)
        for identity in step.stack_ids:
            pair = Pair(identity.split(":")[4], identity.split(":")[3])
            _require(pair not in instances, f"{pair} is in the stack set already")
            instances[pair] = StackInstance(
                *pair, InstanceStatus.OUTDATED, stack_id=identity, unit_id=step.unit
            )
        stack_set = replace(stack_set, units=tuple(sorted({*stack_set.units, step.unit} - {""})))
        return self._changed(stack_set, instances, frozenset(instances) - frozenset(stack_set.by_pair))

    def _resolved(self, stack_set: StackSet, target: DeploymentTarget) -> frozenset[Pair]:
        """The pairs that a target means: by unit where the stack set is service-managed."""
        if stack_set.permission_model is PermissionModel.SELF_MANAGED:
            _require(not target.units, "OrganizationalUnitIds are for service-managed stack sets")
            return target.pairs
        _require(bool(target.units), "OrganizationalUnitIds are required")
        below = frozenset().union(*(self.organization.under(unit) for unit in target.units))
        below -= {self.organization.management_account_id}
        accounts = below if target.whole_units else below & target.accounts
        return frozenset(Pair(account, region) for account in accounts for region in target.regions)

    def _require_known_units(self, stack_set: StackSet, target: DeploymentTarget) -> None:
        _require(
            set(target.units) <= set(stack_set.units),
            f"unit of {target.units} not found in StackSet {stack_set.name}",
        )

    def _unit_of(self, pair: Pair, target: DeploymentTarget) -> str:
        return next((unit for unit in target.units if pair.account in self.organization.under(unit)), "")

    def _is_active(self, account_id: str) -> bool:
        account = self.organization.by_id.get(account_id)
        return account is not None and account.is_active

    def _brought_up(self, instance: StackInstance, failing: frozenset[Pair]) -> StackInstance:
        """An instance after its account and Region were walked."""
        if not self._is_active(instance.account):
            return replace(instance, detailed_status=DetailedStatus.SKIPPED_SUSPENDED_ACCOUNT)
        if instance.pair in failing:
            status, detail = InstanceStatus.OUTDATED, DetailedStatus.FAILED
            return replace(instance, status=status, detailed_status=detail, reason="rehearsed")
        identity = (
            instance.stack_id or f"arn:aws:cloudformation:{instance.region}:{instance.account}:stack/s/1"
        )
        return StackInstance(*instance.pair, stack_id=identity, unit_id=instance.unit_id)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Refused(otherwise)


def _with_content(stack_set: StackSet, wanted: StackSet) -> StackSet:
    return replace(
        stack_set,
        template=wanted.template,
        parameters=wanted.parameters,
        tags=wanted.tags,
        description=wanted.description,
        capabilities=wanted.capabilities,
    )


def _behind(instance: StackInstance) -> StackInstance:
    if instance.status is InstanceStatus.INOPERABLE:
        return instance
    return replace(instance, status=InstanceStatus.OUTDATED, detailed_status=DetailedStatus.PENDING)


def _switched(stack_set: StackSet, step: UpdateStackSet) -> StackSet:
    wanted = step.auto_deployment or AutoDeployment()
    service_managed = stack_set.permission_model is PermissionModel.SERVICE_MANAGED
    _require(service_managed, "AutoDeployment is for service-managed stack sets")
    _require(step.target is None, "AutoDeployment cannot be changed together with targets")
    return replace(stack_set, auto_deployment=wanted)
