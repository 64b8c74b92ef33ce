"""What no member account may know, such as the names of decoys: carried by the type of the texts that tell it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from orgmon.detections.condition import Glob

T = TypeVar("T")

OPEN = frozenset({"deployers"})
"""The placeholders that stand for nothing secret. One that is not named here is secret."""


@dataclass(frozen=True)
class Filling:
    """What a placeholder of rules stands for; a ``*`` in a value stands for any characters.

    Where it is secret, so is every value of it, and every pattern in which one of them is.
    """

    name: str
    values: tuple[str, ...]
    is_secret: bool


def filling(name: str, values: tuple[str, ...]) -> Filling:
    """The values of a placeholder; they are secret unless the placeholder is one of those that are open."""
    return Filling(name, values, is_secret=name not in OPEN)


class Sealed(str):
    """A text that nobody in a member account may read."""

    __slots__ = ()


def sealed(value: T) -> T:
    """The same plain data, in which every text is sealed."""
    return cast(T, _sealed(value))


def _sealed(value: Any) -> Any:
    if isinstance(value, str):
        return Sealed(value)
    if isinstance(value, dict):
        return {key: _sealed(member) for key, member in value.items()}
    return type(value)(map(_sealed, value)) if isinstance(value, list | tuple) else value


def told(content: object, secrets: Collection[str]) -> Iterator[str]:
    """Where plain data holds a sealed text, or one in which one of the secrets is: paths such as ``Resources.X``."""
    shapes = [Glob(("", *secret.split("*"), "")) for secret in secrets if secret.strip("*")]
    return map(".".join, _told(content, shapes))


def _told(content: object, shapes: Collection[Glob]) -> Iterator[tuple[str, ...]]:
    if isinstance(content, str):
        if isinstance(content, Sealed) or any(shape.fits(content) for shape in shapes):
            yield ()
    elif isinstance(content, dict):
        for number, (key, value) in enumerate(content.items()):
            if list(_told(key, shapes)):
                yield (f"key {number}",)  # by its number, for it tells the secret itself
            else:
                yield from ((str(key), *path) for path in _told(value, shapes))
    elif isinstance(content, list | tuple):
        for number, value in enumerate(content):
            yield from ((str(number), *path) for path in _told(value, shapes))
