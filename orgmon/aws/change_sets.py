"""One change set of a stack: made, waited for, executed; found again where an answer was lost.

Its name says all that it holds, so that one of the same name is this one: an earlier run's that was interrupted, a
second operator's who wants the same, or the one that this run has just made and was not told of.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from enum import Enum
from itertools import islice
from typing import Any

from orgmon.aws.errors import NOT_AWS, translated
from orgmon.aws.waiting import Sleep, waits
from orgmon.errors import AwsError, DeploymentError, NotFoundError
from orgmon.stackset import Stack

# CloudFormation says that nothing changed in one of these ways.
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
# A change set can be found again, or an execution has begun: what was asked for is there already. The last is an answer
# that could not be read; reading again tells what came of the call.
MADE = ("AlreadyExistsException", NOT_AWS)
EXECUTED = ("InvalidChangeSetStatus", "ChangeSetNotFound", "TokenAlreadyExistsException", NOT_AWS)
# CloudFormation works on a change set for minutes at most, and begins to execute it within seconds.
READS = 60


class Outcome(Enum):
    """What came of a change set."""

    EXECUTED = "its execution has begun"
    EMPTY = "it changes nothing"
    OVERTAKEN = "something else happened to the stack or the change set: look again"


class ChangeSet:
    """The change set that makes a stack what it should be. ``client`` is boto3's of CloudFormation."""

    def __init__(self, client: Any, stack: Stack, sleep: Sleep) -> None:
        self._client = client
        self._stack = stack
        self._sleep = sleep
        self.name = name_of(stack)
        self._executed = ""

    def carry_out(self, kind: str, template: Mapping[str, str]) -> Outcome:
        """Make the change set, CREATE or UPDATE, or find it, and execute it.

        ``template`` is TemplateBody or TemplateURL. Raises DeploymentError where CloudFormation cannot work it out,
        and AwsError.
        """
        earlier = self._describe()
        if earlier is not None and not _usable(earlier):
            self._drop()
            earlier = None
        if earlier is None:
            self._create(kind, template)
        return self._execute_when_ready()

    def _call(self, operation: str) -> Any:
        stack = self._stack
        return translated(
            f"cloudformation:{operation}", account=stack.account, region=stack.region, of=stack.name
        )

    def _describe(self, identity: str = "") -> dict[str, Any] | None:
        try:
            with self._call("DescribeChangeSet"):
                told: dict[str, Any] = self._client.describe_change_set(
                    StackName=self._stack.name, ChangeSetName=identity or self.name
                )
        except AwsError as error:
            if isinstance(error, NotFoundError) or "does not exist" in error.message:
                return None
            raise
        return told

    def _drop(self) -> None:
        try:
            with self._call("DeleteChangeSet"):
                self._client.delete_change_set(StackName=self._stack.name, ChangeSetName=self.name)
        except AwsError as error:
            if "does not exist" not in error.message and not isinstance(error, NotFoundError):
                raise

    def _create(self, kind: str, template: Mapping[str, str]) -> None:
        stack = self._stack
        try:
            with self._call("CreateChangeSet"):
                self._client.create_change_set(
                    StackName=stack.name,
                    ChangeSetName=self.name,
                    ChangeSetType=kind,
                    # The SDK repeats a call whose answer is lost; by the token AWS knows it for the same.
                    ClientToken=str(uuid.uuid4()),
                    ImportExistingResources=True,
                    Parameters=[
                        {"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters
                    ],
                    Capabilities=list(stack.capabilities),
                    Tags=[{"Key": key, "Value": value} for key, value in stack.tags],
                    **template,
                )
        except AwsError as error:
            if error.code not in MADE:
                raise

    def _execute_when_ready(self) -> Outcome:
        for seconds in islice(waits(), READS):
            told = self._describe()
            if told is None or told["ExecutionStatus"] in ("EXECUTE_IN_PROGRESS", "OBSOLETE"):
                return Outcome.OVERTAKEN
            if told["Status"] == "CREATE_COMPLETE":
                return self._execute(told["ChangeSetId"])
            if told["Status"] == "FAILED":
                return self._failed(told.get("StatusReason", ""))
            self._sleep(seconds)
        raise DeploymentError(
            f"{self._stack.name}: CloudFormation does not get ready with change set {self.name}",
            "run the same command again",
        )

    def _failed(self, reason: str) -> Outcome:
        self._drop()
        if any(text in reason for text in NO_CHANGES):
            return Outcome.EMPTY
        raise DeploymentError(f"{self._stack.name}: change set failed: {reason}", "see the reason above")

    def _execute(self, identity: str) -> Outcome:
        # Two operators who execute the same change set send the same token.
        token = f"orgmon-{_hash(identity)}"
        try:
            with self._call("ExecuteChangeSet"):
                self._client.execute_change_set(
                    StackName=self._stack.name, ChangeSetName=self.name, ClientRequestToken=token
                )
        except AwsError as error:
            if error.code not in EXECUTED:
                raise
            return Outcome.OVERTAKEN
        self._executed = identity
        return Outcome.EXECUTED

    def is_over(self) -> bool:
        """Does CloudFormation say that the change set was executed, or that there is none any more?

        One that is executed is no longer found by its name, but by its ARN.
        """
        told = self._describe(self._executed)
        return told is None or told["ExecutionStatus"] in ("EXECUTE_COMPLETE", "EXECUTE_FAILED", "OBSOLETE")


def name_of(stack: Stack) -> str:
    """The name of the change set that makes a stack what it should be."""
    content = (
        stack.template.digest,
        sorted(stack.parameters),
        sorted(stack.capabilities),
        sorted(stack.tags),
    )
    return f"orgmon-{_hash(repr(content))}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _usable(told: Mapping[str, Any]) -> bool:
    """One that is being made or waits to be executed; one that failed or was overtaken is made anew."""
    return told["Status"] != "FAILED" and told["ExecutionStatus"] in (
        "UNAVAILABLE",
        "AVAILABLE",
        "EXECUTE_IN_PROGRESS",
    )
