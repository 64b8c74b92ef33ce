"""Objects as sources: fetched ahead by a few threads, in order, so that nobody waits for the network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from orgmon.aws.objects import Objects
from orgmon.errors import UsageError
from orgmon.recordings.sources import Source, in_order
from orgmon.recordings.work import LARGE

THREADS = 16
AHEAD = 32
"""Objects that are fetched and not looked at yet."""


def listed(objects: Objects) -> list[Source]:
    """The objects as sources that are not fetched yet. Raises AwsError, and UsageError where there is none."""
    sources = [
        Source(f"s3://{objects.bucket}/{key}", size, opener=partial(objects.open, key))
        for key, size in objects.list()
    ]
    if not sources:
        raise UsageError(
            f"there is nothing below s3://{objects.bucket}/{objects.prefix}",
            "name the trail's bucket and prefix",
        )
    return in_order(sources)


def fetched(objects: Objects, sources: Sequence[Source]) -> Iterator[Source]:
    """The sources with their content; what is large stays to be opened. Raises AwsError."""
    waiting: deque[Source | Future[Source]] = deque()
    pool = ThreadPoolExecutor(THREADS)
    try:
        for source in sources:
            waiting.append(source if source.size > LARGE else pool.submit(_fetched, objects, source))
            if len(waiting) > AHEAD:
                yield _ready(waiting.popleft())
        while waiting:
            yield _ready(waiting.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _fetched(objects: Objects, source: Source) -> Source:
    key = source.name.removeprefix(f"s3://{objects.bucket}/")
    return replace(source, content=objects.get(key), opener=None)


def _ready(source: Source | Future[Source]) -> Source:
    return source.result() if isinstance(source, Future) else source
