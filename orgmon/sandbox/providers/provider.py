"""What a resource provider is, and the place it works in.

A provider makes, changes, reads and removes resources of one type through the service's own API, with the
credentials of whoever runs the stack, exactly as CloudFormation's handlers do.
"""

from __future__ import annotations

import secrets
import string
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from orgmon.sandbox.calls import Principal

Properties = dict[str, Any]
SERVICE = "cloudformation.amazonaws.com"
_RANDOM = string.ascii_uppercase + string.digits


class Clients(Protocol):
    """Where providers get boto3 clients and, for what moto cannot keep otherwise, a service's store."""

    def client(
        self,
        service: str,
        account: str,
        region: str,
        *,
        principal: Principal | None = None,
        invoked_by: str = "",
    ) -> Any:
        """A client of that account and Region, signing as ``principal``."""

    def store(self, service: str, account: str, region: str) -> Any:
        """moto's backend of the service."""


class HandlerError(Exception):
    """A provider refuses. ``code`` is a handler error code (``InvalidRequest``), ``message`` AWS's words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class Place:
    """Where a provider works: one resource of one stack.

    ``kept`` are attributes that only the creation knows (a secret access key). ``claimed`` is the physical id
    as soon as there is something to remove, so that a creation that fails half-way can be cleaned up.
    """

    world: Clients
    account: str
    region: str
    partition: str
    stack_name: str
    stack_id: str
    logical_id: str
    principal: Principal | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    claimed: str = ""

    def client(self, service: str, region: str = "") -> Any:
        """A boto3 client of the stack's account, in the stack's Region unless told otherwise."""
        where = region or self.region
        return self.world.client(service, self.account, where, principal=self.principal, invoked_by=SERVICE)

    def claim(self, physical_id: str) -> str:
        """Say that the resource exists from here on; returns the id."""
        self.claimed = physical_id
        return physical_id

    def keep(self, name: str, value: Any) -> None:
        """Remember an attribute that cannot be read again."""
        self.kept[name] = value

    def arn(self, service: str, resource: str) -> str:
        """An ARN of the stack's account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def invent(self, limit: int = 255, *, with_stack: bool = True) -> str:
        """A physical name as CloudFormation makes it: STACK-LOGICALID-RANDOM12, cut to ``limit`` characters."""
        ending = "".join(secrets.choice(_RANDOM) for _ in range(12))
        if not with_stack:
            return f"{self.logical_id[: limit - 13]}-{ending}"
        room = limit - len(ending) - 2
        middle = (
            self.logical_id if len(self.stack_name) + len(self.logical_id) <= room else self.logical_id[:24]
        )
        return f"{self.stack_name[: room - len(middle)].rstrip('-')}-{middle}-{ending}"


class Provider(ABC):
    """Base of the providers of all resource types.

    ``supports`` are the properties that it really applies: the engine fails a resource that asks for others.
    ``name_property`` is the property that names the resource, ``name_limit`` the longest name; ``overwrites`` says
    that the service's create call takes an existing name without complaint, so that the engine must look first.
    """

    type: ClassVar[str] = ""
    supports: ClassVar[frozenset[str]] = frozenset()
    name_property: ClassVar[str] = ""
    name_limit: ClassVar[int] = 255
    overwrites: ClassVar[bool] = False

    def name(self, place: Place, wanted: Properties) -> str:
        """The name that the template gives, or an invented one."""
        given = wanted.get(self.name_property)
        return str(given) if given else place.invent(self.name_limit)

    def identify(self, place: Place, wanted: Properties) -> str:
        """The physical id of the resource that the properties name, or an empty text when they name none."""
        return str(wanted.get(self.name_property, ""))

    @abstractmethod
    def create(self, place: Place, wanted: Properties) -> str:
        """Make the resource; returns its physical id, which is also what Ref gives."""

    @abstractmethod
    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Change the resource in place from ``old`` to ``wanted``."""

    @abstractmethod
    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Remove the resource. That it is gone already is no error (the engine sees to that)."""

    @abstractmethod
    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The live properties, in CloudFormation's words, as far as the service tells; None when it is gone."""

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """What Fn::GetAtt may ask for, apart from what ``create`` kept."""
        return {}


REGISTRY: dict[str, Provider] = {}
Kind = TypeVar("Kind", bound=type[Provider])


def provides(type_name: str) -> Callable[[Kind], Kind]:
    """Class decorator: the provider of a resource type."""

    def register(kind: Kind) -> Kind:
        kind.type = type_name
        REGISTRY[type_name] = kind()
        return kind

    return register
