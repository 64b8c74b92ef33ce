"""The notifier's memory on a table as the hub has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orgmon.functions.memory import LEASE_SECONDS, REMEMBER_SECONDS, Claim, Table
from orgmon.rehearsal.seeding import seed_of
from orgmon.sandbox.world import World
from tests import sample
from tests.whole.links import HOME, SECURITY

START = 1_800_000_000
EXPIRES = START + REMEMBER_SECONDS


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A client of the table's account."""
    with World(seed_of(sample.config())) as world:
        dynamodb = world.client("dynamodb", SECURITY, HOME)
        dynamodb.create_table(
            TableName="orgmon-state",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield dynamodb


class Memory:
    """The table at times that a test chooses."""

    def __init__(self, client: Any) -> None:
        self.now = START
        self.table = Table(client, "orgmon-state", lambda: self.now)


@pytest.fixture
def memory(client: Any) -> Memory:
    """The one table, for keys of the test's own."""
    return Memory(client)


def test_a_lease_ends_by_itself(memory: Memory) -> None:
    assert memory.table.claim("a") is Claim.OURS
    memory.now += LEASE_SECONDS
    assert memory.table.claim("a") is Claim.TAKEN
    memory.now += 1
    assert memory.table.claim("a") is Claim.OURS


def test_what_was_said_is_remembered_as_long_as_it_can_come_again(memory: Memory, client: Any) -> None:
    assert memory.table.claim("b") is Claim.OURS
    memory.table.keep("b", REMEMBER_SECONDS)
    item = client.get_item(TableName="orgmon-state", Key={"id": {"S": "claim#b"}})["Item"]
    assert item == {"id": {"S": "claim#b"}, "v": {"N": "1"}, "expires": {"N": str(EXPIRES)}}
    # DynamoDB deletes up to two days late: what has expired counts no more.
    memory.now = EXPIRES
    assert memory.table.claim("b") is Claim.SAID
    memory.now += 1
    assert memory.table.claim("b") is Claim.OURS


def test_one_key_does_not_touch_another(memory: Memory) -> None:
    assert memory.table.claim("c") is Claim.OURS
    assert memory.table.claim("d") is Claim.OURS
