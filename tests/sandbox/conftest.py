"""A small organization for the sandbox's tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from orgmon.sandbox import repairs
from orgmon.sandbox.assembly import Sandbox, assemble
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.cloudformation import install
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.seed import Seed, SeedAccount, SeedQueue
from orgmon.sandbox.world import World

from .fleet import Fleet

MANAGEMENT = "111111111111"
SECURITY = "222222222222"
LOGS = "333333333333"
PROD = "444444444444"
DEV = "555555555555"
ORG = "o-sandbox123"
HOME = "eu-west-1"

SEED = Seed(
    org_id=ORG,
    management_account=MANAGEMENT,
    home_region=HOME,
    accounts=(
        SeedAccount(MANAGEMENT, "management", "management@example.com"),
        SeedAccount(SECURITY, "security", "security@example.com", "Root/Security"),
        SeedAccount(LOGS, "log-archive", "logs@example.com", "Root/Security"),
        SeedAccount(PROD, "shop-prod", "shop-prod@example.com", "Root/Workloads/Prod", (("env", "prod"),)),
        SeedAccount(DEV, "shop-dev", "shop-dev@example.com", "Root/Workloads/Dev"),
    ),
)


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh world whose clock only turns by ``advance``. Fails the test if anything broke behind the API."""
    with World(SEED, clock=Clock(speed=0)) as made:
        yield made
        assert made.hook_errors == []


@pytest.fixture
def engine(world: World) -> Iterator[Engine]:
    """CloudFormation of a fresh world. Waits for what is under way before the world closes."""
    repairs.install(world)
    made = install(world)
    yield made
    made.background.wait()


@pytest.fixture
def cloudformation(world: World, engine: Engine) -> Any:
    """The administrator's CloudFormation client in the production account."""
    return world.session(PROD).client("cloudformation", region_name=HOME)


@dataclass(frozen=True)
class Site:
    """CloudFormation of one world, and the administrator's client in the production account."""

    world: World
    engine: Engine
    cloudformation: Any


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A world for all tests of a module, which give their stacks names of their own."""
    with World(SEED, clock=Clock(speed=0)) as world:
        repairs.install(world)
        engine = install(world)
        yield Site(world, engine, world.session(PROD).client("cloudformation", region_name=HOME))
        engine.background.wait()
        assert world.hook_errors == []


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Ten accounts below one unit, with stack sets."""
    made = Fleet()
    yield made
    made.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Everything together, with an inbox of the security team; its clock only turns by ``settle``."""
    seed = replace(SEED, queues=(SeedQueue("inbox", SECURITY, HOME),))
    with assemble(seed, clock=Clock(speed=0)) as made:
        yield made
        assert made.world.hook_errors == []


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """The same, once for all tests of a module, which must not stand in each other's way."""
    seed = replace(SEED, queues=(SeedQueue("inbox", SECURITY, HOME),))
    with assemble(seed, clock=Clock(speed=0)) as made:
        yield made
        assert made.world.hook_errors == []
