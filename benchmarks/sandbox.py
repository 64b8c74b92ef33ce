"""How fast the embedded AWS is: a first rollout, everything that the templates make included, at two sizes."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measure import Figure, in_own_process, peak_memory

SHIPPED = Path(__file__).parent.parent / "accounts.yaml"
REGIONS = ("us-east-1", "us-east-2", "eu-north-1", "eu-central-1", "ap-northeast-1")
SIZES = ((12, 3), (60, 5))


def measured() -> Iterator[Figure]:
    """Stack instances, seconds, CPU and memory of a deploy; the CPU is that of orgmon and the embedded AWS together.

    Ten stack instances a second are wanted of the larger one (the smaller is over before they count), and that an
    instance costs no more where there are more accounts.
    """
    costs = []
    for accounts, regions in SIZES:
        deploy = in_own_process(__spec__.name, str(accounts), str(regions))
        group = f"sandbox, {accounts} accounts x {regions} Regions"
        costs.append(deploy["cpu"] / deploy["instances"])
        aim = 0.1 if (accounts, regions) == SIZES[-1] else None
        yield Figure(group, "stack instances", deploy["instances"])
        yield Figure(group, "a first rollout", deploy["seconds"], "s")
        yield Figure(group, "stack instances a second", deploy["instances"] / deploy["seconds"], "/s")
        yield Figure(group, "a stack instance", deploy["seconds"] / deploy["instances"], "s", aim)
        yield Figure(group, "CPU a stack instance", costs[-1], "s")
        yield Figure(group, "peak memory", deploy["memory"], "MB")
    yield Figure(group, "CPU a stack instance, against the smaller one", costs[-1] / costs[0], aim=1)


def config_of(folder: Path, accounts: int, regions: int) -> Path:
    """Write the shipped accounts.yaml with so many accounts and governed Regions into a folder."""
    content = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    content["regions"]["governed"] = list(REGIONS[:regions])
    content["accounts"] += [
        {
            "id": f"{700_000_000_000 + number}",
            "name": f"team-{number}",
            "unit": "Workloads/NonProd",
            "owner": "team@example.com",
        }
        for number in range(accounts - len(content["accounts"]))
    ]
    path = folder / "accounts.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def deployed(path: Path) -> dict[str, Any]:
    """Deploy in this process, without sockets and without waiting: the clock moves only as it is asked to."""
    from orgmon.cli import run
    from orgmon.config.load import load
    from orgmon.rehearsal.seeding import seed_of
    from orgmon.sandbox.assembly import assemble
    from orgmon.sandbox.clock import Clock

    config = load(path)
    with assemble(seed_of(config), clock=Clock(speed=0)) as sandbox:

        def make(profile: str | None) -> Any:
            return sandbox.world.session(config.organization.management_account)

        said = io.StringIO()
        begun, begun_cpu = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run(["deploy", "--yes", "--config", str(path)], make)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
        if code:
            sys.exit(f"deploy ended with {code}:\n{said.getvalue()}")
        instances = sum(len(stack_set.instances) for stack_set in sandbox.stack_sets.register.active())
    return {"instances": instances, "seconds": seconds, "cpu": cpu, "memory": peak_memory()}


def main() -> None:
    """Deploy to so many accounts and Regions, and print what it took as JSON."""
    accounts, regions = (int(argument) for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(deployed(config_of(Path(folder), accounts, regions))))


if __name__ == "__main__":
    main()
