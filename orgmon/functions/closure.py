"""Which modules a function needs in AWS Lambda: those that it imports, and what they import in turn."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from orgmon.errors import OrgmonError

PACKAGE = "orgmon"
# What the Lambda runtime for Python has beside the standard library.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
RUNTIME = frozenset({"boto3", "botocore"})


@cache
def closure(modules: tuple[str, ...]) -> Mapping[str, bytes]:
    """The files that these modules of orgmon need, themselves included, by their place: ``orgmon/errors.py``.

    Imports count wherever they stand, but for those that are for type checkers only. Raises OrgmonError where one
    needs what AWS Lambda does not have.
    """
    contents: dict[str, bytes] = {}
    open_modules = list(modules)
    while open_modules:
        module = open_modules.pop()
        place, file = _file(module)
        if place in contents:
            continue
        contents[place] = file.read_bytes()
        open_modules += [*_parents(module), *_imported(module, contents[place])]
    return MappingProxyType(contents)


def _file(module: str) -> tuple[str, Traversable]:
    """The file of a module or package, and its place in the zip."""
    parts = module.split(".")
    root = files(PACKAGE).joinpath(*parts[1:])
    if root.is_dir():
        return "/".join((*parts, "__init__.py")), root.joinpath("__init__.py")
    return f"{'/'.join(parts)}.py", files(PACKAGE).joinpath(*parts[1:-1], f"{parts[-1]}.py")


def _is_module(name: str) -> bool:
    return _file(name)[1].is_file()


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[:number]) for number in range(1, len(parts)))


def _imported(module: str, source: bytes) -> Iterator[str]:
    """The modules of orgmon that a module imports. Raises OrgmonError for one that Lambda does not have."""
    for name in _names(ast.parse(source)):
        top = name.partition(".")[0]
        if top == PACKAGE:
            yield name if _is_module(name) else name.rpartition(".")[0]
        elif top not in sys.stdlib_module_names and top not in RUNTIME:
            raise OrgmonError(
                f"{module} runs in AWS Lambda and imports {name}, which is not there",
                "use the standard library or boto3, or move the import to what does not run there",
            )


def _names(node: ast.AST) -> Iterator[str]:
    """What is imported, in full; of ``from a import b`` it is a.b, which may be a module or a thing in one."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case _:
                yield from _names(child)
