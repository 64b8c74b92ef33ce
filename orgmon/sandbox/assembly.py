"""The whole sandbox from its rooms."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox import cloudformation, repairs, signals, stacksets, trail
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.seed import Seed
from orgmon.sandbox.signals import Signals
from orgmon.sandbox.trail import Trail
from orgmon.sandbox.world import World

STEP_SECONDS = 5.0


@dataclass(frozen=True)
class Sandbox:
    """An embedded AWS with everything in it. Close it; only one can be open at a time."""

    world: World
    engine: Engine
    stack_sets: Any
    trail: Trail
    signals: Signals

    def settle(self, seconds: float = 0.0) -> None:
        """Turn the clock forward in small steps, so that what happens on the way can set off further things."""
        clock = self.world.clock
        goal = time.monotonic() + 30
        left = seconds
        clock.advance(0)
        while left > 0 and time.monotonic() < goal:
            step = min(left, STEP_SECONDS)
            clock.advance(step)
            left -= step
        clock.advance(max(left, 0.0))
        clock.wait_idle()

    def close(self) -> None:
        """Stop everything and forget the state."""
        self.engine.wait()
        self.signals.stop()
        self.world.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def assemble(seed: Seed, *, clock: Clock | None = None) -> Sandbox:
    """Start a sandbox from a seed. Controls: clock, trouble, health, mailbox, console-login, pace."""
    world = World(seed, clock=clock)
    repairs.install(world)
    engine = cloudformation.install(world)
    stack_sets = stacksets.install(world, engine)
    told = signals.install(world)
    recorder = trail.install(world, told)

    def pace(query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        if "seconds" in body:
            stack_sets.pace = float(body["seconds"])
        return {"seconds": stack_sets.pace}

    world.controls["pace"] = pace
    return Sandbox(world, engine, stack_sets, recorder, told)
