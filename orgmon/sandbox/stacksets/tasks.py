"""What each kind of operation does to the instances it covers, before, while and after it works on them.

``begin`` and ``settle`` run under the engine's lock, ``perform`` does not. Statuses: API reference, StackInstance
and StackInstanceComprehensiveStatus.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from orgmon.sandbox.stacksets.arithmetic import Pair
from orgmon.sandbox.stacksets.member import Aim, Member, aim_of
from orgmon.sandbox.stacksets.outcome import End, Outcome
from orgmon.sandbox.stacksets.records import USER_INITIATED, Instance, StackSetRecord

Overrides = Mapping[str, tuple[str | None, bool]]
"""Parameter name -> (value, keep the previous one)."""
BANNED = (
    "StackSets with SERVICE_MANAGED permission model do not support templates with nested stacks, transforms "
    "or macros"
)


class Task(ABC):
    """Base of all kinds. ``outdates_cancelled``: an instance that is never reached is OUTDATED after it."""

    action = "UPDATE"
    seconds = 0.0
    shows_roles = True
    outdates_cancelled = True

    def __init__(self, member: Member) -> None:
        self._member = member
        self._aims: dict[Pair, Aim] = {}
        self._whole_units: tuple[str, ...] = ()
        self._regions: tuple[str, ...] = ()

    @abstractmethod
    def begin(self, stack_set: StackSetRecord) -> list[Instance]:
        """Choose and mark the instances. Raises Refusal where one that must be there is not; then nothing is done."""

    def problem(self, stack_set: StackSetRecord) -> str:
        """Why the whole operation must fail before it works on anything; mostly empty."""
        return ""

    def touches(self, instance: Instance) -> bool:
        """Whether anything is done to an instance that the operation covers."""
        return True

    def perform(self, stack_set: StackSetRecord, instance: Instance) -> Outcome:
        """Work on one instance. Raises nothing."""
        return self._member.deploy(stack_set, instance, self._aims[instance.pair])

    def settle(self, stack_set: StackSetRecord, instance: Instance, outcome: Outcome) -> None:
        """Write down how the work on one instance ended."""
        instance.reason = outcome.reason
        instance.stack_id = outcome.stack_id
        instance.has_stack = outcome.stack_is_there
        if outcome.end is End.SKIPPED:
            instance.detailed = "SKIPPED_SUSPENDED_ACCOUNT"
        elif outcome.is_inoperable:
            instance.status = instance.detailed = "INOPERABLE"
        else:
            is_good = outcome.end is End.SUCCEEDED
            instance.status = "CURRENT" if is_good else "OUTDATED"
            instance.detailed = outcome.end.value

    def cancel(self, instance: Instance, reason: str) -> None:
        """Write down that an instance was not worked on."""
        instance.detailed = "CANCELLED"
        instance.reason = reason
        if self.outdates_cancelled and instance.status == "CURRENT":
            instance.status = "OUTDATED"

    def end(self, stack_set: StackSetRecord) -> None:
        """The operation is over: forget the targets that it has removed as a whole."""
        for unit_id in self._whole_units:
            stack_set.forget_target(unit_id, self._regions)

    def _aim(self, stack_set: StackSetRecord, instances: list[Instance]) -> None:
        for instance in instances:
            self._aims[instance.pair] = aim_of(stack_set, instance)


class Creation(Task):
    """CreateStackInstances. ``choose`` says for which pairs, with the unit that each was reached by."""

    action = "CREATE"

    def __init__(
        self,
        member: Member,
        choose: Callable[[StackSetRecord], Mapping[Pair, str]],
        overrides: Overrides | None = None,
    ) -> None:
        super().__init__(member)
        self._choose = choose
        self._overrides = overrides

    def begin(self, stack_set: StackSetRecord) -> list[Instance]:
        """New records for missing pairs; OUTDATED ones are tried again, the others left as they are."""
        covered = []
        to_do = []
        for pair, unit_id in self._choose(stack_set).items():
            instance = stack_set.instances.get(pair)
            if instance is None:
                instance = Instance(*pair, unit_id, f"StackSet-{stack_set.name}-{uuid.uuid4()}")
                stack_set.instances[pair] = instance
            if instance.status == "OUTDATED":
                mark_pending(instance)
                instance.overrides = overridden(instance.overrides, self._overrides)
                to_do.append(instance)
            covered.append(instance)
        self._aim(stack_set, to_do)
        return covered

    def problem(self, stack_set: StackSetRecord) -> str:
        """Service-managed sets cannot deploy nested stacks and macros."""
        return banned_in(stack_set)

    def touches(self, instance: Instance) -> bool:
        """An instance that is CURRENT already is not touched."""
        return instance.pair in self._aims

    def perform(self, stack_set: StackSetRecord, instance: Instance) -> Outcome:
        """Make the stack."""
        if self.touches(instance):
            return super().perform(stack_set, instance)
        end = End.FAILED if instance.status == "INOPERABLE" else End.SUCCEEDED
        return Outcome(end, instance.reason, took_time=False)

    def settle(self, stack_set: StackSetRecord, instance: Instance, outcome: Outcome) -> None:
        """Write the end down, unless the instance was not touched."""
        if self.touches(instance):
            super().settle(stack_set, instance, outcome)

    def cancel(self, instance: Instance, reason: str) -> None:
        """An instance that would not have been touched stays as it is."""
        if self.touches(instance):
            super().cancel(instance, reason)


class Update(Task):
    """UpdateStackSet.

    ``apply`` changes the stack set first; ``outdates``: every instance is OUTDATED from then on, targeted or not.
    """

    def __init__(
        self,
        member: Member,
        choose: Callable[[StackSetRecord], list[Instance]],
        apply: Callable[[StackSetRecord], None],
        *,
        outdates: bool,
    ) -> None:
        super().__init__(member)
        self._choose = choose
        self._apply = apply
        self._outdates = outdates

    def begin(self, stack_set: StackSetRecord) -> list[Instance]:
        """Change the set, mark all instances that it concerns; INOPERABLE ones are left out."""
        chosen = [instance for instance in self._choose(stack_set) if instance.status != "INOPERABLE"]
        self._apply(stack_set)
        if self._outdates:
            for instance in stack_set.instances.values():
                if instance.status != "INOPERABLE":
                    mark_pending(instance)
                    instance.status = "OUTDATED"
        for instance in chosen:
            mark_pending(instance)
        self._aim(stack_set, chosen)
        return chosen

    def problem(self, stack_set: StackSetRecord) -> str:
        """Service-managed sets cannot deploy nested stacks and macros."""
        return banned_in(stack_set)


class Overriding(Task):
    """UpdateStackInstances: other parameter values for some instances. None: the overrides stay."""

    def __init__(
        self,
        member: Member,
        choose: Callable[[StackSetRecord], list[Instance]],
        overrides: Overrides | None,
    ) -> None:
        super().__init__(member)
        self._choose = choose
        self._overrides = overrides

    def begin(self, stack_set: StackSetRecord) -> list[Instance]:
        """Change the overrides and mark the instances."""
        chosen = [instance for instance in self._choose(stack_set) if instance.status != "INOPERABLE"]
        for instance in chosen:
            instance.overrides = overridden(instance.overrides, self._overrides)
            instance.status = "OUTDATED"
            mark_pending(instance)
        self._aim(stack_set, chosen)
        return chosen


class Deletion(Task):
    """DeleteStackInstances. ``whole_units``: these units are no targets any more when their instances are gone."""

    action = "DELETE"
    outdates_cancelled = False

    def __init__(
        self,
        member: Member,
        choose: Callable[[StackSetRecord], list[Instance]],
        *,
        retain: bool,
        whole_units: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(member)
        self._choose = choose
        self._retain = retain
        self._whole_units = whole_units
        self._regions = regions

    def begin(self, stack_set: StackSetRecord) -> list[Instance]:
        """Mark the instances that are there."""
        chosen = self._choose(stack_set)
        for instance in chosen:
            mark_pending(instance)
        return chosen

    def perform(self, stack_set: StackSetRecord, instance: Instance) -> Outcome:
        """Remove the stack, or leave it behind."""
        return self._member.delete(stack_set, instance, retain=self._retain)

    def settle(self, stack_set: StackSetRecord, instance: Instance, outcome: Outcome) -> None:
        """The record goes with the stack."""
        if outcome.end is End.SUCCEEDED:
            del stack_set.instances[instance.pair]
        else:
            super().settle(stack_set, instance, outcome)


class Foreign(Task):
    """Somebody else's operation, of which only is known that it takes its time (seconds of real time)."""

    shows_roles = False

    def __init__(self, member: Member, seconds: float) -> None:
        super().__init__(member)
        self.seconds = seconds

    def begin(self, stack_set: StackSetRecord) -> list[Instance]:
        """It touches nothing of ours."""
        return []


def mark_pending(instance: Instance) -> None:
    """An operation will come to this instance."""
    instance.detailed = "PENDING"
    instance.reason = USER_INITIATED


def overridden(before: dict[str, str], given: Overrides | None) -> dict[str, str]:
    """The overrides after a request: unchanged without any, else exactly those that are given."""
    if given is None:
        return dict(before)
    overrides = {}
    for name, (value, keep) in given.items():
        if keep and name in before:
            overrides[name] = before[name]
        elif not keep:
            overrides[name] = value or ""
    return overrides


def banned_in(stack_set: StackSetRecord) -> str:
    """Why a service-managed set cannot deploy its template; empty when it can."""
    if not stack_set.is_service_managed:
        return ""
    nested = "AWS::CloudFormation::Stack" in stack_set.settings.template.resource_types
    return (
        BANNED
        if nested
        or stack_set.settings.template.transforms
        or "Fn::Transform" in stack_set.settings.template.text
        else ""
    )
