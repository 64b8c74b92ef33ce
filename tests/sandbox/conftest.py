"""A small organization for the sandbox's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orgmon.sandbox.clock import Clock
from orgmon.sandbox.seed import Seed, SeedAccount
from orgmon.sandbox.world import World

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
