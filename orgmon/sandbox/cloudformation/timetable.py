"""In which second of an operation CloudFormation begins with a resource, if each of them takes one second.

CloudFormation makes at once what depends on nothing that is still to be made (user guide, "DependsOn attribute").
How many at most, and how long a resource takes, is published nowhere: a second is little for most of them, so what
is spread enough here is so at AWS. A resource that a condition leaves out counts as if it were there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from orgmon.sandbox.cloudformation.template import Template, parse


def begins(template: Template) -> Mapping[str, int]:
    """The second of each resource when a stack is made or updated."""
    return _begins(template.text)


def ends(template: Template) -> Mapping[str, int]:
    """The second of each resource when a stack is removed: what hangs on others goes before them."""
    return _ends(template.text)


@lru_cache(maxsize=256)
def _begins(text: str) -> dict[str, int]:
    seconds: dict[str, int] = {}
    for name, definition in parse(text).resources.items():
        needed = [seconds[each] for each in definition.needs if each in seconds]
        seconds[name] = max(needed, default=-1) + 1
    return seconds


@lru_cache(maxsize=256)
def _ends(text: str) -> dict[str, int]:
    resources = parse(text).resources
    seconds = dict.fromkeys(resources, 0)
    for name, definition in reversed(resources.items()):
        for each in definition.needs & resources.keys():
            seconds[each] = max(seconds[each], seconds[name] + 1)
    return seconds
