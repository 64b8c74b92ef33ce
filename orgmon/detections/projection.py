"""What can be told of a detection from the event names and sources that it takes."""

from __future__ import annotations

from dataclasses import dataclass

from orgmon.detections.codes import InexpressibleError
from orgmon.detections.condition import Condition, Glob
from orgmon.detections.conjuncts import Conjunct, conjuncts, is_plain, only
from orgmon.detections.fieldset import Constant, FieldSet, Other, Text

READ_PREFIXES = ("Get", "List", "Describe")
NOT_READS = frozenset({"GetFederationToken", "GetSessionToken"})
"""Calls that EventBridge counts as writes in spite of their names."""

EVENT_NAME = "eventName"
EVENT_SOURCE = "eventSource"
IDENTITY_TYPE = "userIdentity.type"
READ_ONLY = "readOnly"
ROOT: FieldSet = frozenset({Text(Glob(("Root",)))})


@dataclass(frozen=True)
class Reach:
    """One kind of events that a detection can take: hosts and names, None for any; ``root`` for root's only."""

    hosts: frozenset[str] | None
    names: frozenset[str] | None
    root: bool
    reads: bool


def reaches(condition: Condition) -> tuple[Reach, ...]:
    """A superset of the events that the condition takes, by source, name and whether root did it."""
    fields = frozenset({EVENT_NAME, EVENT_SOURCE, IDENTITY_TYPE, READ_ONLY})
    try:
        alternatives = conjuncts(only(condition, fields))
    except InexpressibleError:
        alternatives = ({},)
    return tuple(_reach(conjunct) for conjunct in alternatives)


def _reach(conjunct: Conjunct) -> Reach:
    return Reach(
        hosts=_strings(conjunct.get(EVENT_SOURCE)),
        names=_strings(conjunct.get(EVENT_NAME)),
        root=conjunct.get(IDENTITY_TYPE) == ROOT,
        reads=_takes_reads(conjunct),
    )


def _strings(values: FieldSet | None) -> frozenset[str] | None:
    if values is None or not is_plain(values):
        return None
    return frozenset(str(atom.glob) for atom in values if isinstance(atom, Text))


def _takes_reads(conjunct: Conjunct) -> bool:
    read_only = conjunct.get(READ_ONLY)
    if (
        read_only is not None
        and Constant(True) not in read_only
        and not any(isinstance(atom, Other) for atom in read_only)
    ):
        return False
    names = conjunct.get(EVENT_NAME)
    return names is None or any(_is_read(atom.glob) if isinstance(atom, Text) else True for atom in names)


def _is_read(glob: Glob) -> bool:
    if glob.literal is not None:
        return is_read(glob.literal)
    head = glob.pieces[0]
    return any(head.startswith(prefix) or prefix.startswith(head) for prefix in READ_PREFIXES)


def is_read(name: str) -> bool:
    """Whether a rule in the state ENABLED does not see calls of this name."""
    return name.startswith(READ_PREFIXES) and name not in NOT_READS


def matches_reads(condition: Condition) -> bool:
    """Whether the condition takes calls that a rule in the state ENABLED does not see."""
    return any(reach.reads for reach in reaches(condition))


def sources_of(condition: Condition) -> frozenset[str] | None:
    """The ``source`` values of the events, such as ``aws.iam``; None for any."""
    sources: set[str] = set()
    for reach in reaches(condition):
        if reach.hosts is None:
            return None
        sources |= {"aws." + host.partition(".")[0] for host in reach.hosts}
    return frozenset(sources)
