"""accounts.yaml as plain data, and problems at their place in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orgmon import positions
from orgmon.errors import ConfigError, Problem
from orgmon.positions import MeaninglessValueError, NotYamlError, Where

REMEDY = "begin with: orgmon validate --sample > accounts.yaml"


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data, with positions."""

    file: str
    content: positions.Document

    @property
    def data(self) -> Any:
        """The plain data."""
        return self.content.data

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the YAML itself."""
        remedy = "keep one of them: YAML would drop the first"
        return tuple(
            Problem(self.file, *position, f"'{where[-1]}' is there twice", remedy)
            for where, position in self.content.repeated
        )

    def problem(self, where: Where, what: str, remedy: str, *, at_key: bool = False) -> Problem:
        """A problem at a value, or at its key; where the value is missing, at the nearest one above it."""
        table = self.content.keys if at_key else self.content.places
        path = where
        while path and path not in table:
            path = path[:-1]
            table = self.content.places
        return Problem(self.file, *table.get(path, (1, 1)), what, remedy)


def read(path: Path) -> Document:
    """Read a file. Raises ConfigError where it cannot be read or is no YAML at all."""
    file = str(path)
    try:
        document = positions.document(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = f"name another file with --config, or {REMEDY}"
        raise _refused(file, f"cannot be read: {error.strerror}", remedy) from error
    except UnicodeDecodeError as error:
        raise _refused(file, "is not UTF-8 text", "save it as UTF-8") from error
    except MeaninglessValueError as error:
        raise _refused(file, error.problem, "write it as text in quotes", error) from error
    except NotYamlError as error:
        remedy = "correct the line or the one above it" if error.position else "remove what is not text"
        raise _refused(file, f"is not YAML: {error.problem}", remedy, error) from error
    if document is None:
        raise _refused(file, "is empty", REMEDY)
    return Document(file, document)


def _refused(file: str, what: str, remedy: str, error: NotYamlError | None = None) -> ConfigError:
    line, column = (error and error.position) or (1, 1)
    return ConfigError((Problem(file, line, column, what, remedy),))
