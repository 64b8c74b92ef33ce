"""The whole sandbox from its rooms."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import dataclass

from orgmon.sandbox import cloudformation, queries, repairs, signals, stacksets, trail
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.policies.switches import Switch
from orgmon.sandbox.seed import Seed
from orgmon.sandbox.signals import Signals
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.trail import Trail
from orgmon.sandbox.world import World


@dataclass(frozen=True)
class Sandbox:
    """An embedded AWS with everything in it. Close it; only one can be open at a time."""

    world: World
    engine: Engine
    stack_sets: StackSetEngine
    trail: Trail
    signals: Signals

    def settle(self, seconds: float = 0.0) -> None:
        """Turn the clock forward; what falls due on the way happens at its time. Returns when all is quiet.

        The clock runs what is due one at a time, functions included, so there is nothing else to wait for.
        """
        self.world.clock.advance(seconds)
        self.world.clock.wait_idle()

    def close(self) -> None:
        """Stop everything and forget the state."""
        self.engine.background.wait()
        self.signals.stop()
        self.world.close()

    def leave(self) -> None:
        """End what would outlive this process, and leave the rest to its end, which must come next.

        What is under way is not waited for. Without this the end of a process that has rolled out to 200 accounts
        takes a minute: Python looks at millions of objects and takes them apart one by one, though the system
        takes the memory back at once. Frozen objects are left out of that; exit handlers and buffers, which
        os._exit would cut off, have their turn as ever.
        """
        self.world.clock.stop()
        self.signals.stop()
        gc.freeze()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def assemble(seed: Seed, *, clock: Clock | None = None, flipped: Iterable[Switch] = ()) -> Sandbox:
    """Start a sandbox from a seed. Controls: clock, trouble, health, switches, mailbox, console-login, pace.

    ``flipped`` are the open questions that stand otherwise than by default.
    """
    world = World(seed, clock=clock, flipped=flipped)
    repairs.install(world)
    queries.install(world)
    engine = cloudformation.install(world)
    stack_sets = stacksets.install(world, engine)
    told = signals.install(world)
    recorder = trail.install(world, told)
    return Sandbox(world, engine, stack_sets, recorder, told)
