"""The stack sets of every account and Region, by name, id, ARN and stack."""

from __future__ import annotations

import threading

from orgmon.sandbox.stacksets.records import StackSetRecord

Home = tuple[str, str]
"""Account and Region in which a stack set lives."""


class Register:
    """All stack sets, deleted ones included. Hold ``lock`` to read or change records."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._sets: dict[Home, list[StackSetRecord]] = {}

    def sets(self, home: Home) -> list[StackSetRecord]:
        """The stack sets of an account and Region, in order of creation, deleted ones included."""
        with self.lock:
            return list(self._sets.get(home, []))

    def active(self) -> list[StackSetRecord]:
        """The active stack sets of all accounts and Regions."""
        with self.lock:
            return [each for sets in self._sets.values() for each in sets if each.status == "ACTIVE"]

    def find(self, home: Home, name_or_id: str) -> StackSetRecord | None:
        """The stack set of that name, id or ARN; a deleted one only by its id."""
        for each in self.sets(home):
            if name_or_id in (each.id, each.arn) or (each.name == name_or_id and each.status == "ACTIVE"):
                return each
        return None

    def add(self, stack_set: StackSetRecord) -> None:
        """Register a new stack set."""
        with self.lock:
            self._sets.setdefault((stack_set.account, stack_set.region), []).append(stack_set)

    def holder_of(self, stack_id: str) -> StackSetRecord | None:
        """The stack set that a stack belongs to, or None."""
        with self.lock:
            for stack_set in self.active():
                if any(
                    instance.has_stack and instance.stack_id == stack_id
                    for instance in stack_set.instances.values()
                ):
                    return stack_set
        return None
