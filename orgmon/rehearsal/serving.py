"""A sandbox for one config, served on this machine, and commands that run against it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from orgmon.config.load import load
from orgmon.rehearsal.environment import Address
from orgmon.rehearsal.seeding import seed_of
from orgmon.sandbox.assembly import Sandbox, assemble

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Served:
    """A sandbox of this process and where it is served."""

    sandbox: Sandbox
    address: Address


@contextmanager
def served(config_path: Path, *, port: int = 0, pace: float = 0.0) -> Iterator[Served]:
    """Seed a sandbox from a config and serve it; ``pace`` is seconds of real time a stack instance.

    The sandbox's state goes with the process. Raises ConfigError.
    """
    config = load(config_path)
    sandbox = assemble(seed_of(config))
    sandbox.stack_sets.pace = pace
    server = sandbox.world.serve(port=port)
    key, secret = sandbox.world.admin_key(config.organization.management_account)
    address = Address(server.url, config.organization.home_region, key, secret, uuid.uuid4().hex)
    sandbox.world.controls["identity"] = lambda query, body: {"token": address.token}
    try:
        yield Served(sandbox, address)
    finally:
        server.stop()
        sandbox.leave()


@contextmanager
def joined(running: Address | None, config_path: Path) -> Iterator[Address]:
    """The sandbox that runs already, or one for as long as the context lasts. Raises ConfigError."""
    if running is not None:
        yield running
        return
    with served(config_path) as own:
        yield own.address


def orgmon(arguments: Sequence[str], address: Address, *, quiet: bool = False) -> tuple[int, str]:
    """Run an orgmon command line against a sandbox, as a user would; its exit code and what it printed.

    Progress goes to this process's stderr unless ``quiet``.
    """
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "orgmon", *arguments],
        env=address.whole_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def run(command: Sequence[str], address: Address) -> int:
    """Run a command with the sandbox's environment, pass signals on, and return its exit code."""
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        if not started:
            early.append(number)
        for process in started:
            process.send_signal(number)

    # Before the command begins: a signal that comes at once must not end this process and leave the command behind.
    before = {number: signal.signal(number, pass_on) for number in PASSED_ON}
    try:
        process = subprocess.Popen(command, env=address.whole_environment(os.environ))  # noqa: S603 - the user's own
        started.append(process)
        for number in early:
            process.send_signal(number)
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    # A process that a signal ended has the code that a shell would give it.
    return 128 - code if code < 0 else code
