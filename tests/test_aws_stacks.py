"""Plain stacks: change sets made, found again and executed; other hands waited for; failures told by their cause."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orgmon.aws.change_sets import name_of
from orgmon.aws.errors import NOT_AWS
from orgmon.aws.stacks import ATTEMPTS, Stacks
from orgmon.errors import AwsError, DeploymentError
from orgmon.stackset import Stack, TemplateBody
from tests.fake_client import HOME, MANAGEMENT, FakeSessions, refused
from tests.fake_cloudformation import TEMPLATE, FakeCloudFormation, StackRecord

NEWER = '{"Resources":{"Queue":{"Type":"AWS::SQS::Queue"}}}'
WANTED = Stack("orgmon-base", MANAGEMENT, HOME, TemplateBody(NEWER), tags=(("orgmon", "base"),))
BODY = {"TemplateBody": NEWER}


class Pauses:
    """Counts seconds instead of sleeping; after too many of them a test has failed."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, seconds: float) -> None:
        self.seconds += seconds
        assert self.seconds < 24 * 3600, "it waits for ever"


def stacks(cloudformation: FakeCloudFormation) -> Stacks:
    """What is tested."""
    return Stacks(FakeSessions(cloudformation), Pauses())


def base(status: str = "CREATE_COMPLETE", *to_come: str) -> StackRecord:
    """The stack with its old template."""
    return StackRecord(WANTED.name, status, TEMPLATE, list(to_come))


def applied(cloudformation: FakeCloudFormation) -> StackRecord:
    """Apply what is wanted; the stack after it."""
    stacks(cloudformation).apply(WANTED, BODY)
    return cloudformation.stacks[WANTED.name]


# -- reading


def test_a_stack_is_read_with_its_template() -> None:
    stack = stacks(FakeCloudFormation(base())).read(WANTED.name, MANAGEMENT, HOME)
    assert stack == Stack(WANTED.name, MANAGEMENT, HOME, TemplateBody(TEMPLATE))


@pytest.mark.parametrize("there", [(), (base("DELETE_COMPLETE"),)])
def test_what_is_not_there_is_none(there: tuple[StackRecord, ...]) -> None:
    assert stacks(FakeCloudFormation(*there)).read(WANTED.name, MANAGEMENT, HOME) is None


def test_what_aws_refuses_names_the_stack_and_its_place() -> None:
    cloudformation = FakeCloudFormation(base())

    def deny() -> None:
        raise refused("AccessDenied", "not authorized")

    cloudformation.before["describe_stacks"] = deny
    with pytest.raises(
        AwsError, match=r"DescribeStacks of orgmon-base failed \(account 1.* in eu-central-1\)"
    ):
        stacks(cloudformation).read(WANTED.name, MANAGEMENT, HOME)


# -- the straight way


def test_a_stack_is_created() -> None:
    cloudformation = FakeCloudFormation()
    assert (applied(cloudformation).status, cloudformation.calls["execute_change_set"]) == (
        "CREATE_COMPLETE",
        1,
    )


def test_a_stack_is_updated() -> None:
    stack = applied(FakeCloudFormation(base()))
    assert (stack.status, stack.template) == ("UPDATE_COMPLETE", NEWER)


def test_a_stack_that_was_left_in_review_is_created() -> None:
    assert (
        applied(FakeCloudFormation(StackRecord(WANTED.name, "REVIEW_IN_PROGRESS"))).status
        == "CREATE_COMPLETE"
    )


def test_a_change_set_without_changes_is_dropped_and_the_stack_left_alone() -> None:
    cloudformation = FakeCloudFormation(replace(base(), template=NEWER))
    stack = applied(cloudformation)
    assert (stack.status, stack.change_sets) == ("CREATE_COMPLETE", {})
    assert cloudformation.calls["execute_change_set"] == 0


def test_a_change_set_that_fails_is_dropped_and_says_why() -> None:
    cloudformation = FakeCloudFormation(base())
    cloudformation.impossible = "Transform is not allowed"
    with pytest.raises(DeploymentError, match="orgmon-base: change set failed: Transform is not allowed"):
        applied(cloudformation)
    assert cloudformation.stacks[WANTED.name].change_sets == {}


@pytest.mark.parametrize(
    ("there", "status"), [((base(),), "UPDATE_ROLLBACK_COMPLETE"), ((), "ROLLBACK_COMPLETE")]
)
def test_a_change_that_fails_tells_its_first_failed_resource(
    there: tuple[StackRecord, ...], status: str
) -> None:
    cloudformation = FakeCloudFormation(*there)
    cloudformation.failing = True
    with pytest.raises(DeploymentError, match=rf"{status}: Topic \(AWS::SNS::Topic\): Topic already exists"):
        applied(cloudformation)


def test_failures_of_earlier_changes_are_not_told() -> None:
    stack = base("UPDATE_ROLLBACK_COMPLETE")
    stack.tell(stack.name, "UPDATE_IN_PROGRESS")
    stack.tell("Old", "UPDATE_FAILED", "an old story")
    stack.tell(stack.name, "UPDATE_ROLLBACK_COMPLETE")
    cloudformation = FakeCloudFormation(stack)
    cloudformation.failing = True
    with pytest.raises(DeploymentError, match="Topic already exists"):
        applied(cloudformation)


def test_a_change_that_ends_badly_without_a_failed_resource_tells_its_status() -> None:
    with pytest.raises(DeploymentError, match=r"ROLLBACK_COMPLETE: \n"):
        stacks(FakeCloudFormation(base("ROLLBACK_COMPLETE"))).settle(WANTED)


def test_an_execution_is_waited_for_also_where_the_stack_takes_its_time_to_show_it() -> None:
    class Slow(FakeCloudFormation):
        """Says that it executes a change set before the stack does."""

        def change(self, stack: StackRecord, change_set: str) -> None:
            super().change(stack, change_set)
            stack.change_sets[change_set]["ExecutionStatus"] = "EXECUTE_IN_PROGRESS"
            stack.to_come = ["CREATE_COMPLETE", "CREATE_COMPLETE", stack.status, *stack.to_come]

    assert applied(Slow(base())).status == "UPDATE_COMPLETE"


def test_an_execution_is_followed_by_its_arn_for_its_name_is_gone() -> None:
    class Forgetful(FakeCloudFormation):
        """Knows a change set that it executes by its ARN alone, before the stack shows anything."""

        def change(self, stack: StackRecord, change_set: str) -> None:
            super().change(stack, change_set)
            executed = stack.change_sets.pop(change_set)
            executed["ExecutionStatus"] = "EXECUTE_IN_PROGRESS"
            stack.change_sets["gone"] = executed
            stack.to_come = ["CREATE_COMPLETE", "CREATE_COMPLETE", stack.status, *stack.to_come]

    assert applied(Forgetful(base())).status == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("method", "call", "error"),
    [
        (
            "create_change_set",
            "CreateChangeSet",
            refused("ValidationError", "S3 error: The bucket does not exist"),
        ),
        ("describe_change_set", "DescribeChangeSet", refused("AccessDenied")),
        ("execute_change_set", "ExecuteChangeSet", refused("AccessDenied")),
    ],
)
def test_any_other_refusal_is_raised(method: str, call: str, error: Exception) -> None:
    cloudformation = FakeCloudFormation(base())

    def deny() -> None:
        raise error

    cloudformation.before[method] = deny
    with pytest.raises(AwsError, match=f"{call} of orgmon-base failed"):
        applied(cloudformation)


def test_a_change_set_that_cannot_be_dropped_is_told_and_one_that_is_gone_is_not() -> None:
    for code, fails in (("AccessDenied", True), ("ChangeSetNotFound", False)):
        cloudformation = left_behind("FAILED", "UNAVAILABLE")
        stack = cloudformation.stacks[WANTED.name]

        def vanish(code: str = code, stack: StackRecord = stack) -> None:
            stack.change_sets.clear()
            raise refused(code)

        cloudformation.before["delete_change_set"] = vanish
        if fails:
            with pytest.raises(AwsError, match="DeleteChangeSet of orgmon-base failed"):
                applied(cloudformation)
        else:
            assert applied(cloudformation).template == NEWER


# -- lost answers


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("lost", ["create_change_set", "execute_change_set"])
def test_a_lost_answer_is_not_missed(lost: str, is_there: bool) -> None:
    cloudformation = FakeCloudFormation(*([base()] if is_there else []))
    cloudformation.repeated = {lost}
    stack = applied(cloudformation)
    assert (stack.template, stack.status) == (NEWER, "UPDATE_COMPLETE" if is_there else "CREATE_COMPLETE")
    assert cloudformation.calls["execute_change_set"] == 1


def test_an_unreadable_answer_to_a_change_is_looked_after() -> None:
    class Garbling(FakeCloudFormation):
        """Does what it is asked to, and what it answers arrives as a page of a proxy's."""

        def create_change_set(self, **arguments: object) -> dict[str, object]:
            super().create_change_set(**arguments)
            raise refused(NOT_AWS)

        def execute_change_set(self, **arguments: object) -> None:
            super().execute_change_set(**arguments)
            raise refused(NOT_AWS)

    stack = applied(Garbling(base()))
    assert (stack.template, stack.status) == (NEWER, "UPDATE_COMPLETE")


def test_an_execution_whose_answer_was_lost_and_that_failed_tells_why() -> None:
    cloudformation = FakeCloudFormation()
    cloudformation.repeated, cloudformation.failing = {"execute_change_set"}, True
    with pytest.raises(DeploymentError, match="Topic already exists"):
        applied(cloudformation)


def test_calls_carry_tokens_and_that_of_an_execution_is_the_change_set_s() -> None:
    cloudformation = FakeCloudFormation(base())
    applied(cloudformation)
    (token,) = cloudformation.tokens
    assert token.startswith("orgmon-")


# -- what an earlier run, or somebody else, has begun


def left_behind(status: str, execution: str) -> FakeCloudFormation:
    """A stack with our change set as an interrupted run left it."""
    stack = base()
    cloudformation = FakeCloudFormation(stack)
    cloudformation.plan(stack, name_of(WANTED), NEWER)
    stack.change_sets[name_of(WANTED)] |= {"Status": status, "ExecutionStatus": execution}
    return cloudformation


def test_a_change_set_that_an_earlier_run_made_is_executed() -> None:
    cloudformation = left_behind("CREATE_COMPLETE", "AVAILABLE")
    assert applied(cloudformation).template == NEWER
    assert cloudformation.calls["create_change_set"] == 0


@pytest.mark.parametrize(
    ("status", "execution"),
    [
        ("FAILED", "UNAVAILABLE"),
        ("CREATE_COMPLETE", "OBSOLETE"),
        ("CREATE_COMPLETE", "EXECUTE_FAILED"),
        ("CREATE_COMPLETE", "EXECUTE_COMPLETE"),
    ],
)
def test_a_change_set_that_is_of_no_use_any_more_is_made_anew(status: str, execution: str) -> None:
    cloudformation = left_behind(status, execution)
    assert applied(cloudformation).template == NEWER
    assert cloudformation.calls["create_change_set"] == 1


def test_a_change_that_is_under_way_is_waited_for() -> None:
    stack = applied(FakeCloudFormation(base("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")))
    assert stack.template == NEWER


def test_a_second_operator_s_execution_of_the_same_change_is_taken_for_ours() -> None:
    stack = base()
    cloudformation = FakeCloudFormation(stack)
    cloudformation.before["execute_change_set"] = lambda: cloudformation.change(stack, name_of(WANTED))
    assert applied(cloudformation).template == NEWER


def test_a_second_operator_s_other_change_comes_first_and_ours_after_it() -> None:
    stack = base()
    cloudformation = FakeCloudFormation(stack)

    def another_change() -> None:
        cloudformation.plan(stack, "other", '{"Resources":{}}')
        cloudformation.change(stack, "other")

    cloudformation.before["execute_change_set"] = another_change
    assert applied(cloudformation).template == NEWER


def test_a_second_operator_s_change_may_begin_between_look_and_request() -> None:
    stack = base()
    cloudformation = FakeCloudFormation(stack)

    def begin() -> None:
        stack.status, stack.to_come = "UPDATE_IN_PROGRESS", ["UPDATE_COMPLETE"]

    cloudformation.before["create_change_set"] = begin
    assert applied(cloudformation).template == NEWER


def test_a_stack_that_a_second_operator_creates_first_is_updated() -> None:
    cloudformation = FakeCloudFormation()

    def create() -> None:
        cloudformation.stacks[WANTED.name] = base("CREATE_IN_PROGRESS", "CREATE_COMPLETE")

    cloudformation.before["create_change_set"] = create
    assert applied(cloudformation).status == "UPDATE_COMPLETE"


def test_a_stack_that_a_second_operator_deletes_is_created() -> None:
    cloudformation = FakeCloudFormation(base())
    cloudformation.before["create_change_set"] = cloudformation.stacks.clear
    assert applied(cloudformation).status == "CREATE_COMPLETE"


def test_a_change_set_that_somebody_deletes_is_made_again() -> None:
    stack = base()
    cloudformation = FakeCloudFormation(stack)
    cloudformation.before["execute_change_set"] = stack.change_sets.clear
    assert applied(cloudformation).template == NEWER


def test_a_stack_that_is_always_overtaken_is_given_up() -> None:
    class Contested(FakeCloudFormation):
        """Somebody else is always faster."""

        def create_change_set(self, **arguments: object) -> dict[str, object]:
            self.calls["create_change_set"] += 1
            raise refused(
                "ValidationError", "Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated."
            )

    cloudformation = Contested(base())
    with pytest.raises(DeploymentError, match="other changes came first"):
        applied(cloudformation)
    assert cloudformation.calls["create_change_set"] == ATTEMPTS


@pytest.mark.parametrize(
    ("method", "text"), [("describe", "does not get ready"), ("execute", "does not begin")]
)
def test_nothing_is_waited_for_without_end(method: str, text: str) -> None:
    class Stuck(FakeCloudFormation):
        """Takes requests and does nothing."""

        def describe_change_set(self, **arguments: object) -> dict[str, object]:
            told = super().describe_change_set(**arguments)
            return told | {"Status": "CREATE_IN_PROGRESS"} if method == "describe" else told

        def change(self, stack: StackRecord, change_set: str) -> None:
            """Nothing."""

    with pytest.raises(DeploymentError, match=text):
        applied(Stuck(base()))


# -- deleting


def test_a_stack_is_deleted_after_what_is_under_way() -> None:
    cloudformation = FakeCloudFormation(base("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"))
    stacks(cloudformation).delete(WANTED)
    assert cloudformation.stacks == {}


def test_deleting_what_is_gone_is_fine() -> None:
    stacks(FakeCloudFormation()).delete(WANTED)


def test_a_stack_that_stays_says_why() -> None:
    cloudformation = FakeCloudFormation(base())
    cloudformation.failing = True
    with pytest.raises(DeploymentError, match=r"DELETE_FAILED: Bucket .*: The bucket is not empty"):
        stacks(cloudformation).delete(WANTED)


def test_a_deletion_is_waited_for_also_where_it_takes_its_time_to_begin() -> None:
    class Slow(FakeCloudFormation):
        """Shows the old status twice more."""

        def delete_stack(self, **arguments: object) -> None:
            super().delete_stack(**arguments)
            stack = self.stacks[WANTED.name]
            stack.status = "CREATE_COMPLETE"
            stack.to_come = ["CREATE_COMPLETE", "DELETE_IN_PROGRESS", *stack.to_come]

    cloudformation = Slow(base())
    stacks(cloudformation).delete(WANTED)
    assert cloudformation.stacks == {}


# -- names


def test_a_change_set_s_name_says_all_that_it_holds() -> None:
    others = (
        replace(WANTED, template=TemplateBody(TEMPLATE)),
        replace(WANTED, parameters=(("Key", "value"),)),
        replace(WANTED, capabilities=("CAPABILITY_IAM",)),
        replace(WANTED, tags=()),
    )
    assert len({name_of(stack) for stack in (WANTED, *others)}) == 5
    assert name_of(replace(WANTED, status="UPDATE_COMPLETE")) == name_of(WANTED)
