"""What differs between two templates, by content: where, what was, what will be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orgmon.stackset import TemplateBody


@dataclass(frozen=True)
class Difference:
    """One place that differs. ``path`` is e.g. ``Resources/Bus/Properties/Name``; None means absent."""

    path: str
    before: str | None
    after: str | None

    @property
    def symbol(self) -> str:
        """``+`` for what comes, ``-`` for what goes, ``~`` for what changes."""
        return "+" if self.before is None else "-" if self.after is None else "~"


def differences(before: TemplateBody, after: TemplateBody) -> tuple[Difference, ...]:
    """The differences in the order of their paths. Equal content has none, however it is written."""
    return tuple(_walk("", before.content, after.content))


def _walk(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if _json(before) == _json(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            below = f"{path}/{key}" if path else key
            if key not in before:
                yield Difference(below, None, _text(after[key]))
            elif key not in after:
                yield Difference(below, _text(before[key]), None)
            else:
                yield from _walk(below, before[key], after[key])
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(path, before, after)
    elif _text(before) == _text(after):
        # A text and a number or truth value that read alike: the quotes tell them apart.
        yield Difference(path, _json(before), _json(after))
    else:
        yield Difference(path, _text(before), _text(after))


def _lists(path: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    """Lists of equal length differ item by item; otherwise by the items that only one of them has."""
    if len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _walk(f"{path}[{number}]", old, new)
        return
    old_items, new_items = [_json(item) for item in before], [_json(item) for item in after]
    gone = [item for item in before if _json(item) not in new_items]
    come = [item for item in after if _json(item) not in old_items]
    yield from (Difference(f"{path}[]", _text(item), None) for item in gone)
    yield from (Difference(f"{path}[]", None, _text(item)) for item in come)
    if not gone and not come:
        yield Difference(path, _text(before), _text(after))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    """A value as JSON, which tells ``1`` from ``true`` where Python does not."""
    return json.dumps(value, sort_keys=True)
