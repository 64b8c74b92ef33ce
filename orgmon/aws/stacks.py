"""Single calls on plain stacks, through change sets, so that what was retained is adopted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from orgmon.aws.errors import translated
from orgmon.aws.session import Sessions
from orgmon.errors import AwsError, DeploymentError, NotFoundError
from orgmon.stackset import Stack, TemplateBody

# CloudFormation says that nothing changed in one of these ways.
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
Sleep = Callable[[float], None]


def waits(first: float = 0.1, longest: float = 30.0) -> Any:
    """Ever longer waits in seconds: quick things are seen quickly, long ones cost few calls."""
    current = first
    while True:
        yield current
        current = min(current * 1.6, longest)


class Stacks:
    """Plain stacks of the management account."""

    def __init__(self, sessions: Sessions, sleep: Sleep = time.sleep) -> None:
        self._sessions = sessions
        self._sleep = sleep

    def read(self, name: str, account: str, region: str) -> Stack | None:
        """A stack with its template, or None where there is none."""
        found = self._describe(name, region)
        if found is None or found["StackStatus"] == "DELETE_COMPLETE":
            return None
        client = self._sessions.management("cloudformation", region)
        with translated("cloudformation:GetTemplate", account=account, region=region):
            body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        return Stack(
            name=name,
            account=account,
            region=region,
            template=TemplateBody(body) if isinstance(body, str) else TemplateBody.of(body),
            parameters=tuple(
                sorted((item["ParameterKey"], item["ParameterValue"]) for item in found.get("Parameters", []))
            ),
            capabilities=tuple(found.get("Capabilities", [])),
            tags=tuple((tag["Key"], tag["Value"]) for tag in found.get("Tags", [])),
            status=found["StackStatus"],
            reason=found.get("StackStatusReason", ""),
        )

    def _describe(self, name: str, region: str) -> dict[str, Any] | None:
        client = self._sessions.management("cloudformation", region)
        try:
            with translated("cloudformation:DescribeStacks", region=region):
                found: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
        except AwsError as error:
            if isinstance(error, NotFoundError) or "does not exist" in error.message:
                return None
            raise
        return found

    def apply(self, stack: Stack, kind: str, template: Mapping[str, str]) -> None:
        """Create or update a stack through a change set and wait for its end.

        ``kind`` is CREATE or UPDATE. Raises DeploymentError with the first failed resource and its reason.
        """
        client = self._sessions.management("cloudformation", stack.region)
        change_set = f"orgmon-{stack.template.digest}"
        self._drop_change_set(client, stack, change_set)
        with translated("cloudformation:CreateChangeSet", account=stack.account, region=stack.region):
            client.create_change_set(
                StackName=stack.name,
                ChangeSetName=change_set,
                ChangeSetType=kind,
                ImportExistingResources=True,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters
                ],
                Capabilities=list(stack.capabilities),
                Tags=[{"Key": key, "Value": value} for key, value in stack.tags],
                **template,
            )
        if self._ready(client, stack, change_set):
            with translated("cloudformation:ExecuteChangeSet", account=stack.account, region=stack.region):
                client.execute_change_set(StackName=stack.name, ChangeSetName=change_set)
            # Until the execution has begun the stack still shows its old status.
            self._executed(client, stack, change_set)
            self.settle(stack)

    def _drop_change_set(self, client: Any, stack: Stack, change_set: str) -> None:
        """An earlier run that was interrupted may have left one of the same name."""
        try:
            with translated("cloudformation:DeleteChangeSet"):
                client.delete_change_set(StackName=stack.name, ChangeSetName=change_set)
        except AwsError as error:
            if "does not exist" not in error.message and not isinstance(error, NotFoundError):
                raise

    def _ready(self, client: Any, stack: Stack, change_set: str) -> bool:
        """Wait for a change set. False where it has no changes; raises DeploymentError where it failed."""
        for seconds in waits():
            with translated("cloudformation:DescribeChangeSet", region=stack.region):
                found = client.describe_change_set(StackName=stack.name, ChangeSetName=change_set)
            if found["Status"] == "CREATE_COMPLETE":
                return True
            if found["Status"] == "FAILED":
                reason = found.get("StatusReason", "")
                self._drop_change_set(client, stack, change_set)
                if any(text in reason for text in NO_CHANGES):
                    return False
                raise DeploymentError(f"{stack.name}: change set failed: {reason}", "see the reason above")
            self._sleep(seconds)
        raise AssertionError("unreachable: waits() has no end")

    def _executed(self, client: Any, stack: Stack, change_set: str) -> None:
        for seconds in waits():
            try:
                with translated("cloudformation:DescribeChangeSet", region=stack.region):
                    found = client.describe_change_set(StackName=stack.name, ChangeSetName=change_set)
            except AwsError as error:
                if isinstance(error, NotFoundError) or "does not exist" in error.message:
                    return
                raise
            if found["ExecutionStatus"].startswith("EXECUTE_") and found["ExecutionStatus"] not in (
                "EXECUTE_IN_PROGRESS",
            ):
                return
            described = self._describe(stack.name, stack.region)
            if described and described["StackStatus"].endswith("_IN_PROGRESS"):
                return
            self._sleep(seconds)

    def settle(self, stack: Stack) -> Stack | None:
        """Wait until nothing goes on with a stack; None where it is gone.

        Raises DeploymentError where it ended other than well.
        """
        for seconds in waits():
            found = self._describe(stack.name, stack.region)
            if found is None or found["StackStatus"] == "DELETE_COMPLETE":
                return None
            if found["StackStatus"] == "REVIEW_IN_PROGRESS" or not found["StackStatus"].endswith(
                "_IN_PROGRESS"
            ):
                break
            self._sleep(seconds)
        settled = self.read(stack.name, stack.account, stack.region)
        if settled and not settled.is_settled:
            raise DeploymentError(
                f"{stack.name} in account {stack.account}, {stack.region}: {settled.status}: "
                f"{self._first_failure(settled) or settled.reason}",
                "remove the cause and run the same command again",
            )
        return settled

    def _first_failure(self, stack: Stack) -> str:
        """The reason of the first resource that failed in the last change: the root cause."""
        client = self._sessions.management("cloudformation", stack.region)
        with translated("cloudformation:DescribeStackEvents", region=stack.region):
            events = client.describe_stack_events(StackName=stack.name)["StackEvents"]
        failed = [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
            and "cancelled" not in event.get("ResourceStatusReason", "").lower()
        ]
        return failed[-1] if failed else ""

    def delete(self, stack: Stack) -> None:
        """Delete a stack and wait until it is gone. Raises DeploymentError where it stays."""
        client = self._sessions.management("cloudformation", stack.region)
        with translated("cloudformation:DeleteStack", account=stack.account, region=stack.region):
            client.delete_stack(StackName=stack.name)
        self.settle(stack)
