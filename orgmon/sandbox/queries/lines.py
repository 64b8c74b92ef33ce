"""The events of log groups, as questions see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World


@dataclass(frozen=True)
class Line:
    """One log event. Times are milliseconds since 1970; ``pointer`` is the event's id."""

    account: str
    group: str
    stream: str
    timestamp: int
    ingested: int
    message: str
    pointer: str


class LogReader:
    """Reads the groups of an account and Region out of moto's store."""

    def __init__(self, world: World) -> None:
        self._world = world

    def group(self, call: Call, identifier: str) -> Any:
        """moto's group of that name or ARN. Raises Refusal if there is none."""
        group = self.find(call, identifier)
        if group is None:
            raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def find(self, call: Call, identifier: str) -> Any | None:
        """moto's group of that name or ARN (with or without ``:*`` at its end), or None."""
        name = identifier.split(":")[6] if identifier.count(":") >= 6 else identifier
        return self._world.stores.find("logs", call.account, call.region, "groups", name)

    def lines(self, group: Any, streams: Sequence[str] | None = None) -> Iterator[Line]:
        """The events of a group, stream by stream; of some streams, if they are named."""
        for name, stream in list(group.streams.items()):
            if streams is not None and name not in streams:
                continue
            for event in list(stream.events):
                yield Line(
                    group.account_id,
                    group.name,
                    name,
                    int(event.timestamp),
                    int(event.ingestion_time),
                    str(event.message),
                    f"{event.event_id:056d}",
                )
