"""How fast the embedded AWS is: stack instances a second in a first rollout of the shipped accounts.yaml."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Figure, in_own_process, peak_memory


def measured() -> Iterator[Figure]:
    """Seconds and stack instances of a deploy, everything that the templates make included."""
    found = in_own_process(__spec__.name)
    yield Figure("sandbox", "stack instances", found["instances"])
    yield Figure("sandbox", "a first rollout", found["seconds"], "s")
    yield Figure("sandbox", "stack instances a second", found["instances"] / found["seconds"], "/s")
    yield Figure("sandbox", "peak memory", found["memory"], "MB")


def deployed() -> dict[str, Any]:
    """Deploy in this process, without sockets and without waiting: the clock moves only as it is asked to."""
    from orgmon.cli import run
    from orgmon.rehearsal.seeding import seed_of
    from orgmon.sandbox.assembly import assemble
    from orgmon.sandbox.clock import Clock
    from orgmon.workspace import Workspace
    from tests import sample

    config = sample.config()
    with assemble(seed_of(config), clock=Clock(speed=0)) as sandbox:

        def make(profile: str | None) -> Any:
            return sandbox.world.session(config.organization.management_account)

        said = io.StringIO()
        begun = time.perf_counter()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run(["deploy", "--yes", "--config", str(sample.PATH)], make)
        seconds = time.perf_counter() - begun
        if code:
            sys.exit(f"deploy ended with {code}:\n{said.getvalue()}")
        observed = Workspace(sample.PATH, make).observe()
    instances = sum(len(stack_set.instances) for stack_set in observed.stack_sets)
    return {"instances": instances, "seconds": seconds, "memory": peak_memory()}


if __name__ == "__main__":
    print(json.dumps(deployed()))
