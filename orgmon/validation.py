"""All problems of a config file, its detections and its templates, in one list."""

from __future__ import annotations

from pathlib import Path

from orgmon.config.load import load, problems_of
from orgmon.desired import inputs, stacks_of
from orgmon.detections.catalogue import shipped
from orgmon.errors import DetectionError, Problem, TemplateError
from orgmon.workspace import detections_of


def problems_of_all(path: Path) -> tuple[Problem, ...]:
    """Every problem in order; detections and templates are looked at once the file itself is right."""
    found = problems_of(path, known_detections=frozenset(item.id for item in shipped()))
    if found:
        return found
    config = load(path)
    try:
        given = inputs(config, detections_of(config, path))
        for definition in stacks_of(config):
            definition.body(given)
    except (DetectionError, TemplateError) as error:
        return (Problem(str(path), 0, 0, error.what, error.remedy or "correct the rule"),)
    return ()
