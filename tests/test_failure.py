"""Root causes: grouped, told apart from what was only cancelled, with what to do."""

from __future__ import annotations

import pytest

from orgmon.failure import DEFAULT_REMEDY, failures, remedy_for, same
from orgmon.stackset import OperationResult, Pair, ResultStatus

CANCELLED = "Cancelled since failure tolerance has exceeded"


def result(
    account: str, reason: str = "", status: ResultStatus = ResultStatus.FAILED
) -> tuple[str, OperationResult]:
    """How one pair of the stack set ``detection`` went."""
    return "detection", OperationResult(Pair(account, "us-east-1"), status, reason)


def no_role(account: str) -> str:
    """AWS's text where the execution role is missing."""
    return (
        f"Account {account} should have 'stacksets-exec-0123456789abcdef' role with trust relationship to Role "
        "'aws-service-role/stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgAdmin'."
    )


def taken(account: str, identity: str) -> str:
    """AWS's text where a resource of the same name is there."""
    return (
        "ResourceLogicalId:Role, ResourceType:AWS::IAM::Role, ResourceStatusReason:orgmon-forward already exists in "
        f"stack arn:aws:cloudformation:us-east-1:{account}:stack/StackSet-other-{identity}/{identity}."
    )


def test_the_same_reason_in_several_accounts_is_one_cause() -> None:
    grouped = failures([result(account, no_role(account)) for account in ("111111111111", "222222222222")])
    (cause,) = grouped.causes
    assert cause.accounts == ("111111111111", "222222222222")
    assert cause.reason == no_role("111111111111")
    assert "trusted access" in cause.remedy


def test_ids_regions_and_stack_names_do_not_part_a_cause() -> None:
    first = taken("111111111111", "0a1b2c3d-0000-1111-2222-333344445555")
    second = taken("222222222222", "9f8e7d6c-5555-4444-3333-222211110000").replace("us-east-1", "eu-north-1")
    assert first != second
    assert same(first) == same(second)
    assert len(failures([result("111111111111", first), result("222222222222", second)]).causes) == 1


def test_other_reasons_are_other_causes_and_the_most_frequent_comes_first() -> None:
    grouped = failures(
        [
            result("111111111111", no_role("111111111111")),
            result("222222222222", "Rate exceeded"),
            result("333333333333", "Rate exceeded"),
        ]
    )
    assert [len(cause.failed) for cause in grouped.causes] == [2, 1]
    assert grouped.causes[0].reason == "Rate exceeded"


def test_what_was_only_cancelled_is_no_cause() -> None:
    grouped = failures(
        [
            result("111111111111", "Rate exceeded"),
            result("222222222222", CANCELLED, ResultStatus.CANCELLED),
            result("333333333333", CANCELLED, ResultStatus.CANCELLED),
        ]
    )
    assert [cause.reason for cause in grouped.causes] == ["Rate exceeded"]
    assert [pair.account for _, pair in grouped.cancelled] == ["222222222222", "333333333333"]


def test_what_succeeded_or_is_under_way_is_no_failure() -> None:
    fine = (ResultStatus.SUCCEEDED, ResultStatus.RUNNING, ResultStatus.PENDING)
    assert not failures([result("111111111111", status=status) for status in fine])


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (
            "User: arn:aws:sts::111111111111:assumed-role/stacksets-exec-1/x is not authorized to perform: "
            "cloudformation:CreateStack with an explicit deny in a service control policy",
            "service control policy",
        ),
        (
            "User: arn:aws:iam::111111111111:role/x is not authorized to perform: logs:CreateLogGroup",
            "right it lacks",
        ),
        ("STS is not activated in this region for account:111111111111.", "enable the Region"),
        ("ACCOUNT_SUSPENDED", "suspended"),
        (taken("111111111111", "0a1b2c3d-0000-1111-2222-333344445555"), "remove it"),
        ("Stack:arn:aws:x is in UPDATE_ROLLBACK_FAILED state and can not be updated.", "continue or cancel"),
        ("Rate exceeded", "run the same command again"),
    ],
)
def test_what_to_do_about_the_reasons_that_aws_gives(reason: str, word: str) -> None:
    assert word in remedy_for(reason)


def test_an_unknown_reason_has_a_remedy_that_is_always_true() -> None:
    assert remedy_for("something new") == DEFAULT_REMEDY
