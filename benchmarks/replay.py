"""A replay of the shipped catalogue over 200,000 records, against reading alone, in the same run on one core.

Aims are ratios of seconds: to inflate and parse everything with orjson takes longer than the whole replay, and to
inflate alone takes at least 0.4 of it.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import archive
from benchmarks.measure import Figure, in_own_process, peak_memory

FILES = 400
ROUNDS, ROUNDS_OF_PROCESSES = 7, 15
"""How often each action is timed; two cores are both left alone by the rest of the machine more seldom than one is."""

PARSED_AIM, INFLATED_AIM, PROCESSES_AIM, MEMORY_AIM, COMPILED_AIM = 1.0, 2.5, 1 / 1.7, 200.0, 1.0
GROWTH_AIM = 1.1
SIZES = (10, 740)


def measured() -> Iterator[Figure]:
    """Speed against the floors, processes, memory at two sizes, and what a detection costs."""
    with tempfile.TemporaryDirectory(prefix="orgmon-bench-") as folder:
        size = archive.write(Path(folder), FILES)
        yield Figure("replay", "records", FILES * archive.RECORDS)
        yield Figure("replay", "archive", size / 1e6, "MB")
        yield from _speed(folder)
        yield from _catalogue(folder)
        small = in_own_process(__spec__.name, "replayed", folder)["memory"]
        with tempfile.TemporaryDirectory(prefix="orgmon-bench-") as larger:
            archive.write(Path(larger), 3 * FILES)
            large = in_own_process(__spec__.name, "replayed", larger)["memory"]
        yield Figure("replay", "peak memory", small, "MB", MEMORY_AIM)
        yield Figure("replay", "peak memory of three times as much", large, "MB", MEMORY_AIM)
        yield Figure("replay", "of that, more", large / small, "x", GROWTH_AIM)


def _speed(folder: str) -> Iterator[Figure]:
    seconds = in_own_process(__spec__.name, "speeds", folder)
    records = FILES * archive.RECORDS
    yield Figure("replay", "events a second, one core", records / seconds["replay"])
    yield Figure("replay", "events a second, inflate and orjson", records / seconds["parse"])
    yield Figure("replay", "events a second, inflate alone", records / seconds["inflate"])
    yield Figure(
        "replay", "time to that of inflate and orjson", seconds["replay"] / seconds["parse"], "x", PARSED_AIM
    )
    yield Figure(
        "replay", "time to that of inflate", seconds["replay"] / seconds["inflate"], "x", INFLATED_AIM
    )
    two = in_own_process(__spec__.name, "processes", folder)
    aim = PROCESSES_AIM if len(os.sched_getaffinity(0)) > 1 else None
    yield Figure("replay", "two processes, time to that of one", two["two"] / two["one"], "x", aim)


def _catalogue(folder: str) -> Iterator[Figure]:
    seconds = in_own_process(__spec__.name, "growing", folder)
    yield Figure("replay", "the shipped catalogue compiled", seconds["compiled"], "s", COMPILED_AIM)
    few, many = (seconds[str(size)] for size in SIZES)
    yield Figure("replay", f"{SIZES[1]} detections, time to that of {SIZES[0]}", many / few, "x")
    each = (many - few) / (SIZES[1] - SIZES[0]) / (FILES * archive.RECORDS) * 1e9
    yield Figure("replay", "a detection more, an event", each, "ns")


def _detections() -> tuple[Any, ...]:
    from orgmon.detections.catalogue import shipped
    from orgmon.detections.secrecy import filling
    from orgmon.replay.selection import replayable

    values = (
        filling("decoys", ("backup-admin-",)),
        filling("deployers", ("arn:aws:iam::*:role/deploy",)),
    )
    return tuple(replayable(shipped(), values)[0])


def _replay(folder: str, detections: tuple[Any, ...], processes: int = 1) -> float:
    from orgmon.recordings.sources import local
    from orgmon.recordings.work import collect
    from orgmon.replay.scan import Rules

    begun = time.perf_counter()
    sources = local(folder)
    collected = collect(
        sources, Rules(detections), total=sum(source.size for source in sources), processes=processes
    )
    assert collected.tally.total.events % (FILES * archive.RECORDS) == 0
    assert not collected.unread
    return time.perf_counter() - begun


def _best(
    actions: dict[str, Callable[[], object]],
    clock: Callable[[], float] = time.process_time,
    rounds: int = ROUNDS,
) -> dict[str, float]:
    """The least seconds of each action. They take turns, so that a busy moment of the machine meets them all.

    On one core the processor's time is counted: what else runs there meanwhile is no part of it.
    """
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            begun = clock()
            action()
            times[name].append(clock() - begun)
    return {name: min(seconds) for name, seconds in times.items()}


def _pin() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def speeds(folder: str) -> dict[str, float]:
    """Seconds of a replay, of inflating and parsing everything, and of inflating, on one core."""
    import orjson

    from orgmon.recordings.inflate import pieces
    from orgmon.recordings.sources import local

    _pin()
    detections = _detections()

    def content() -> Iterator[bytes]:
        for source in local(folder):
            with source.open() as stream:
                yield b"".join(pieces(stream))

    return _best(
        {
            "replay": lambda: _replay(folder, detections),
            "parse": lambda: [len(orjson.loads(document)["Records"]) for document in content()],
            "inflate": lambda: [len(document) for document in content()],
        }
    )


def processes(folder: str) -> dict[str, float]:
    """Seconds of a replay by one and by two processes."""
    detections = _detections()
    return _best(
        {"one": lambda: _replay(folder, detections), "two": lambda: _replay(folder, detections, 2)},
        time.perf_counter,
        ROUNDS_OF_PROCESSES,
    )


def growing(folder: str) -> dict[str, float]:
    """Seconds to compile the catalogue, and of replays with few and with many detections."""
    from orgmon.detections.condition import negations_inward
    from orgmon.replay.narrowing import names_needed
    from orgmon.replay.scan import Rules, Scanner

    _pin()
    shipped = _detections()
    names = {
        name for detection in shipped for name in names_needed(negations_inward(detection.condition)) or ()
    }
    each = json.dumps({"Records": [{"eventName": name} for name in sorted(names)]}).encode()
    actions: dict[str, Callable[[], object]] = {"compiled": lambda: Scanner(Rules(shipped)).document(each)}
    for size in SIZES:
        many = tuple(replace(shipped[n % len(shipped)], id=f"variant-{n}") for n in range(size))
        actions[str(size)] = functools.partial(_replay, folder, many)
    return _best(actions)


def replayed(folder: str) -> dict[str, float]:
    """The memory of one replay by one process."""
    _replay(folder, _detections())
    return {"memory": peak_memory()}


if __name__ == "__main__":
    measurements = {each.__name__: each for each in (speeds, processes, growing, replayed)}
    print(json.dumps(measurements[sys.argv[1]](sys.argv[2])))
