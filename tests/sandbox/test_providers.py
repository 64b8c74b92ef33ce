"""Every resource type of the sandbox: created, updated, read back and deleted through its service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orgmon.sandbox import repairs
from orgmon.sandbox.cloudformation import install
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.providers import supported_types
from orgmon.sandbox.world import World

from .conftest import HOME, PROD
from .provider_cases import CASES, Case

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


@pytest.fixture
def engine(world: World) -> Iterator[Engine]:
    """CloudFormation of a fresh world."""
    repairs.install(world)
    made = install(world)
    yield made
    made.wait()


def deployed(engine: Engine, case: Case, *, updated: bool) -> Any:
    """The case's stack after a deployment, which must have gone well."""
    stack = engine.deploy(
        PROD, HOME, "case", case.template(updated=updated), {}, {}, None, CAPABILITIES, on_failure="ROLLBACK"
    )
    assert stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack.failure
    return stack


def test_every_type_has_a_case() -> None:
    assert {case.type for case in CASES} == set(supported_types())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_life_of_a_resource(world: World, engine: Engine, case: Case) -> None:
    def client(service: str) -> Any:
        return world.client(service, PROD, HOME)

    stack = deployed(engine, case, updated=False)
    made = stack.resources["Subject"].physical_id
    assert case.look(client, made) == case.before
    live = engine.live_properties(stack, "Subject")
    assert live is not None

    stack = deployed(engine, case, updated=True)
    changed = stack.resources["Subject"].physical_id
    assert (changed != made) == case.replaces
    assert case.look(client, changed) == case.after

    record = stack.resources["Subject"]
    removed = engine.delete(PROD, HOME, "case")
    assert removed is not None
    assert removed.status == "DELETE_COMPLETE", removed.failure
    stack.resources["Subject"] = record
    if case.type.rsplit("::", 1)[-1] not in ("TopicPolicy", "QueuePolicy"):  # what they hung on is gone too
        assert engine.live_properties(stack, "Subject") is None
