"""Lists without a limit come in the pages that AWS cuts them into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import DEV, HOME, PROD
from tests.sandbox.services import client, make_role
from tests.sandbox.test_notifications import zipped

Make = Callable[[Any, int], Any]


def make_key(kms: Any, number: int) -> None:
    """A key with an alias."""
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/a{number}", TargetKeyId=key)


def make_archive(events: Any, number: int) -> None:
    """An archive of the default bus."""
    bus = f"arn:aws:events:{HOME}:{PROD}:event-bus/default"
    events.create_archive(ArchiveName=f"a{number}", EventSourceArn=bus)


def make_topic(sns: Any, number: int) -> None:
    """A topic."""
    sns.create_topic(Name=f"t{number}")


def make_function(functions: Any, number: int) -> None:
    """A function."""
    functions.create_function(
        FunctionName=f"f{number}",
        Runtime="python3.13",
        Handler="app.h",
        Role=f"arn:aws:iam::{PROD}:role/test/lists",
        Code={"ZipFile": zipped("")},
    )


CASES: list[tuple[str, Make, int, str, str, int]] = [
    ("kms", make_key, 101, "list_keys", "Keys", 100),
    ("kms", make_key, 0, "list_aliases", "Aliases", 50),
    ("events", make_archive, 51, "list_archives", "Archives", 50),
    ("sns", make_topic, 101, "list_topics", "Topics", 100),
    ("lambda", make_function, 51, "list_functions", "Functions", 50),
]


@pytest.fixture(scope="module")
def listed(shared: Sandbox) -> Sandbox:
    """A sandbox in which all those things are."""
    make_role(shared, "lists", PROD, "lambda")
    for service, make, count, *_ in CASES:
        maker = shared.world.client(service, PROD, HOME)
        for number in range(count):
            make(maker, number)
    return shared


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[3])
def test_the_first_page_is_as_long_as_at_aws(
    listed: Sandbox, case: tuple[str, Make, int, str, str, int]
) -> None:
    service, _, _, operation, member, size = case
    call = getattr(client(listed, service, PROD), operation)
    first = call()
    assert len(first[member]) == size
    token = first.get("NextMarker") or first["NextToken"]
    following = "Marker" if "NextMarker" in first else "NextToken"
    second = call(**{following: token})
    assert 0 < len(second[member]) <= size
    assert first[member][0] not in second[member]


def test_a_page_that_is_full_by_chance_is_the_last_one(shared: Sandbox) -> None:
    sns = client(shared, "sns", DEV)
    for number in range(100):
        make_topic(sns, number)
    assert "NextToken" not in sns.list_topics()


def test_functions_never_come_by_more_than_fifty(listed: Sandbox) -> None:
    assert len(client(listed, "lambda", PROD).list_functions(MaxItems=500)["Functions"]) == 50


def test_keys_say_whether_there_are_more(listed: Sandbox) -> None:
    kms = client(listed, "kms", PROD)
    first = kms.list_keys()
    assert first["Truncated"] is True
    assert kms.list_keys(Marker=first["NextMarker"])["Truncated"] is False


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("kms", "list_keys", {"Marker": "guessed"}, "InvalidMarkerException"),
        ("lambda", "list_functions", {"Marker": "guessed"}, "InvalidParameterValueException"),
        ("sns", "list_topics", {"NextToken": "guessed"}, "InvalidParameter"),
        ("events", "list_archives", {"NextToken": "guessed"}, "ValidationException"),
    ],
)
def test_a_token_that_nobody_gave_is_refused(
    listed: Sandbox, service: str, operation: str, params: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError, match=code):
        getattr(client(listed, service, PROD), operation)(**params)
