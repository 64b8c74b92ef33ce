"""Sigma's values to tests, by the type of the field."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from orgmon.detections.codes import Code
from orgmon.detections.condition import (
    Absent,
    Compares,
    Condition,
    Either,
    Finds,
    Flag,
    Glob,
    Matches,
    Not,
    Placeholder,
    Present,
    Within,
    either,
)
from orgmon.detections.fields import Kind, taken_type
from orgmon.detections.sigma.regex_globs import globs_of
from orgmon.detections.sigma.spelling import has_vocabulary, spelled
from orgmon.errors import DetectionError

OPERATORS = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
MAX_OCTET_PREFIXES = 16


@dataclass(frozen=True)
class Doubt:
    """What may be wrong in a value, or what was made of it."""

    what: str
    remedy: str
    code: Code


def condition_of(path: str, value: Any, doubts: list[Doubt]) -> Condition:
    """What a field with a Sigma value asks; doubts are added. Raises DetectionError without a place."""
    from sigma import types

    if isinstance(value, types.SigmaNull):
        return Absent(path)
    if isinstance(value, types.SigmaExists):
        return Present(path) if value.exists else Not(Present(path))
    if isinstance(value, types.SigmaBool):
        return _flag(path, bool(value.boolean))
    if isinstance(value, types.SigmaNumber):
        return _number(path, value.number, doubts)
    if isinstance(value, types.SigmaCompareExpression):
        return _comparison(path, value)
    if isinstance(value, types.SigmaCIDRExpression):
        return _block(path, str(value.network))
    if isinstance(value, types.SigmaRegularExpression):
        return _regex(path, value)
    if isinstance(value, types.SigmaString):
        return _string(path, value, doubts)
    if isinstance(value, types.SigmaExpansion):
        return Either(tuple(condition_of(path, alternative, doubts) for alternative in value.values))
    kind = type(value).__name__.removeprefix("Sigma")
    raise DetectionError(
        f"{path}: {kind} has no form in AWS's patterns [{Code.VALUE}]",
        "use plain values, startswith, endswith or contains",
    )


def _regex(path: str, value: Any) -> Condition:
    """A regular expression, as the string shapes that it stands for where there are such."""
    if value.flags:
        raise DetectionError(
            f"{path}: flags of a regular expression have no form in AWS's patterns [{Code.REGEX_SYNTAX}]",
            "write the cases out",
        )
    text = str(value.regexp)
    globs = globs_of(text)
    if globs is None:
        return Finds(path, text)
    return either(Matches(path, glob) for glob in globs)


def _kind(path: str) -> Kind:
    return taken_type(path).kind


def _flag(path: str, wanted: bool) -> Condition:
    """YAML's true and false; a field that holds text gets the word."""
    if _kind(path) is Kind.STRING:
        return Matches(path, Glob((str(wanted).lower(),)))
    return Flag(path, wanted, text_too=_kind(path) is Kind.OPEN)


def _number(path: str, number: int | float, doubts: list[Doubt]) -> Condition:
    """A number; CloudTrail writes most of them, account ids above all, as text."""
    if _kind(path) is Kind.BOOL:
        raise DetectionError(f"{path} is true or false, not {number}", "write true or false")
    if _kind(path) is Kind.NUMBER:
        return Compares(path, "=", number)
    text = Matches(path, Glob((str(number),)))
    if _kind(path) is not Kind.STRING:
        return Either((Compares(path, "=", number), text))
    doubts.append(Doubt(f"{path} is text: {number} was taken for it", "put it in quotes", Code.COERCED))
    return text


def _comparison(path: str, value: Any) -> Condition:
    if _kind(path) not in (Kind.OPEN, Kind.NUMBER) or value.op.name not in OPERATORS:
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
    return either(Matches(path, Glob((".".join(head) + ".", ""))) for head in heads)


def _string(path: str, value: Any, doubts: list[Doubt]) -> Condition:
    from sigma.types import SigmaCasedString

    pieces, placeholder = _pieces(path, value)
    if placeholder is not None:
        name, place = placeholder
        return Placeholder(
            path, Glob.of(pieces[: place + 1]).pieces, name, Glob.of(pieces[place + 1 :]).pieces
        )
    glob = Glob.of(pieces)
    word = (glob.literal or "").lower()
    if _kind(path) is Kind.STRING or word not in ("true", "false"):
        if _kind(path) is Kind.BOOL:
            raise DetectionError(f"{path} is true or false, not {glob}", "write true or false")
        if glob.literal is None or isinstance(value, SigmaCasedString):
            return Matches(path, glob)
        return Matches(path, Glob((_spelling(path, glob.literal, doubts),)))
    return _flag(path, word == "true")


def _spelling(path: str, value: str, doubts: list[Doubt]) -> str:
    """The value as CloudTrail writes it; unchanged, with a doubt, where that is not known."""
    if not has_vocabulary(path) or not value:
        return value
    known = spelled(path, value)
    if known is None:
        remedy = "check the spelling: case counts on AWS; the modifier |cased says that you did"
        doubts.append(Doubt(f"{path}: {value!r} is not a known value", remedy, Code.CASE))
    elif known != value:
        what = f"{path}: {value!r} was taken for {known!r}"
        doubts.append(Doubt(what, "write it as CloudTrail does", Code.COERCED))
    return known or value


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
                f"{path}: ? and a second placeholder have no form in AWS's patterns [{Code.VALUE}]", "use *"
            )
    return pieces, placeholder
