"""The root and the organizational units of the sandbox's organization, as a tree."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

from orgmon.organization import OrganizationalUnit
from orgmon.sandbox.calls import Refusal


class Units:
    """The tree. Reading returns values; methods that change it raise Refusal as the Organizations API does.

    ``paths`` are those of the seed, parents first. The ids follow from them and from the organization's id: the
    same seed has the same ids.
    """

    def __init__(self, org_id: str, paths: tuple[str, ...]) -> None:
        self._org_id = org_id
        self._lock = threading.RLock()
        self._units: dict[str, OrganizationalUnit] = {}
        by_path: dict[str, OrganizationalUnit] = {}
        for path in paths:
            above, _, name = path.rpartition("/")
            by_path[path] = self._plant(name, by_path.get(above))

    @property
    def root_id(self) -> str:
        """The id of the root, ``r-...``."""
        return next(iter(self._units))

    def all(self) -> dict[str, OrganizationalUnit]:
        """The root and the units by id, parents before children."""
        with self._lock:
            return dict(self._units)

    def unit(self, unit_id: str) -> OrganizationalUnit:
        """A unit, not the root. Raises Refusal if there is none with that id."""
        unit = self._units.get(unit_id)
        if unit is None or unit.parent_id is None:
            raise Refusal(
                "OrganizationalUnitNotFoundException",
                "You specified an organizational unit that doesn't exist.",
            )
        return unit

    def path_of(self, unit_id: str) -> str:
        """The path of names of a root or unit that is there."""
        return self._units[unit_id].path

    def line_of(self, unit_id: str | None) -> tuple[str, ...]:
        """The ids from the root down to a unit, itself at the end; nothing for None."""
        line: list[str] = []
        while unit_id:
            line.insert(0, unit_id)
            unit_id = self._units[unit_id].parent_id
        return tuple(line)

    def add(self, parent_id: str, name: str) -> OrganizationalUnit:
        """A new unit below a root or unit."""
        with self._lock:
            parent = self._units.get(parent_id)
            if parent is None:
                raise Refusal("ParentNotFoundException", "You specified parent that doesn't exist.")
            self._require_free(parent_id, name)
            return self._plant(name, parent)

    def rename(self, unit_id: str, name: str) -> OrganizationalUnit:
        """Give a unit another name; the paths below it follow."""
        with self._lock:
            unit = self.unit(unit_id)
            if name != unit.name:
                self._require_free(unit.parent_id, name)
            self._units[unit_id] = replace(unit, name=name)
            self._lay_paths()
            return self._units[unit_id]

    def remove(self, unit_id: str, *, holds_accounts: bool) -> None:
        """Take away a unit that holds nothing."""
        with self._lock:
            self.unit(unit_id)
            if holds_accounts or any(unit.parent_id == unit_id for unit in self._units.values()):
                raise Refusal("OrganizationalUnitNotEmptyException", "The OU is not empty.")
            del self._units[unit_id]

    def _require_free(self, parent_id: str | None, name: str) -> None:
        if any(unit.parent_id == parent_id and unit.name == name for unit in self._units.values()):
            raise Refusal("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")

    def _plant(self, name: str, parent: OrganizationalUnit | None) -> OrganizationalUnit:
        """A name may have a slash in it: then the path does not tell where the unit is, but its parent does."""
        path = f"{parent.path}/{name}" if parent else name
        root = f"r-{_digest(self._org_id, 4)}"
        seed = f"{self._org_id}{path}{len(self._units)}"
        unit_id = f"ou-{root[2:]}-{_digest(seed, 8)}" if parent else root
        unit = OrganizationalUnit(unit_id, name, path, parent.id if parent else None)
        self._units[unit_id] = unit
        return unit

    def _lay_paths(self) -> None:
        """Paths follow the names above them; parents are before children."""
        for unit_id, unit in self._units.items():
            if unit.parent_id:
                path = f"{self._units[unit.parent_id].path}/{unit.name}"
                self._units[unit_id] = replace(unit, path=path)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
