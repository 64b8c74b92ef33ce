"""The templates as YAML for people; what is deployed is the same content as compact JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from orgmon.project import Project

HEADING = "# Written by `orgmon render` from accounts.yaml and the detections. Do not edit.\n"


def render(project: Project) -> dict[str, str]:
    """File name -> text for every stack that a project wants. Raises ConfigError and DetectionError."""
    given = project.inputs
    return {f"{item.name}.yaml": HEADING + _yaml(item.body(given).content) for item in project.stacks}


def _yaml(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, width=100, allow_unicode=True)


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write the files and remove templates that are no longer made; the names of what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for extra in _extra(folder, files):
        (folder / extra).unlink()
    return list(files)


def stale(folder: Path, files: Mapping[str, str]) -> list[str]:
    """The names of files that are missing, differ or should not be there."""
    differing = [
        name
        for name, text in files.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
    return differing + _extra(folder, files)


def _extra(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Files of ours that are not made any more; files of others are left alone."""
    ours = (path for path in sorted(folder.glob("*.yaml")) if path.read_text().startswith(HEADING))
    return [path.name for path in ours if path.name not in files]
