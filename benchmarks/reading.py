"""A no-op plan and status of 1,000 accounts x 17 Regions x 4 stack sets, against a plain boto3 loop.

Both read from the same stub, in a process each, one after the other.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, in_own_process, peak_memory

PAGES_AIM, TIME_AIM, MEMORY_AIM = 1.05, 0.5, 300.0
CONFIG = Path(__file__).parent.parent / "accounts.yaml"


def measured() -> Iterator[Figure]:
    """Calls against pages, time against the plain loop, peak memory."""
    ours = in_own_process(__spec__.name, "ours")
    plain = in_own_process(__spec__.name, "plain")
    yield Figure("reading", "stack instances", ours["instances"])
    yield Figure("reading", "pages that must be read", ours["pages"])
    yield Figure("reading", "API calls", ours["calls"])
    yield Figure("reading", "API calls to pages", ours["calls"] / ours["pages"], "x", PAGES_AIM)
    yield Figure("reading", "read, plan and status", ours["seconds"], "s")
    yield Figure("reading", "of that, reading", ours["reading"], "s")
    yield Figure("reading", "a plain boto3 loop", plain["seconds"], "s")
    yield Figure("reading", "time to that of the loop", ours["seconds"] / plain["seconds"], "x", TIME_AIM)
    yield Figure("reading", "peak memory", ours["memory"], "MB", MEMORY_AIM)


def plain() -> dict[str, Any]:
    """Read the same pages with boto3's paginators, and count what is in them."""
    from benchmarks import stub

    service = stub.Stub()
    session = service.session()
    begun = time.perf_counter()
    organizations, cloudformation = session.client("organizations"), session.client("cloudformation")
    parents, accounts = [stub.ROOT], 0
    for parent in parents:
        pages = organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent)
        parents += [unit["Id"] for page in pages for unit in page["OrganizationalUnits"]]
        pages = organizations.get_paginator("list_accounts_for_parent").paginate(ParentId=parent)
        accounts += sum(len(page["Accounts"]) for page in pages)
    assert accounts == stub.ACCOUNTS
    for name in stub.NAMES:
        pages = cloudformation.get_paginator("list_stack_instances").paginate(StackSetName=name)
        assert sum(len(page["Summaries"]) for page in pages) == stub.ACCOUNTS * len(stub.REGIONS)
    assert service.calls.total() == service.pages
    return {"seconds": time.perf_counter() - begun}


def ours() -> dict[str, Any]:
    """Read the organization and the State as the commands do, plan and report."""
    from benchmarks import stub
    from orgmon.aws.observe import Ours, read_state
    from orgmon.aws.organizations import read_organization
    from orgmon.aws.session import Sessions
    from orgmon.aws.stack_sets import StackSets
    from orgmon.aws.stacks import Stacks
    from orgmon.config.load import load
    from orgmon.plan.planner import plan
    from orgmon.status import status

    service = stub.Stub()
    config = load(CONFIG)
    desired, rollout = wanted()
    begun = time.perf_counter()
    sessions = Sessions(config.organization, lambda profile: service.session())
    organization = read_organization(sessions.management("organizations"))
    looked_for = Ours(stub.MANAGEMENT, "us-east-1", ("orgmon-base", "orgmon-trail"))
    observed = read_state(sessions, StackSets(sessions), Stacks(sessions), looked_for)
    read = time.perf_counter()
    planned = plan(desired, observed, organization, rollout)
    report = status(config, organization, desired, observed, date(2026, 11, 20))
    ended = time.perf_counter()
    assert planned.is_empty, planned.steps
    assert report.coverage.is_full
    return {
        "instances": len(planned.changes),
        "pages": service.pages,
        "calls": service.calls.total(),
        "reading": read - begun,
        "seconds": ended - begun,
        "memory": peak_memory(),
    }


def wanted() -> tuple[Any, Any]:
    """The State that the stub tells, as desired, and a rollout of one wave."""
    from benchmarks import stub
    from orgmon.rollout import Rollout, Wave
    from orgmon.stackset import AutoDeployment, OperationPreferences, StackInstance, StackSet, State

    stack_sets = tuple(
        StackSet(
            name,
            stub.TEMPLATE,
            auto_deployment=AutoDeployment(True),
            tags=((stub.TAG, name),),
            units=(stub.ROOT,),
            instances=tuple(
                StackInstance(account, region) for account in stub.members() for region in stub.REGIONS
            ),
        )
        for name in stub.NAMES
    )
    waves = (Wave("everyone", frozenset(stub.members())),)
    return State(stack_sets=stack_sets), Rollout(stub.NAMES, waves, OperationPreferences())


if __name__ == "__main__":
    print(json.dumps({"ours": ours, "plain": plain}[sys.argv[1]]()))
