"""Plain stacks of CloudFormation as a boto3 client: just enough of their life for every turn it can take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fake_client import check, refused

TEMPLATE = '{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}'
NOTHING = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


@dataclass
class StackRecord:
    """A stack. Each look at it takes the next of ``to_come``, the statuses that it still goes through."""

    name: str
    status: str
    template: str = TEMPLATE
    to_come: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    change_sets: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The ARN."""
        return f"arn:aws:cloudformation:eu-central-1:100000000000:stack/{self.name}/1"

    def tell(self, resource: str, status: str, reason: str = "") -> None:
        """Write an event, the newest first, as AWS lists them."""
        is_stack = resource == self.name
        self.events.insert(
            0,
            {
                "StackId": self.id,
                "LogicalResourceId": resource,
                "PhysicalResourceId": self.id if is_stack else f"{resource}-1",
                "ResourceType": "AWS::CloudFormation::Stack" if is_stack else "AWS::SNS::Topic",
                "ResourceStatus": status,
                **({"ResourceStatusReason": reason} if reason else {}),
            },
        )

    def enter(self, status: str) -> None:
        """Take on a status."""
        self.status = status
        self.tell(self.name, status)


class FakeCloudFormation:
    """A client of boto3's. What it does can be bent: ``before`` runs something once before a call, ``repeated`` names
    calls whose first answer is lost, so that botocore makes them again, ``failing`` makes changes end badly.
    """

    def __init__(self, *stacks: StackRecord) -> None:
        self.stacks = {stack.name: stack for stack in stacks}
        self.calls: Counter[str] = Counter()
        self.tokens: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.repeated: set[str] = set()
        self.failing = False
        self.impossible = ""

    def get_paginator(self, method: str) -> FakeCloudFormation:
        """The only pages that are asked for are those of events."""
        assert method == "describe_stack_events"
        return self

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Events, two on a page."""
        self._begin("describe_stack_events", arguments)
        events = self._stack(arguments["StackName"]).events
        for begin in range(0, len(events), 2):
            yield {"StackEvents": events[begin : begin + 2]}

    def describe_stacks(self, **arguments: Any) -> dict[str, Any]:
        """One stack, a step further in its life."""
        self._begin("describe_stacks", arguments)
        stack = self._stack(arguments["StackName"])
        if stack.to_come:
            stack.enter(stack.to_come.pop(0))
        if stack.status == "DELETE_COMPLETE":
            del self.stacks[stack.name]
        return {"Stacks": [{"StackName": stack.name, "StackId": stack.id, "StackStatus": stack.status}]}

    def get_template(self, **arguments: Any) -> dict[str, Any]:
        """The template as it was sent."""
        self._begin("get_template", arguments)
        return {"TemplateBody": self._stack(arguments["StackName"]).template}

    def delete_stack(self, **arguments: Any) -> None:
        """Begin to delete; that there is none is fine."""
        self._begin("delete_stack", arguments)
        stack = self.stacks.get(arguments["StackName"])
        if stack is not None:
            stack.enter("DELETE_IN_PROGRESS")
            stack.to_come = ["DELETE_FAILED" if self.failing else "DELETE_COMPLETE"]
            if self.failing:
                stack.tell("Bucket", "DELETE_FAILED", "The bucket is not empty")

    def create_change_set(self, **arguments: Any) -> dict[str, Any]:
        """A change set, and a stack in REVIEW_IN_PROGRESS where it is to create one."""
        self._begin("create_change_set", arguments)
        result = self._create(arguments)
        if "create_change_set" in self.repeated:
            self._create(arguments)
        return result

    def _create(self, arguments: dict[str, Any]) -> dict[str, Any]:
        name, kind = arguments["StackName"], arguments["ChangeSetType"]
        stack = self.stacks.get(name)
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                text = f"Stack [{name}] already exists and cannot be created again with the changeSet [c]."
                raise refused("ValidationError", text)
            stack = self.stacks.setdefault(name, StackRecord(name, "REVIEW_IN_PROGRESS", ""))
        else:
            stack = self._stack(name)
            if stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
                text = f"Stack:{stack.id} is in {stack.status} state and can not be updated."
                raise refused("ValidationError", text)
        self.plan(stack, arguments["ChangeSetName"], arguments["TemplateBody"])
        return {}

    def plan(self, stack: StackRecord, change_set: str, template: str) -> None:
        """Make a change set, whoever wants it."""
        if change_set in stack.change_sets:
            raise refused("AlreadyExistsException", f"ChangeSet [{change_set}] already exists")
        reason = self.impossible or (NOTHING if template == stack.template else "")
        stack.change_sets[change_set] = {
            "ChangeSetId": f"arn:{change_set}/{sum(self.calls.values())}",
            "Status": "CREATE_PENDING",
            "ExecutionStatus": "UNAVAILABLE",
            "template": template,
            "reason": reason,
        }

    def describe_change_set(self, **arguments: Any) -> dict[str, Any]:
        """A change set; once it was looked at it is worked out."""
        self._begin("describe_change_set", arguments)
        change_set = self._change_set(arguments)
        told = dict(change_set)
        if change_set["Status"] == "CREATE_PENDING" and change_set["reason"]:
            change_set |= {"Status": "FAILED", "StatusReason": change_set["reason"]}
        elif change_set["Status"] == "CREATE_PENDING":
            change_set |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE"}
        return told

    def delete_change_set(self, **arguments: Any) -> None:
        """Delete a change set."""
        self._begin("delete_change_set", arguments)
        self._change_set(arguments)
        del self._stack(arguments["StackName"]).change_sets[arguments["ChangeSetName"]]

    def execute_change_set(self, **arguments: Any) -> None:
        """Begin a change."""
        self._begin("execute_change_set", arguments)
        self.tokens.append(arguments["ClientRequestToken"])
        for _ in range(2 if "execute_change_set" in self.repeated else 1):
            change_set = self._change_set(arguments)
            if change_set["ExecutionStatus"] != "AVAILABLE":
                text = f"ChangeSet [c] cannot be executed in its current status of [{change_set['ExecutionStatus']}]"
                raise refused("InvalidChangeSetStatus", text)
            self.change(self._stack(arguments["StackName"]), arguments["ChangeSetName"])

    def change(self, stack: StackRecord, change_set: str) -> None:
        """Execute a change set, whoever wants it; all others are overtaken by it."""
        kind = "CREATE" if stack.status == "REVIEW_IN_PROGRESS" else "UPDATE"
        for other in stack.change_sets.values():
            other["ExecutionStatus"] = "OBSOLETE"
        stack.change_sets[change_set]["ExecutionStatus"] = "EXECUTE_COMPLETE"
        bad = ["ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"]
        stack.enter(f"{kind}_IN_PROGRESS")
        if self.failing:
            stack.tell("Topic", f"{kind}_FAILED", "Topic already exists")
            stack.tell("Queue", f"{kind}_FAILED", "Resource creation cancelled")
            stack.to_come = [f"{kind}_FAILED", *bad]
        else:
            stack.template = stack.change_sets[change_set]["template"]
            stack.to_come = [f"{kind}_COMPLETE"]

    def _begin(self, method: str, arguments: dict[str, Any]) -> None:
        check("cloudformation", method, arguments)
        self.calls[method] += 1
        self.before.pop(method, lambda: None)()

    def _stack(self, name: str) -> StackRecord:
        if name not in self.stacks:
            raise refused("ValidationError", f"Stack [{name}] does not exist")
        return self.stacks[name]

    def _change_set(self, arguments: dict[str, Any]) -> dict[str, Any]:
        name = arguments["ChangeSetName"]
        for known, change_set in self._stack(arguments["StackName"]).change_sets.items():
            if name in (known, change_set["ChangeSetId"]):
                return change_set
        raise refused("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")
