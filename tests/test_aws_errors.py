"""Every error that the SDK can raise becomes one of ours, with its place and what to do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from string import Formatter
from typing import Any

import boto3.exceptions
import botocore.exceptions
import pytest
from botocore.parsers import ResponseParserError
from botocore.retries.standard import ThrottledRetryableChecker

from orgmon.aws.answers import UnreadableAnswer
from orgmon.aws.errors import NOBODY, NOT_AWS, translated
from orgmon.errors import AwsError, NotFoundError, OrgmonError
from orgmon.failure import DEFAULT_REMEDY, THROTTLING, is_throttling, remedy_for
from tests.fake_client import refused

BEFORE_ANY_CALL = (*NOBODY, botocore.exceptions.ProfileNotFound)
"""What has no place: nobody is signed in."""


def classes() -> Iterator[type[Exception]]:
    """Every exception class of botocore and boto3, those that only warn apart."""
    for module in (botocore.exceptions, boto3.exceptions):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            ours = kind.__module__ == module.__name__
            if ours and issubclass(kind, Exception) and not issubclass(kind, Warning):
                yield kind
    yield ResponseParserError
    yield UnreadableAnswer


def made(kind: type[Exception]) -> Exception:
    """An error of a class, with a word in each place of its text."""
    if issubclass(kind, botocore.exceptions.ClientError):
        return kind({"Error": {"Code": "Code", "Message": "text"}}, "Operation")
    parameters = inspect.signature(kind.__init__).parameters.values()
    words: dict[str, Any] = {
        parameter.name: {} if parameter.name == "last_response" else "text"
        for parameter in parameters
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name != "self"
    }
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        words |= {field: "text" for _, field, _, _ in Formatter().parse(getattr(kind, "fmt", "")) if field}
        return kind(**words)
    return kind(**words) if words else kind("text")


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.__name__) for kind in classes()])
def test_every_error_of_the_sdk_is_translated(kind: type[Exception]) -> None:
    error = made(kind)
    assert isinstance(error, kind)
    with pytest.raises(OrgmonError) as caught, translated("sns:Publish", account="123", region="eu-west-1"):
        raise error
    assert caught.value.__cause__ is error
    assert caught.value.remedy or isinstance(error, botocore.exceptions.ClientError)
    assert isinstance(caught.value, AwsError) != isinstance(error, BEFORE_ANY_CALL)
    if isinstance(caught.value, AwsError):
        assert (caught.value.account, caught.value.region) == ("123", "eu-west-1")
        assert caught.value.operation == "sns:Publish"


def test_there_are_many_of_them() -> None:
    assert len(list(classes())) > 90


def test_what_is_no_error_of_the_sdk_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), translated("call"):
        raise ZeroDivisionError


def failure_of(error: Exception, operation: str = "cloudformation:CreateStack") -> OrgmonError:
    """What an error becomes."""
    with pytest.raises(OrgmonError) as caught, translated(operation, region="eu-west-1", of="orgmon-base"):
        raise error
    return caught.value


def test_an_error_says_call_thing_place_code_and_text() -> None:
    failure = failure_of(refused("AccessDenied", "User x may not"))
    assert failure.what == (
        "cloudformation:CreateStack of orgmon-base failed (eu-west-1): AccessDenied: User x may not"
    )


@pytest.mark.parametrize("code", ["NoSuchBucket", "StackSetNotFoundException", "ChangeSetNotFound", "404"])
def test_what_is_not_there_is_told_apart(code: str) -> None:
    assert isinstance(failure_of(refused(code)), NotFoundError)


def test_without_a_name_for_the_call_it_is_botocore_s() -> None:
    failure = failure_of(refused("Code", operation="ListTopics"), operation="")
    assert isinstance(failure, AwsError)
    assert failure.operation == "ListTopics"


def test_a_refusal_without_a_code_is_no_answer_of_aws() -> None:
    error = botocore.exceptions.ClientError({}, "ListTopics")
    failure = failure_of(error)
    assert isinstance(failure, AwsError)
    assert failure.code == NOT_AWS


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDenied", "caller that the message names"),
        ("ExpiredToken", "sign in again"),
        ("InvalidClientTokenId", "not valid"),
        ("LimitExceededException", "quota"),
        ("InternalFailure", "run the same command again"),
        ("503", "run the same command again"),
        ("AWSOrganizationsNotInUseException", "management account"),
    ],
)
def test_what_to_do_about_it(code: str, words: str) -> None:
    assert words in failure_of(refused(code)).remedy


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDenied", "no"),
        ("AuthorizationError", "no"),
        ("ValidationError", "S3 error: Access Denied"),
        ("ValidationError", "User: x is not authorized to perform: s3:GetObject on resource: y"),
    ],
)
def test_who_may_not_is_shown_where_to_read_what_it_takes(code: str, message: str) -> None:
    assert "orgmon policy" in failure_of(refused(code, message)).remedy
    assert "orgmon policy" not in failure_of(refused("ValidationError", "Template is bad")).remedy


@pytest.mark.parametrize(
    "error",
    [
        botocore.exceptions.SSOTokenLoadError(error_msg="x"),
        botocore.exceptions.CredentialRetrievalError(provider="x", error_msg="y"),
    ],
)
def test_missing_credentials_are_no_matter_of_one_call(error: Exception) -> None:
    failure = failure_of(error)
    assert not isinstance(failure, AwsError)
    assert "sign in" in failure.remedy


# -- throttling


@pytest.mark.parametrize("spelling", THROTTLING)
def test_each_spelling_of_too_fast_is_known_and_has_a_remedy(spelling: str) -> None:
    assert is_throttling(spelling) or is_throttling("Other", f"{spelling} (Service: AmazonSNS)")
    assert remedy_for(f"Resource handler returned message: {spelling}") != DEFAULT_REMEDY
    assert "AWS is busy" in failure_of(refused(spelling, spelling)).remedy


def test_all_that_botocore_repeats_as_throttling_is_known() -> None:
    known = set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES)
    # In the services that orgmon calls it is a quota, and waiting does not help.
    assert {code for code in known if not is_throttling(code)} == {"LimitExceededException"}


@pytest.mark.parametrize(
    ("code", "message"), [("AccessDenied", "no"), ("", ""), ("LimitExceededException", "200")]
)
def test_other_errors_are_not_throttling(code: str, message: str) -> None:
    assert not is_throttling(code, message)
