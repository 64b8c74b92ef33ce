"""Results go to stdout, everything else to stderr; JSON results are in a versioned envelope."""

from __future__ import annotations

import dataclasses
import json
import sys
from enum import Enum
from functools import cache
from typing import Any, TextIO

from rich.console import Console

from orgmon import __version__
from orgmon.errors import UsageError

# Raised whenever a field of a JSON result changes its meaning or goes away.
ENVELOPE = 1
WIDE = 240


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read the output has gone: Rich would end the program, but a rollout has to go on."""
        raise BrokenPipeError("whoever read the output has gone")


@cache
def _out(file: Any) -> Console:
    if file.isatty():
        return _Console(file=file, highlight=False)
    # Without a terminal there is no edge to wrap at, and a table must not be squeezed.
    return _Console(file=file, highlight=False, soft_wrap=True, width=WIDE)


def out() -> Console:
    """Where results go. Colours only on a terminal and without NO_COLOR."""
    return _out(sys.stdout)


def err() -> Console:
    """Where progress and questions go."""
    return _out(sys.stderr)


def emit(kind: str, data: Any) -> None:
    """Print a result as JSON: ``kind`` says what it is."""
    print(envelope(kind, data), end="")


def envelope(kind: str, data: Any) -> str:
    """A result as JSON, in the envelope that says what it is."""
    around = {"tool": "orgmon", "version": __version__, "format": ENVELOPE, "kind": kind}
    return json.dumps({**around, "data": plain(data)}, indent=2, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """A value as what JSON knows. Bytes are left out; sets are sorted."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {f.name: plain(v) for f in fields if not isinstance(v := getattr(value, f.name), bytes)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def confirm(question: str, *, flag: str, answers: TextIO | None = None) -> bool:
    """Ask yes or no on a terminal. Raises UsageError where nobody can answer; it names the flag."""
    answers = answers or sys.stdin
    if not answers.isatty():
        raise UsageError("nobody can be asked here: there is no terminal", f"run it again with {flag}")
    err().print(f"{question} [y/N] ", end="", markup=False)
    return answers.readline().strip().lower() in ("y", "yes")
