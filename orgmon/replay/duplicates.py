"""Which events were seen before, in memory of bounded size."""

from __future__ import annotations

from array import array

SLOTS = 1 << 22
"""Eight bytes each: 32 MiB at most."""

FULL = SLOTS // 2
"""Ids that are remembered without fault."""

FEW = 1 << 12
PROBES = 512
"""Slots that are looked at. In a table that is half full it is never so many."""


class Seen:
    """A table of 64-bit digests that grows as it fills.

    Up to FULL different ids it is exact, but for two ids with the same digest: one in 10^7 for a full table. Beyond,
    a new id takes the place of an older one, so that a duplicate can be counted once more; an event is never lost,
    as it would be in a Bloom filter. The digest is seeded anew for each process: nobody can choose ids that collide.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        self._most = slots
        self._make(min(slots, FEW))
        self.duplicates = 0

    def is_new(self, event_id: str) -> bool:
        """Whether the id comes for the first time; it is remembered."""
        digest = hash(event_id) or 1
        place = self._place(digest)
        if self._table[place] == digest:
            self.duplicates += 1
            return False
        if not self._left and len(self._table) < self._most:
            self._grow()
            place = self._place(digest)
        if self._left:
            self._left -= 1
            self._table[place] = digest
        else:
            self._table[digest & self._mask] = digest
        return True

    def _place(self, digest: int) -> int:
        """The slot that holds the digest, or else the first free one; its home where there is neither nearby."""
        table, mask = self._table, self._mask
        place = home = digest & mask
        for _ in range(PROBES):
            if table[place] in (digest, 0):
                return place
            place = (place + 1) & mask
        return home

    def _make(self, slots: int) -> None:
        self._table = array("q", bytes(8 * slots))
        self._mask = slots - 1
        self._left = slots // 2

    def _grow(self) -> None:
        known = [digest for digest in self._table if digest]
        self._make(2 * len(self._table))
        for digest in known:
            self._table[self._place(digest)] = digest
        self._left -= len(known)
