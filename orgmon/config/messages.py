"""What is wrong with a single value or key, in our own words: where, what, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from orgmon.config.model import Config
from orgmon.config.positions import Document
from orgmon.errors import Problem
from orgmon.positions import Where

ACCOUNT_PATTERN = "^[0-9]{12}$"


def problem_of(error: Any, document: Document) -> Problem:
    """The problem that an error of pydantic's stands for, with its position in the file."""
    where: Where = tuple(part for part in error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(where, document)
    if kind == "missing":
        return document.problem(where, f"'{where[-1]}' is missing", f"add '{where[-1]}:' here")
    if _is_account(where, error):
        return _account(where, error["input"], document)
    what, remedy = _told(kind, error)
    return document.problem(where, f"{_name(where)} {what}", remedy)


def _unknown_key(where: Where, document: Document) -> Problem:
    known = sorted(_keys(where[:-1]))
    near = get_close_matches(str(where[-1]), known, n=1)
    remedy = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
    return document.problem(where, f"unknown key '{where[-1]}'", remedy, at_key=True)


def _keys(where: Where) -> Iterator[str]:
    """The keys that the model knows at a path."""
    model: type[BaseModel] | None = Config
    for part in where:
        if isinstance(part, str) and model is not None and part in model.model_fields:
            model = _section(model.model_fields[part].annotation)
    yield from model.model_fields if model is not None else ()


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section inside an annotation such as ``tuple[Wave, ...]`` or ``Waiver | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inner for part in get_args(annotation) if (inner := _section(part))), None)


def _is_account(where: Where, error: Any) -> bool:
    """Is this value meant to be an account id?"""
    named = [part for part in where if isinstance(part, str)]
    wanted = named and (named[-1] == "accounts" or named[-1].endswith("_account") or named[-1] == "id")
    if error["type"] == "string_pattern_mismatch":
        return bool(error["ctx"]["pattern"] == ACCOUNT_PATTERN)
    return bool(wanted) and error["type"] == "string_type" and isinstance(error["input"], int)


def _account(where: Where, value: Any, document: Document) -> Problem:
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
        if len(text) == 12:
            return document.problem(where, "an account id is not a number", f'write it in quotes: "{text}"')
        # YAML reads 012345670123 as an octal number; either way the zero in front is gone.
        octal = f"0{value:o}".zfill(12)
        guess = octal if len(octal) == 12 and len(text) < 11 else text.zfill(12)
        return document.problem(
            where,
            "an account id is not a number, and this one has lost the zero in front",
            f'write all 12 digits in quotes, perhaps "{guess}"',
        )
    return document.problem(
        where, f"{value!r} is not an account id", 'write 12 digits in quotes: "111122223333"'
    )


def _name(where: Where) -> str:
    named = [str(part) for part in where if isinstance(part, str)]
    return f"'{named[-1]}'" if named else "the file"


def _told(kind: str, error: Any) -> tuple[str, str]:
    """What is wrong with a value, and what would be right."""
    context, value = error.get("ctx", {}), error["input"]
    if kind == "string_pattern_mismatch":
        return f"is {value!r}, which does not fit", f"it has to fit {context['pattern']}"
    if kind in ("literal_error", "enum"):
        known = re.sub(
            r"<[^:]+: ('[^']+')>", r"\1", context["expected"]
        )  # members of enums stand there as code
        near = get_close_matches(str(value), re.findall(r"'([^']+)'", known), n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"use one of {known}"
        return f"is {value!r}, which is not known", hint
    if kind in ("tuple_type", "list_type"):
        return "has to be a list", "write each item on a line of its own, after a dash"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "has to hold keys and values", "write 'key: value' lines below it"
    if kind == "string_type":
        return f"is {value!r}, which is not text", "write it in quotes"
    if kind.startswith("date"):
        return f"is {value!r}, which is not a date", "write it as 2027-12-31"
    if kind.startswith(("int", "float")):
        return f"is {value!r}, which is not a whole number", "write digits only"
    if kind.startswith("bool"):
        return f"is {value!r}", "write true or false"
    if kind in ("too_short", "string_too_short"):
        return "is empty", "write at least one"
    limits = {
        "greater_than_equal": ("is too small", f"it has to be at least {context.get('ge')}"),
        "less_than_equal": ("is too large", f"it has to be at most {context.get('le')}"),
        "too_long": ("has too many items", f"at most {context.get('max_length')} are possible"),
        "string_too_long": ("is too long", f"at most {context.get('max_length')} characters are possible"),
    }
    return limits.get(kind, (f"is {value!r}, which does not fit here", f"{error['msg'].lower()}"))
