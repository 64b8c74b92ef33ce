"""Which events were seen before, in memory of a fixed size."""

from __future__ import annotations

SLOTS = 1 << 22
"""Eight bytes each: 32 MiB, of which only what is used is really taken."""

FULL = SLOTS // 2
"""Ids that are remembered without fault."""

PROBES = 512
"""Slots that are looked at. In a table that is half full it is never so many."""


class Seen:
    """A table of 64-bit digests.

    Up to FULL different ids it is exact, but for two ids with the same digest: one in 10^7 for a full table. Beyond,
    a new id takes the place of an older one, so that a duplicate can be counted once more; an event is never lost,
    as it would be in a Bloom filter. The digest is seeded anew for each process: nobody can choose ids that collide.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        self._table = memoryview(bytearray(slots * 8)).cast("q")
        self._mask = slots - 1
        self._left = slots // 2
        self.duplicates = 0

    def is_new(self, event_id: str) -> bool:
        """Whether the id comes for the first time; it is remembered."""
        digest = hash(event_id) or 1
        table, mask = self._table, self._mask
        home = digest & mask
        for step in range(PROBES):
            place = (home + step) & mask
            found = table[place]
            if found == digest:
                self.duplicates += 1
                return False
            if found == 0:
                break
        if self._left:
            self._left -= 1
            table[place] = digest
        else:
            table[home] = digest
        return True
