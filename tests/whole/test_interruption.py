"""A rollout that is interrupted goes on in AWS, and the same command finishes it."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orgmon.rehearsal.serving import Served, served
from orgmon.sandbox import actors
from orgmon.sandbox.calls import Call
from tests.whole.processes import LONGEST, Ended, end, orgmon, small_config, start

SEED = 5150
KILLS = 3
PACE = 0.15
# What an instance takes while nobody waits for it: long enough for the next run to find the operation under way.
SLOW = 2.0
LONGEST_DELAY = 0.3
# So many of a rollout's last writes are left for the run that is not killed.
LEFT_FOR_THE_LAST = 8
READS = ("Describe", "List", "Get", "Head", "Lookup", "AssumeRole")
GENERATED = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
LOG_ARCHIVE = "059913402786"
DEPLOY = ("deploy", "--yes")


@dataclass
class Writes:
    """Counts what orgmon writes, and kills a process at a given write, or a moment later."""

    here: Served
    count: int = 0
    at: int | None = None
    delay: float = 0.0
    process: subprocess.Popen[str] | None = None
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.here.sandbox.world.after.append(self)

    def __call__(self, call: Call) -> None:
        if call.invoked_by:
            return
        if call.operation == "DescribeStackSetOperation" and self.at is None:
            self.here.sandbox.stack_sets.pace = PACE
        if call.operation.startswith(READS):
            return
        self.count += 1
        if self.at is not None and self.count >= self.at and self.process is not None:
            self.seen.append(call.operation)
            self.at = None
            self.here.sandbox.stack_sets.pace = SLOW
            # With no delay the process never sees the answer to its request.
            threading.Timer(self.delay, self.process.kill).start()


def environment(here: Served) -> dict[str, str]:
    """What a user's shell has beside the sandbox."""
    return here.address.whole_environment(os.environ)


def run(here: Served, path: Path, *arguments: str) -> Ended:
    """A command to its end."""
    return orgmon(*arguments, environment=environment(here), folder=path.parent)


def interrupted(here: Served, path: Path, writes: Writes, at: int, delay: float) -> Ended:
    """A deploy that is killed at a write of the whole story, or so many seconds later."""
    process = start(DEPLOY, environment(here), path.parent)
    writes.process, writes.delay, writes.at = process, delay, at
    return end(process)


def told(here: Served, path: Path) -> Any:
    """What status tells, without the ids of operations, which differ from run to run."""
    status = run(here, path, "status", "--json")
    assert status.code == 0, status
    data = json.loads(status.out)["data"]
    return {**data, "cells": [{**cell, "operation": ""} for cell in data["cells"]]}


def stacks(here: Served) -> list[tuple[str, str, str]]:
    """All stacks of the organization, whoever knows of them: account, name without the generated part, status."""
    return sorted(
        (account, GENERATED.sub("", stack.name), str(stack.status))
        for account in here.sandbox.world.organization.accounts
        for stack in here.sandbox.engine.register.stacks(account, "us-east-1")
        if not stack.is_gone
    )


def undisturbed(path: Path) -> tuple[Any, list[tuple[str, str, str]], int]:
    """What a rollout comes to when nothing disturbs it, and how many writes it takes."""
    with served(path) as here:
        writes = Writes(here)
        deploy = run(here, path, *DEPLOY)
        assert deploy.code == 0, deploy
        actors.confirm(here.sandbox)
        return told(here, path), stacks(here), writes.count


def disturbed(path: Path, total: int, seed: int) -> tuple[Any, list[tuple[str, str, str]]]:
    """What it comes to after some kills and a run to the end."""
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, total - LEFT_FOR_THE_LAST), KILLS))
    with served(path, pace=PACE) as here:
        writes = Writes(here)
        for moment in moments:
            delay = chance.choice((0.0, chance.uniform(0.0, LONGEST_DELAY)))
            killed = interrupted(here, path, writes, moment, delay)
            assert killed.code == -signal.SIGKILL, (moments, killed)
        deploy = run(here, path, *DEPLOY)
        assert deploy.code == 0, (moments, writes.seen, deploy)
        actors.confirm(here.sandbox)
        plan = run(here, path, "plan")
        assert plan.code == 0, (moments, writes.seen, plan.out)
        assert here.sandbox.world.hook_errors == []
        return told(here, path), stacks(here)


def test_killed_three_times_a_rollout_comes_to_what_an_undisturbed_one_does(tmp_path: Path) -> None:
    path = small_config(tmp_path)
    status, existing, total = undisturbed(path)
    assert disturbed(path, total, SEED) == (status, existing)


def test_after_ctrl_c_the_same_command_finds_the_operation(tmp_path: Path) -> None:
    path = small_config(tmp_path)
    asked_for, stopped, go_on = threading.Event(), threading.Event(), threading.Event()

    def hold(call: Call) -> None:
        """Keep the first operation under way until the second run asks for it."""
        if call.invoked_by and call.account == LOG_ARCHIVE:
            go_on.wait(LONGEST)

    def listen(call: Call) -> None:
        if call.operation == "DescribeStackSetOperation":
            asked_for.set()
            if stopped.is_set():
                go_on.set()

    with served(path) as here:
        here.sandbox.world.before.append(hold)
        here.sandbox.world.after.append(listen)
        process = start(DEPLOY, environment(here), path.parent)
        assert asked_for.wait(LONGEST)
        process.send_signal(signal.SIGINT)
        first = end(process)
        stopped.set()
        assert first.code == 1, first
        assert "what was started in AWS goes on and is found" in first.err
        assert "Traceback" not in first.err
        second = run(here, path, *DEPLOY)
        assert second.code == 0, second
        assert "orgmon-logs: waiting for an earlier run's operation orgmon-" in second.err
        actors.confirm(here.sandbox)
        assert run(here, path, "plan").code == 0
