"""Sigma's values to tests, by the type of the field."""

from __future__ import annotations

import ipaddress
from typing import Any

from orgmon.detections.condition import (
    Absent,
    Compares,
    Condition,
    Either,
    Flag,
    Glob,
    Matches,
    Not,
    Placeholder,
    Present,
    Within,
)
from orgmon.detections.fields import FieldType, Kind, field_type, spelling
from orgmon.errors import DetectionError

OPERATORS = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
MAX_OCTET_PREFIXES = 16


def test(path: str, value: Any) -> Condition:
    """What a field with a Sigma value asks. Raises DetectionError without a place."""
    from sigma import types

    if isinstance(value, types.SigmaNull):
        return Absent(path)
    if isinstance(value, types.SigmaExists):
        return Present(path) if value.exists else Not(Present(path))
    if isinstance(value, types.SigmaBool):
        return _flag(path, bool(value.boolean))
    if isinstance(value, types.SigmaNumber):
        return _number(path, value.number)
    if isinstance(value, types.SigmaCompareExpression):
        return _comparison(path, value)
    if isinstance(value, types.SigmaCIDRExpression):
        return _block(path, str(value.network))
    if isinstance(value, types.SigmaString):
        return _string(path, value)
    raise DetectionError(
        f"{path}: {type(value).__name__.removeprefix('Sigma')} has no form in AWS's patterns",
        "use plain values, startswith, endswith or contains",
    )


test.__test__ = False  # type: ignore[attr-defined]


def _kind(path: str) -> Kind:
    return (field_type(path) or FieldType(Kind.OPEN)).kind


def _flag(path: str, wanted: bool) -> Condition:
    """YAML's true and false; a field that holds text gets the word."""
    if _kind(path) is Kind.STRING:
        return Matches(path, Glob((str(wanted).lower(),)))
    return Flag(path, wanted, text_too=_kind(path) is Kind.OPEN)


def _number(path: str, number: int | float) -> Condition:
    """A number; CloudTrail writes most of them, account ids above all, as text."""
    if _kind(path) is Kind.BOOL:
        raise DetectionError(f"{path} is true or false, not {number}", "write true or false")
    text = Matches(path, Glob((str(number),)))
    return text if _kind(path) is Kind.STRING else Either((Compares(path, "=", number), text))


def _comparison(path: str, value: Any) -> Condition:
    if _kind(path) is not Kind.OPEN or value.op.name not in OPERATORS:
        raise DetectionError(
            f"{path} is {_kind(path).value} and cannot be ordered", "compare a numeric field"
        )
    return Compares(path, OPERATORS[value.op.name], value.number.number)


def _block(path: str, block: str) -> Condition:
    """Blocks of whole octets as the beginning of the text, which both pattern languages can say and negate."""
    network = ipaddress.ip_network(block, strict=False)
    if network.prefixlen == network.max_prefixlen:
        return Matches(path, Glob((str(network.network_address),)))
    octets = -(-network.prefixlen // 8)
    if (
        network.version == 6
        or octets == 0
        or octets == 4
        or 2 ** (octets * 8 - network.prefixlen) > MAX_OCTET_PREFIXES
    ):
        return Within(path, str(network))
    heads = [str(part.network_address).split(".")[:octets] for part in network.subnets(new_prefix=octets * 8)]
    found = tuple(Matches(path, Glob((".".join(head) + ".", ""))) for head in heads)
    return found[0] if len(found) == 1 else Either(found)


def _string(path: str, value: Any) -> Condition:
    pieces, placeholder = _pieces(path, value)
    if placeholder is not None:
        name, place = placeholder
        return Placeholder(path, _glob(pieces[: place + 1]).pieces, name, _glob(pieces[place + 1 :]).pieces)
    glob = _glob(pieces)
    word = (glob.literal or "").lower()
    if _kind(path) is Kind.STRING or word not in ("true", "false"):
        if _kind(path) is Kind.BOOL:
            raise DetectionError(f"{path} is true or false, not {glob}", "write true or false")
        return Matches(path, glob if glob.literal is None else Glob((spelling(path, glob.literal),)))
    return _flag(path, word == "true")


def _pieces(path: str, value: Any) -> tuple[list[str], tuple[str, int] | None]:
    """The literal pieces between stars, and the placeholder with the index of the piece before it."""
    from sigma.types import Placeholder as SigmaPlaceholder
    from sigma.types import SpecialChars

    pieces, placeholder = [""], None
    for part in value.s:
        if isinstance(part, str):
            pieces[-1] += part
        elif part is SpecialChars.WILDCARD_MULTI:
            pieces.append("")
        elif isinstance(part, SigmaPlaceholder) and placeholder is None:
            placeholder = (part.name, len(pieces) - 1)
            pieces.append("")
        else:
            raise DetectionError(
                f"{path}: ? and a second placeholder have no form in AWS's patterns", "use *"
            )
    return pieces, placeholder


def _glob(pieces: list[str]) -> Glob:
    """The pieces with stars side by side made one."""
    *inner, last = pieces
    return Glob((*(piece for place, piece in enumerate(inner) if piece or place == 0), last))
