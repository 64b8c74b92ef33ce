"""The work spread over processes: sources out, findings back, added up in one place."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from orgmon.errors import OrgmonError
from orgmon.recordings.inflate import keep_memory
from orgmon.recordings.reading import Read, read, read_all
from orgmon.recordings.sources import Source
from orgmon.replay.report import Unread
from orgmon.replay.scan import Rules, Scanner
from orgmon.replay.tally import Tally

BATCH, LAST_BATCH, BATCH_FILES = 4 << 20, 1 << 20, 256
"""Bytes and sources that a process is given at a time; towards the end less, so that all end at about the same time."""

LARGE = 64 << 20
"""Bytes from which a source is read here, part by part, and not sent away as a whole."""

WORTH = 8 << 20
"""Bytes for which another process is worth its start."""


@dataclass
class Progress:
    """How far it is; ``total`` is 0 where nobody knows."""

    total: int = 0
    done: int = 0
    events: int = 0


@dataclass
class Collected:
    """What all sources gave."""

    tally: Tally
    unread: list[Unread] = field(default_factory=list)
    files: int = 0
    progress: Progress = field(default_factory=Progress)

    def take(self, part: Read) -> None:
        """Add what a part gave."""
        self.tally.add(part.findings)
        self.unread += part.unread
        self.files += part.files
        self.progress.done += part.bytes_read
        self.progress.events += part.findings.events


def collect(
    sources: Iterable[Source],
    rules: Rules,
    *,
    total: int,
    processes: int | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Collected:
    """Read everything. ``total`` is its size in bytes; ``processes`` defaults to the cores it is worth.

    Raises OrgmonError where a process dies. Ctrl-C leaves no process behind.
    """
    number = processes or min(_cores(), total // WORTH + 1)
    collected = Collected(Tally(rules), progress=Progress(total))
    parts = _alone(sources, rules) if number == 1 else _spread(sources, rules, number, total)
    for part in parts:
        collected.take(part)
        report(collected.progress)
    return collected


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _alone(sources: Iterable[Source], rules: Rules) -> Iterator[Read]:
    keep_memory()
    scanner = Scanner(rules)
    for source in sources:
        yield from read(scanner, source)


def _spread(sources: Iterable[Source], rules: Rules, number: int, total: int) -> Iterator[Read]:
    """Batches to processes, so many at a time that none waits; large sources are read here meanwhile."""
    context = _context()
    stop = context.Event()
    scanner = Scanner(rules)
    pool = ProcessPoolExecutor(number, context, initializer=_begin, initargs=(scanner, stop))
    try:
        with _uninterrupted():  # processes are forked now, before anybody starts threads
            pool.submit(_nothing)
        running: set[Future[Read]] = set()
        for batch in _batches(sources, total, 2 * number):
            if isinstance(batch, Source):
                yield from read(scanner, batch)
                continue
            with _uninterrupted():
                running.add(pool.submit(_work, batch))
            if len(running) > 2 * number:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (ended.result() for ended in done)
        yield from (ended.result() for ended in running)
    except BrokenProcessPool as error:
        remedy = "run it with --processes 1, or with less memory in use"
        raise OrgmonError("a process that read files has died", remedy) from error
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits meanwhile: a pool that is half started can be neither used nor shut down."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context() -> Any:
    """A forked process starts at once; where threads run it could wait for ever for what they hold."""
    forks = sys.platform == "linux" and threading.active_count() == 1
    methods = multiprocessing.get_all_start_methods()
    safe = "forkserver" if "forkserver" in methods else "spawn"
    return multiprocessing.get_context("fork" if forks else safe)


def _batches(sources: Iterable[Source], total: int, share: int) -> Iterator[Sequence[Source] | Source]:
    """Sources by the batch, large ones alone; a batch is at most such a share of what is left."""
    batch: list[Source] = []
    size, left = 0, total
    for source in sources:
        left -= source.size
        if source.opener is not None or source.size > LARGE:
            yield source
            continue
        batch.append(source)
        size += source.size
        if size >= min(BATCH, max(LAST_BATCH, left // share)) or len(batch) >= BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


_HERE: dict[str, Any] = {}
"""The scanner and the sign to stop, of a process that was started for work."""


def _begin(scanner: Scanner, stop: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    gc.freeze()  # to collect among what was there before the fork would copy all of its memory
    keep_memory()
    _HERE.update(scanner=scanner, stopped=stop.is_set)


def _nothing() -> None:
    """Somebody has to be given something before processes are started."""


def _work(sources: Sequence[Source]) -> Read:
    return read_all(_HERE["scanner"], sources, _HERE["stopped"])
