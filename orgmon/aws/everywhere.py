"""One question to many accounts and Regions: a call for each pair, many at a time, an answer or an error for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from queue import SimpleQueue
from typing import Generic, TypeVar

from orgmon.aws.errors import translated
from orgmon.errors import AwsError
from orgmon.stackset import Pair

T = TypeVar("T")
WORKERS = 32
# How many pairs are asked for ahead of those that the caller has taken, for each worker.
AHEAD = 2


def _silent(answered: int, failed: int) -> None:
    """Nobody wants to know how far it is."""


def everywhere(
    pairs: Iterable[Pair],
    call: Callable[[Pair], T],
    *,
    workers: int = WORKERS,
    progress: Callable[[int, int], None] = _silent,
) -> Iterator[tuple[Pair, T | AwsError]]:
    """Make a call for each pair and yield (pair, what it returned, or the AwsError it ended with) as they come in.

    The order is that of the answers. ``call`` runs in one of ``workers`` threads; it takes its clients from
    ``Sessions.member`` at each call, and those keep the rate of calls for each account, Region and service. What it
    raises of the SDK's errors becomes an AwsError that names the pair; any other error, as where there are no
    credentials at all, ends everything and is raised here.

    ``progress`` is told, in the caller's thread and before a pair is yielded, how many pairs were answered, and how
    many of them with an error.

    ``pairs`` may be endless: it is read as results are taken, at most two pairs ahead for each worker, and nothing is
    kept of a pair that was yielded. So memory does not grow with the number of pairs, and a caller that takes its time
    slows the workers down.

    Ctrl-C, an error and a caller that stops taking results end it at once: what is under way is not waited for, its
    results are dropped, and its threads hold up neither the program nor its end.
    """
    crew = _Crew(call)
    source = iter(pairs)
    answered = failed = 0
    try:
        for pair in islice(source, workers * AHEAD):
            crew.ask(pair, workers)
        while crew.under_way:
            pair, result = crew.take()
            for following in islice(source, 1):
                crew.ask(following, workers)
            answered, failed = answered + 1, failed + isinstance(result, AwsError)
            progress(answered, failed)
            yield pair, result
    finally:
        crew.dismiss()


class _Crew(Generic[T]):
    """Threads that make a call for one pair after the other, started as they are needed."""

    def __init__(self, call: Callable[[Pair], T]) -> None:
        self._call = call
        self._asked: SimpleQueue[Pair | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[Pair, T | Exception]] = SimpleQueue()
        self._dismissed = False
        self._threads = 0
        self.under_way = 0

    def ask(self, pair: Pair, workers: int) -> None:
        """Have a pair called for by one of so many workers."""
        self._asked.put(pair)
        self.under_way += 1
        if self._threads < min(workers, self.under_way):
            self._threads += 1
            threading.Thread(target=self._work, daemon=True).start()

    def take(self) -> tuple[Pair, T | AwsError]:
        """Wait for the next answer. Raises what a call ended with where that is not an AwsError."""
        pair, result = self._done.get()
        self.under_way -= 1
        if isinstance(result, Exception) and not isinstance(result, AwsError):
            raise result
        return pair, result

    def dismiss(self) -> None:
        """Let the threads end after the call that each is in."""
        self._dismissed = True
        for _ in range(self._threads):
            self._asked.put(None)

    def _work(self) -> None:
        while (pair := self._asked.get()) is not None and not self._dismissed:
            self._done.put((pair, self._result(pair)))

    def _result(self, pair: Pair) -> T | Exception:
        try:
            with translated("", account=pair.account, region=pair.region):
                return self._call(pair)
        except Exception as error:
            return error
