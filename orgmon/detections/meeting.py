"""The values that two sets of one field share, as far as one leaf list can say it."""

from __future__ import annotations

import ipaddress

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.condition import COMPARE, Glob, Within
from orgmon.detections.fieldset import (
    Anything,
    Atom,
    Block,
    Constant,
    FieldSet,
    Missing,
    Other,
    Range,
    Text,
)


def meet(path: str, first: FieldSet, second: FieldSet) -> FieldSet:
    """The values in both sets. Raises InexpressibleError where no leaf list can say it."""
    common: FieldSet = frozenset()
    for left in first:
        for right in second:
            common |= _meet(path, left, right)
    return common


def _meet(path: str, first: Atom, second: Atom) -> FieldSet:
    if first == second:
        return frozenset({first})
    for left, right in ((first, second), (second, first)):
        common = _meet_in_order(path, left, right)
        if common is not None:
            return common
    raise InexpressibleError(
        Code.SAME_FIELD, path, "an address block together with another shape", "one of the two"
    )


def _meet_in_order(path: str, left: Atom, right: Atom) -> FieldSet | None:
    """The values in both; None where the pair is to be asked the other way round."""
    match left, right:
        case (Missing(), _) | (Anything(), Missing()):
            return frozenset()
        case Anything(), _:
            return frozenset({right})
        case Other(), _:
            return _meet_other(path, left, right)
        case Text(first), Text(second):
            return _both(path, first, second)
        case Text(Glob((literal,))), Block(cidr):
            return frozenset({left}) if Within(path, cidr).fits(literal) else frozenset()
        case Range(), Range():
            return _overlap(left, right)
        case Block(), Block():
            return _inner_block(left, right)
        case ((Constant() | Range()), (Text() | Constant() | Range() | Block())):
            return frozenset()
        case _:
            return None


def _meet_other(path: str, left: Other, right: Atom) -> FieldSet | None:
    match right:
        case Other(globs):
            return frozenset({Other(left.globs | globs)})
        case Text():
            return _without(path, right, left)
        case Constant() | Range():
            return frozenset({right})
        case _:
            return None


def covers(wide: Glob, narrow: Glob) -> bool:
    """Whether every string of the narrow shape surely has the wide one."""
    return wide.fits("\uffff".join(narrow.pieces))


def apart(first: Glob, second: Glob) -> bool:
    """Whether surely no string has both shapes."""
    for left, right in ((first, second), (second, first)):
        if left.literal is not None:
            return not right.fits(left.literal)
    heads = first.pieces[0], second.pieces[0]
    tails = first.pieces[-1], second.pieces[-1]
    return not (heads[0].startswith(heads[1]) or heads[1].startswith(heads[0])) or not (
        tails[0].endswith(tails[1]) or tails[1].endswith(tails[0])
    )


def _both(path: str, first: Glob, second: Glob) -> FieldSet:
    if apart(first, second):
        return frozenset()
    for wide, narrow in ((first, second), (second, first)):
        if covers(wide, narrow):
            return frozenset({Text(narrow)})
    for head, tail in ((first.prefix, second.suffix), (second.prefix, first.suffix)):
        if head is not None and tail is not None:
            touching = {
                head + tail[length:]
                for length in range(1, min(len(head), len(tail)) + 1)
                if head.endswith(tail[:length])
            }
            return frozenset({Text(Glob((head, tail)))} | {Text(Glob((word,))) for word in touching})
    raise InexpressibleError(
        Code.SAME_FIELD,
        path,
        f"both {first} and {second} on one field",
        "one shape with * between the pieces",
    )


def _without(path: str, text: Text, other: Other) -> FieldSet:
    left = [glob for glob in other.globs if not apart(text.glob, glob)]
    if not left:
        return frozenset({text})
    if any(covers(glob, text.glob) for glob in left):
        return frozenset()
    shapes = ", ".join(str(glob) for glob in sorted(left))
    raise InexpressibleError(
        Code.SAME_FIELD, path, f"{text.glob} but not {shapes} on one field", "the wanted values as a list"
    )


def _overlap(first: Range, second: Range) -> FieldSet:
    bounds = set(first.bounds + second.bounds)
    for sign, number in sorted(bounds):
        if sign == "=":
            fits = all(COMPARE[limit](number, bound) for limit, bound in bounds)
            return frozenset({Range(((sign, number),))}) if fits else frozenset()
    low = max(((number, sign == ">", sign) for sign, number in bounds if sign in (">", ">=")), default=None)
    high = min(((number, sign == "<=", sign) for sign, number in bounds if sign in ("<", "<=")), default=None)
    if low is None or high is None:
        return frozenset({Range(tuple((end[2], end[0]) for end in (low, high) if end is not None))})
    if low[0] == high[0] and (low[2], high[2]) == (">=", "<="):
        return frozenset({Range((("=", low[0]),))})
    return frozenset({Range(((low[2], low[0]), (high[2], high[0])))}) if low[0] < high[0] else frozenset()


def _inner_block(first: Block, second: Block) -> FieldSet:
    left, right = ipaddress.ip_network(first.cidr), ipaddress.ip_network(second.cidr)
    if left.version != right.version or not left.overlaps(right):
        return frozenset()
    return frozenset({first if left.prefixlen > right.prefixlen else second})
