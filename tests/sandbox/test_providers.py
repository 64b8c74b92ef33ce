"""Every resource type of the sandbox: created, updated, read back and deleted through its service."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.providers import supported_types
from orgmon.sandbox.providers.provider import Clients, Place
from orgmon.sandbox.world import World

from .conftest import HOME, PROD
from .provider_cases import CASES, Case

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
NOBODY = cast(Clients, None)


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
    assert changed == made
    assert case.look(client, changed) == case.after

    record = stack.resources["Subject"]
    removed = engine.delete(PROD, HOME, "case")
    assert removed is not None
    assert removed.status == "DELETE_COMPLETE", removed.failure
    stack.resources["Subject"] = record
    if case.type.rsplit("::", 1)[-1] not in ("TopicPolicy", "QueuePolicy"):  # what they hung on is gone too
        assert engine.live_properties(stack, "Subject") is None


@given(
    st.from_regex(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", fullmatch=True),
    st.from_regex(r"[a-zA-Z0-9]{1,255}", fullmatch=True),
    st.sampled_from([48, 63, 64, 80, 255, 512]),
)
def test_invented_names_fit_their_service(stack_name: str, logical_id: str, limit: int) -> None:
    place = Place(NOBODY, PROD, HOME, "aws", stack_name, "id", logical_id)
    name = place.invent(limit)
    assert len(name) <= limit
    assert name != place.invent(limit)
    assert name.startswith(stack_name[0])
    assert re.search(r"-[A-Z0-9]{12}$", name)
    if len(stack_name) + len(logical_id) <= limit - 14:
        assert name.rsplit("-", 1)[0] == f"{stack_name.rstrip('-')}-{logical_id}"
