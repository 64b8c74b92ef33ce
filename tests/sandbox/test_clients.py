"""Clients of the embedded AWS: what they share, whom each signs as, and how a sandbox leaves with its process."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.calls import Call, role_session
from orgmon.sandbox.world import World

from .conftest import DEV, HOME, PROD


def caller(client: Any) -> str:
    return str(client.get_caller_identity()["Arn"])


def test_clients_of_all_accounts_share_what_is_expensive(world: World) -> None:
    prod, dev = world.client("sts", PROD, HOME), world.client("sts", DEV, HOME)
    assert prod.meta is dev.meta
    assert prod is world.client("sts", PROD, HOME)


def test_each_client_signs_as_its_own_principal(world: World) -> None:
    role = role_session(f"arn:aws:iam::{PROD}:role/somebody", "me")
    clients = [
        world.client("sts", PROD, HOME),
        world.client("sts", DEV, HOME),
        world.client("sts", PROD, HOME, principal=role),
    ]
    expected = [f"arn:aws:iam::{PROD}:root", f"arn:aws:iam::{DEV}:root", role.arn]
    assert [caller(client) for client in clients] == expected


def test_a_page_is_asked_for_by_the_same_principal(world: World) -> None:
    iam = world.client("iam", DEV, HOME)
    pages = list(iam.get_paginator("list_users").paginate())
    assert {user["Arn"].split(":")[4] for page in pages for user in page["Users"]} == {DEV}


def test_a_call_within_a_call_keeps_its_own_signer(world: World) -> None:
    signing = world.session(DEV, region=HOME).client("sts")
    seen: list[str] = []

    def look(call: Call) -> None:
        if call.operation == "ListTopics":
            seen.append(caller(signing))
            seen.append(caller(world.client("sts", DEV, HOME)))

    world.after.append(look)
    principal = role_session(f"arn:aws:iam::{PROD}:role/somebody", "me")
    with pytest.raises(ClientError):
        world.client("sns", PROD, HOME, principal=principal).list_topics()
    assert seen == [f"arn:aws:iam::{DEV}:user/admin", f"arn:aws:iam::{DEV}:root"]
    assert not world.hook_errors


def test_what_is_pending_is_forgotten_when_the_sandbox_leaves(sandbox: Sandbox) -> None:
    ran: list[int] = []
    sandbox.world.clock.after(60, lambda: ran.append(1))
    try:
        sandbox.leave()
        sandbox.settle(120)
    finally:
        gc.unfreeze()
    assert not ran
