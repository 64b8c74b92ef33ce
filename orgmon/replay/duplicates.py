"""Which events were seen before, in memory of bounded size."""

from __future__ import annotations

REMEMBERED = 1 << 19
"""The last events that are remembered at least; as many before them may be too, 90 MB in all."""


class Seen:
    """Digests of the last events.

    Input comes in about the order of its time, and what was delivered twice, or by two trails, is close together.
    Farther apart a duplicate can be counted once more; an event is never lost, as it would be in a Bloom filter, but
    for two with the same digest of 64 bits. It is seeded anew for each process: nobody can choose ids that collide.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._last: set[int] = set()
        self._before: set[int] = set()
        self.duplicates = 0

    def is_new(self, event_id: str) -> bool:
        """Whether the id comes for the first time; it is remembered."""
        digest = hash(event_id)
        if digest in self._last or digest in self._before:
            self.duplicates += 1
            return False
        if len(self._last) >= self._remembered:
            self._before, self._last = self._last, set()
        self._last.add(digest)
        return True
