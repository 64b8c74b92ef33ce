"""The stacks of every account and Region, by name, id, export and resource."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from datetime import datetime

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.scope import partition_of
from orgmon.sandbox.cloudformation.stack import Request, StackRecord

_NAME = re.compile(r"^[a-zA-Z][-a-zA-Z0-9]{0,127}$")
_GLOBAL_TYPES = ("AWS::IAM::", "AWS::S3::Bucket")


class Register:
    """All stacks, deleted ones included. ``now`` dates new ones. Safe to use from several threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.RLock()
        self._stacks: dict[tuple[str, str], list[StackRecord]] = {}

    def get(self, account: str, region: str, name_or_id: str) -> StackRecord:
        """The stack of that name (deleted ones only by id). Raises Refusal (ValidationError) when there is none."""
        for stack in self.stacks(account, region):
            if stack.id == name_or_id or (stack.name == name_or_id and not stack.is_gone):
                return stack
        raise Refusal("ValidationError", f"Stack with id {name_or_id} does not exist")

    def find(self, account: str, region: str, name: str) -> StackRecord | None:
        """The living stack of that name, or None."""
        living = (stack for stack in self.stacks(account, region) if not stack.is_gone)
        return next((stack for stack in living if name in (stack.name, stack.id)), None)

    def stacks(self, account: str, region: str) -> list[StackRecord]:
        """All stacks of an account and Region, the newest first, deleted ones included."""
        with self._lock:
            return list(reversed(self._stacks.get((account, region), [])))

    def exports(self, account: str, region: str) -> dict[str, tuple[str, StackRecord]]:
        """Export name -> value and exporting stack."""
        return {
            output.export: (output.value, stack)
            for stack in self.stacks(account, region)
            if not stack.is_gone
            for output in stack.outputs
            if output.export
        }

    def owner(self, account: str, region: str, type_name: str, physical_id: str) -> str:
        """The id of the stack that has this resource, or an empty text. Global types are looked up everywhere."""
        everywhere = type_name.startswith(_GLOBAL_TYPES)
        with self._lock:
            places = [key for key in self._stacks if key[0] == account and (everywhere or key[1] == region)]
            stacks = [stack for key in places for stack in self._stacks[key]]
        for stack in stacks:
            for record in list(stack.resources.values()):
                if record.type == type_name and record.physical_id == physical_id:
                    return stack.id
        return ""

    def add(self, account: str, region: str, name: str, request: Request) -> StackRecord:
        """Register a stack without resources. Raises Refusal for a bad or taken name."""
        if not _NAME.match(name):
            raise Refusal(
                "ValidationError",
                f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
            )
        partition = partition_of(region)[0]
        stack_id = f"arn:{partition}:cloudformation:{region}:{account}:stack/{name}/{uuid.uuid4()}"
        stack = StackRecord(account, region, name, stack_id, self._now(), request)
        with self._lock:
            if self.find(account, region, name):
                raise Refusal("AlreadyExistsException", f"Stack [{name}] already exists")
            self._stacks.setdefault((account, region), []).append(stack)
        return stack

    def export_in_use(self, stack: StackRecord) -> str:
        """The first export of a stack that another living stack imports, or an empty text."""
        names = {output.export for output in stack.outputs if output.export}
        for other in self.stacks(stack.account, stack.region):
            shared = names & other.imports
            if other is not stack and not other.is_gone and shared:
                return sorted(shared)[0]
        return ""
