"""String shapes and regular expressions as values of a filter pattern."""

from __future__ import annotations

import re

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.condition import Finds, Glob
from orgmon.errors import PatternError
from orgmon.filterpattern import Regex, Text

PLAIN = re.compile("[A-Za-z0-9:_#=@/;,]")
"""What stands for itself in a regular expression of CloudWatch Logs."""


def strings(path: str, glob: Glob) -> tuple[Text | Regex, ...]:
    """The shape as values that all must fit.

    A ``*`` inside a string has no settled meaning and is not written: both ends are asked for apart where that is the
    same, and otherwise one of the few regular expressions is spent. Raises InexpressibleError for the empty string,
    and for a ``*`` inside with letters outside ASCII.
    """
    if glob.literal is not None and not glob.literal:
        raise InexpressibleError(Code.EMPTY, path, "the empty string in a filter pattern", "null")
    if any("*" in piece for piece in glob.pieces) or any(glob.pieces[1:-1]):
        if len(glob.pieces) == 3 and not (glob.pieces[0] or glob.pieces[2] or "*" in glob.pieces[1]):
            return (Text(f"*{glob.pieces[1]}*"),)
        return (_expression(path, glob),)
    if glob.literal is not None:
        return (Text(glob.literal),)
    head, tail = glob.pieces[0], glob.pieces[-1]
    if glob.takes_all:
        return (Text("*"),)
    if any(head.endswith(tail[:length]) for length in range(1, min(len(head), len(tail)) + 1)):
        return (_expression(path, glob),)
    return tuple(Text(text) for text, piece in ((f"{head}*", head), (f"*{tail}", tail)) if piece)


def _expression(path: str, glob: Glob) -> Regex:
    """The shape as a regular expression; what has a meaning there, or is not surely allowed, is written ``\\xhh``."""
    if not all(piece.isascii() for piece in glob.pieces):
        raise InexpressibleError(
            Code.INFIX,
            path,
            f"{glob}: a * inside, with letters outside ASCII",
            "startswith, endswith or contains",
        )
    pieces = [
        "".join(
            character if PLAIN.fullmatch(character) else f"\\x{ord(character):02x}" for character in piece
        )
        for piece in glob.pieces
    ]
    return Regex("^" + ".*".join(pieces) + "$")


def regex(test: Finds) -> Regex:
    """The test's regular expression. Raises InexpressibleError where CloudWatch Logs' language does not have it."""
    try:
        return Regex(test.pattern)
    except PatternError as error:
        raise InexpressibleError(
            Code.REGEX_SYNTAX, test.field, f"{test.pattern}: {error.what}", "startswith, endswith or contains"
        ) from error
