"""Single calls on plain stacks, through change sets, so that what was retained is adopted."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from orgmon.aws.change_sets import ChangeSet, Outcome
from orgmon.aws.errors import DENIED, translated
from orgmon.aws.session import Sessions
from orgmon.aws.waiting import Sleep, waits
from orgmon.errors import AwsError, DeploymentError, NotFoundError
from orgmon.failure import is_denial
from orgmon.stackset import Stack, TemplateBody, is_changing

# How often a change is asked for anew because another one came first.
ATTEMPTS = 5
# Until an execution or a deletion has begun the stack still shows its old status; seconds, as a rule.
BEGINNING = 25
# What CloudFormation says where a stack has come, gone or begun to change since it was last looked at.
OVERTAKEN = re.compile(r"(?i)\bstack\b.*(_IN_PROGRESS|already exists|does not exist)")
# A stack's own status as a change of it begins; those of a rollback are part of the change that failed.
BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS")


class Stacks:
    """Plain stacks of the management account."""

    def __init__(self, sessions: Sessions, sleep: Sleep = time.sleep) -> None:
        self._sessions = sessions
        self._sleep = sleep

    def read(self, name: str, account: str, region: str) -> Stack | None:
        """A stack with its template, or None where there is none."""
        told = self._describe(name, account, region)
        if told is None:
            return None
        client = self._sessions.management("cloudformation", region)
        with translated("cloudformation:GetTemplate", account=account, region=region, of=name):
            body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        return Stack(
            name=name,
            account=account,
            region=region,
            template=TemplateBody(body) if isinstance(body, str) else TemplateBody.of(body),
            parameters=tuple(
                sorted((item["ParameterKey"], item["ParameterValue"]) for item in told.get("Parameters", []))
            ),
            capabilities=tuple(told.get("Capabilities", [])),
            tags=tuple((tag["Key"], tag["Value"]) for tag in told.get("Tags", [])),
            status=told["StackStatus"],
            reason=told.get("StackStatusReason", ""),
        )

    def _describe(self, name: str, account: str, region: str) -> dict[str, Any] | None:
        """A stack as DescribeStacks tells it; None where there is none (any more)."""
        client = self._sessions.management("cloudformation", region)
        try:
            with translated("cloudformation:DescribeStacks", account=account, region=region, of=name):
                told: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
        except AwsError as error:
            if isinstance(error, NotFoundError) or "does not exist" in error.message:
                return None
            raise
        return None if told["StackStatus"] == "DELETE_COMPLETE" else told

    def apply(self, stack: Stack, template: Mapping[str, str]) -> None:
        """Create or update a stack through a change set and wait for its end.

        ``template`` is TemplateBody or TemplateURL. A change that somebody else makes meanwhile is waited for, and then
        it is looked at what is still to do. Raises DeploymentError with the first failed resource and its reason.
        """
        client = self._sessions.management("cloudformation", stack.region)
        change_set = ChangeSet(client, stack, self._sleep)
        for seconds in islice(waits(first=1.0), ATTEMPTS):
            before = self._quiet(stack)
            outcome = self._carry_out(change_set, before, template)
            if outcome is Outcome.EXECUTED:
                self._begun(stack, change_set)
                self.settle(stack)
            if outcome is not Outcome.OVERTAKEN:
                return
            self._sleep(seconds)
            if self._quiet(stack) not in (before, "REVIEW_IN_PROGRESS"):
                self.settle(stack)
        raise DeploymentError(
            f"{stack.name} in account {stack.account}, {stack.region}: other changes came first {ATTEMPTS} times",
            "find out who else changes this stack, then run the same command again",
        )

    def _carry_out(self, change_set: ChangeSet, status: str | None, template: Mapping[str, str]) -> Outcome:
        try:
            return change_set.carry_out(
                "CREATE" if status in (None, "REVIEW_IN_PROGRESS") else "UPDATE", template
            )
        except AwsError as error:
            if error.code == "ValidationError" and OVERTAKEN.search(error.message):
                return Outcome.OVERTAKEN
            raise

    def _begun(self, stack: Stack, change_set: ChangeSet) -> None:
        for seconds in islice(waits(), BEGINNING):
            if change_set.is_over() or is_changing(self._status(stack)):
                return
            self._sleep(seconds)
        raise DeploymentError(
            f"{stack.name}: CloudFormation does not begin to execute change set {change_set.name}",
            "run the same command again",
        )

    def _status(self, stack: Stack) -> str | None:
        told = self._describe(stack.name, stack.account, stack.region)
        return told["StackStatus"] if told else None

    def _quiet(self, stack: Stack) -> str | None:
        """Wait until nothing goes on with a stack; its status, or None where there is none."""
        for seconds in waits():
            status = self._status(stack)
            if not is_changing(status):
                break
            self._sleep(seconds)
        return status

    def settle(self, stack: Stack) -> Stack | None:
        """Wait until nothing goes on with a stack; None where it is gone.

        Raises DeploymentError where it ended other than well.
        """
        self._quiet(stack)
        settled = self.read(stack.name, stack.account, stack.region)
        if settled and not settled.is_settled:
            raise self._unwell(settled)
        return settled

    def _unwell(self, stack: Stack) -> DeploymentError:
        reason = self._first_failure(stack) or stack.reason
        return DeploymentError(
            f"{stack.name} in account {stack.account}, {stack.region}: {stack.status}: {reason}",
            DENIED if is_denial(reason) else "remove the cause and run the same command again",
        )

    def _first_failure(self, stack: Stack) -> str:
        """The reason of the first resource that failed in the last change: the root cause."""
        failures = [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
            for event in self._last_change(stack)
            if event["ResourceStatus"].endswith("_FAILED")
            and "cancelled" not in event.get("ResourceStatusReason", "").lower()
        ]
        return failures[-1] if failures else ""

    def _last_change(self, stack: Stack) -> Iterator[dict[str, Any]]:
        """The events of a stack, newest first, back to where its last change began."""
        client = self._sessions.management("cloudformation", stack.region)
        with translated(
            "cloudformation:DescribeStackEvents", account=stack.account, region=stack.region, of=stack.name
        ):
            for page in client.get_paginator("describe_stack_events").paginate(StackName=stack.name):
                for event in page["StackEvents"]:
                    yield event
                    about_stack = event.get("PhysicalResourceId") == event.get("StackId")
                    if about_stack and event["ResourceStatus"] in BEGINNINGS:
                        return

    def delete(self, stack: Stack) -> None:
        """Delete a stack and wait until it is gone. Raises DeploymentError where it stays."""
        self._quiet(stack)
        client = self._sessions.management("cloudformation", stack.region)
        with translated(
            "cloudformation:DeleteStack", account=stack.account, region=stack.region, of=stack.name
        ):
            client.delete_stack(StackName=stack.name)
        for seconds in islice(waits(), BEGINNING):
            if self._quiet(stack) in (None, "DELETE_FAILED"):
                break
            self._sleep(seconds)
        if left := self.read(stack.name, stack.account, stack.region):
            raise self._unwell(left)
