"""Sessions: whose credentials sign a call, what is shared between accounts, and what is let go."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from orgmon.aws.errors import translated
from orgmon.aws.objects import client_of
from orgmon.aws.session import CLIENTS, Sessions
from orgmon.config.model import OrganizationSection
from orgmon.errors import AwsError, OrgmonError
from orgmon.stackset import CallAs, PermissionModel
from tests.fake_wire import FakeWire, denied

MANAGEMENT, MEMBER, OTHER = "100000000000", "200000000000", "300000000000"
WHO: dict[str, Any] = {
    "id": "o-abcdefghij",
    "management_account": MANAGEMENT,
    "security_account": MEMBER,
    "home_region": "eu-central-1",
    "access_role": "Reader",
    "sessions": {"management": {"profile": "boss"}},
}


def sessions_on(wire: FakeWire, log: list[str] | None = None, **changes: Any) -> Sessions:
    """Sessions on a wire, with the management account's profile ``boss``."""
    section = OrganizationSection.model_validate(WHO | changes)
    return Sessions(section, wire.make, None if log is None else log.append)


def test_the_management_account_s_own_credentials_sign_its_calls() -> None:
    wire = FakeWire()
    sessions_on(wire).management("cloudtrail").describe_trails()
    (request,) = wire.requests
    assert (request.key, request.host) == ("AKIAboss", "cloudtrail.eu-central-1.amazonaws.com")


def test_the_management_account_is_no_member_of_its_own() -> None:
    wire = FakeWire()
    sessions_on(wire).member(MANAGEMENT, "cloudtrail", "us-east-1").describe_trails()
    assert [request.host for request in wire.requests] == ["cloudtrail.us-east-1.amazonaws.com"]


def test_a_member_s_call_is_signed_with_the_credentials_of_its_role() -> None:
    wire = FakeWire()
    sessions_on(wire).member(MEMBER, "cloudtrail", "us-east-1").describe_trails()
    assumed, asked = wire.requests
    assert (assumed.key, assumed.host) == ("AKIAboss", "sts.eu-central-1.amazonaws.com")
    assert assumed.body["RoleArn"] == f"arn:aws:iam::{MEMBER}:role/Reader"
    assert asked.key == f"ASIA{MEMBER}X1"


def test_a_role_is_assumed_once_for_all_services_and_regions() -> None:
    wire = FakeWire()
    sessions = sessions_on(wire)
    for region in ("us-east-1", "eu-west-1"):
        for service, method in (("cloudtrail", "describe_trails"), ("events", "list_rules")):
            getattr(sessions.member(MEMBER, service, region), method)()
    assert len(wire.to("sts")) == 1
    assert {request.key for request in wire.to("events")} == {f"ASIA{MEMBER}X1"}


def test_a_role_is_assumed_again_when_its_credentials_expire() -> None:
    wire = FakeWire(lifetime=timedelta(seconds=5))
    client = sessions_on(wire).member(MEMBER, "cloudtrail")
    client.describe_trails()
    client.describe_trails()
    assert [request.key for request in wire.to("cloudtrail")] == [f"ASIA{MEMBER}X1", f"ASIA{MEMBER}X2"]


def test_members_share_a_client_s_models_and_connections_but_no_credentials() -> None:
    wire = FakeWire()
    sessions = sessions_on(wire)
    first, second = sessions.member(MEMBER, "cloudtrail"), sessions.member(OTHER, "cloudtrail")
    assert first is not second
    assert first._endpoint is second._endpoint
    for client in (first, second, first):
        client.describe_trails()
    keys = [request.key[:16] for request in wire.to("cloudtrail")]
    assert keys == [f"ASIA{account}" for account in (MEMBER, OTHER, MEMBER)]


def test_threads_that_call_at_once_do_not_mix_their_credentials_up() -> None:
    wire = FakeWire()
    sessions = sessions_on(wire)
    accounts = [f"{200_000_000_000 + number}" for number in range(40)]

    def ask(account: str) -> None:
        sessions.member(account, "events").list_rules(NamePrefix=account)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, accounts * 3))
    asked = wire.to("events")
    assert len(asked) == 120
    assert all(request.key.startswith(f"ASIA{request.body['NamePrefix']}") for request in asked)


def test_pages_are_signed_by_the_account_whose_client_reads_them() -> None:
    wire = FakeWire()
    wire.handlers["cloudtrail"] = lambda request: (
        200,
        b"{}" if "NextToken" in request.body else b'{"NextToken": "2"}',
    )
    sessions = sessions_on(wire)
    pages = zip(
        *(
            sessions.member(who, "cloudtrail").get_paginator("list_trails").paginate()
            for who in (MEMBER, OTHER)
        ),
        strict=True,
    )
    assert len(list(pages)) == 2
    keys = [request.key[:16] for request in wire.to("cloudtrail")]
    assert keys == [f"ASIA{who}" for who in (MEMBER, OTHER)] * 2


def test_where_the_role_cannot_be_assumed_nothing_is_asked_in_other_hands() -> None:
    wire = FakeWire()
    wire.handlers["sts"] = denied
    client = sessions_on(wire).member(MEMBER, "cloudtrail", "us-east-1")
    place = translated("cloudtrail:DescribeTrails", account=MEMBER, region="us-east-1")
    with pytest.raises(AwsError, match="sts:AssumeRole failed") as caught, place:
        client.describe_trails()
    assert "organization.access_role" in caught.value.remedy
    assert (caught.value.account, wire.to("cloudtrail")) == (MEMBER, [])


def test_the_same_client_is_handed_out_again() -> None:
    sessions = sessions_on(FakeWire())
    assert sessions.member(MEMBER, "events") is sessions.member(MEMBER, "events", "eu-central-1")
    assert sessions.management("events") is not sessions.member(MEMBER, "events")


def test_clients_that_were_not_used_for_long_are_let_go() -> None:
    sessions = sessions_on(FakeWire())
    client = weakref.ref(sessions.member(MEMBER, "events"))
    for number in range(CLIENTS):
        sessions.member(f"{300_000_000_000 + number}", "events")
    gc.collect()
    assert client() is None


@pytest.mark.slow
def test_a_delegated_administrator_s_session_makes_the_service_managed_calls() -> None:
    wire = FakeWire()
    both = {"management": {"profile": "boss"}, "delegated_admin": {"profile": "aide"}}
    sessions = sessions_on(wire, sessions=both)
    for model, expected in (
        (PermissionModel.SERVICE_MANAGED, CallAs.DELEGATED_ADMIN),
        (PermissionModel.SELF_MANAGED, CallAs.SELF),
    ):
        client, call_as = sessions.stack_sets(model)
        assert call_as is expected
        wire.handlers["cloudformation"] = lambda _: (
            200,
            b"<ListStackSetsResponse><ListStackSetsResult/></ListStackSetsResponse>",
        )
        client.list_stack_sets()
    assert [request.key for request in wire.requests] == ["AKIAaide", "AKIAboss"]


@pytest.mark.slow
def test_a_client_that_is_there_does_not_wait_for_one_that_is_being_made() -> None:
    wire, begun, go_on = FakeWire(), threading.Event(), threading.Event()
    waited: list[bool] = []

    def make(profile: str | None) -> Any:
        if profile == "aide":
            begun.set()
            waited.append(go_on.wait(10))
        return wire.make(profile)

    both = {"management": {"profile": "boss"}, "delegated_admin": {"profile": "aide"}}
    sessions = Sessions(OrganizationSection.model_validate(WHO | {"sessions": both}), make)
    first = sessions.management("cloudformation")
    slow = threading.Thread(target=lambda: sessions.stack_sets(PermissionModel.SERVICE_MANAGED))
    slow.start()
    assert begun.wait(30)
    assert sessions.management("cloudformation") is first
    go_on.set()
    slow.join(30)
    assert waited == [True]  # and not: given up, for whoever waited behind it


def test_calls_are_logged_with_who_and_where() -> None:
    log: list[str] = []
    sessions_on(FakeWire(), log).member(MEMBER, "cloudtrail", "us-east-1").describe_trails()
    assert log == [
        "management eu-central-1 sts:AssumeRole 200",
        f"{MEMBER} us-east-1 cloudtrail:DescribeTrails 200",
    ]


def test_a_profile_that_is_not_there_and_a_bad_endpoint_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    section = OrganizationSection.model_validate(WHO)
    with pytest.raises(OrgmonError, match="boss") as caught:
        Sessions(section).management("sts")
    assert "organization.sessions" in caught.value.remedy
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not an endpoint")
    with pytest.raises(OrgmonError, match="not an endpoint") as caught:
        sessions_on(FakeWire()).management("sts")
    assert "AWS_ENDPOINT_URL" in caught.value.remedy


def test_without_credentials_a_call_says_how_to_sign_in() -> None:
    section = OrganizationSection.model_validate(WHO | {"sessions": {}})
    with (
        pytest.raises(OrgmonError, match="no AWS credentials were found"),
        translated("sts:GetCallerIdentity"),
    ):
        Sessions(section).management("sts").get_caller_identity()


@pytest.mark.slow
def test_the_log_bucket_is_read_in_its_account_and_any_other_with_the_caller_s_credentials() -> None:
    wire = FakeWire()
    listed = b"<ListBucketResult><Name>x</Name></ListBucketResult>"
    for bucket in (f"orgmon-logs-{MEMBER}-eu-west-1", "somebody-s-trail"):
        wire.handlers[bucket] = lambda _: (200, listed)
        client_of(bucket, sessions_on(wire), wire.make).list_objects_v2(Bucket=bucket)
    keys = [request.key for request in wire.requests if request.service != "sts"]
    assert keys == [f"ASIA{MEMBER}X1", "AKIANone"]
