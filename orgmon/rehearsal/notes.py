"""How commands find a sandbox that another process serves: by AWS_ENDPOINT_URL, by its name, or by its folder.

Each served sandbox leaves a note in the temporary folder, one a place, so that several can run side by side.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import urllib.parse
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from orgmon.errors import OrgmonError
from orgmon.rehearsal.environment import Address

LOOPBACK = ("127.0.0.1", "localhost", "::1")
START = "start one in another terminal: orgmon sandbox serve"


@dataclass(frozen=True)
class Place:
    """What tells a sandbox from others: a name that the user gave it, or else the folder of its accounts.yaml."""

    name: str

    @classmethod
    def of(cls, name: str | None, config: Path) -> Place:
        """The place of a sandbox of that name, or of that config."""
        return cls(name or str(config.resolve().parent))

    @property
    def note(self) -> Path:
        """Where the note of the sandbox is."""
        digest = hashlib.sha256(self.name.encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"orgmon-sandbox-{os.getuid()}-{digest}.json"


def announce(place: Place, address: Address) -> None:
    """Leave a note for other commands; readable by this user only, since it holds a key.

    Raises OrgmonError where a sandbox of that place runs already.
    """
    if other := _served(place):
        raise OrgmonError(
            f"a sandbox is served at {place.name} already: {other.url}",
            "use that one, or give this one a name: orgmon sandbox --name NAME serve",
        )
    place.note.unlink(missing_ok=True)
    with os.fdopen(os.open(place.note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(address), file)


def withdraw(place: Place, address: Address) -> None:
    """Remove the note, if it is still about this sandbox."""
    if _noted(place) == address:
        place.note.unlink(missing_ok=True)


def running(place: Place, environment: Mapping[str, str], *, named: bool) -> Address | None:
    """The sandbox that a command is about, if one answers.

    AWS_ENDPOINT_URL counts where it is set, unless a sandbox was ``named``. Raises OrgmonError where it leads to
    something else than a sandbox.
    """
    url = environment.get("AWS_ENDPOINT_URL", "")
    return _at(url, environment) if url and not named else _served(place)


def required(place: Place, environment: Mapping[str, str], *, named: bool) -> Address:
    """The same. Raises OrgmonError where there is none."""
    address = running(place, environment, named=named)
    if address is None:
        start = START.replace("sandbox", f"sandbox --name {place.name}") if named else START
        raise OrgmonError(f"no sandbox is running at {place.name}", start)
    return address


def _at(url: str, environment: Mapping[str, str]) -> Address:
    """The sandbox at an address; whoever has the address has its environment."""
    address = Address(
        url=url.rstrip("/"),
        region=environment.get("AWS_REGION", ""),
        access_key=environment.get("AWS_ACCESS_KEY_ID", ""),
        secret_key=environment.get("AWS_SECRET_ACCESS_KEY", ""),
    )
    # A sandbox listens on this machine only: nothing else is asked whether it is one.
    if _host(url) not in LOOPBACK or not _answers(address):
        raise OrgmonError(
            f"AWS_ENDPOINT_URL is {url}, and no sandbox answers there",
            f"unset it, or name a sandbox with --name; {START}",
        )
    return address


def _served(place: Place) -> Address | None:
    """The sandbox of a note, where it is still that one: another may listen on its port by now."""
    address = _noted(place)
    return address if address and _answers(address) else None


def _noted(place: Place) -> Address | None:
    try:
        if place.note.stat().st_uid != os.getuid():
            return None
        return Address(**json.loads(place.note.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _answers(address: Address) -> bool:
    try:
        answer: object = address.control("identity")
    except OrgmonError:
        return False
    return isinstance(answer, dict) and "token" in answer and address.token in ("", answer["token"])


def _host(url: str) -> str | None:
    try:
        return urllib.parse.urlsplit(url).hostname
    except ValueError:
        return None
