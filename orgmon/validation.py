"""All problems of a config file, its detections and its templates, in one list."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from orgmon.config.load import load, problems_of
from orgmon.config.model import Config
from orgmon.desired import inputs, stacks_of
from orgmon.detections.catalogue import shipped
from orgmon.detections.model import Detection
from orgmon.errors import DetectionError, Problem, TemplateError
from orgmon.stacks.definition import StackDefinition
from orgmon.workspace import detections_of, rules_of


def problems_of_all(path: Path) -> tuple[Problem, ...]:
    """Every problem in order; detections and templates are looked at once the file itself is right."""
    found = problems_of(path, known_detections=frozenset(item.id for item in shipped()))
    if found:
        return found
    config = load(path)
    try:
        detections = detections_of(config, path)
    except DetectionError as error:
        return _placed(error.problems, path)
    return _placed(_problems_of_templates(config, detections), path)


def warnings_of_all(path: Path) -> tuple[Problem, ...]:
    """What may be wrong in the detections of a config that has no problems."""
    return tuple(problem for one in rules_of(load(path), path) for problem in one.warnings)


def _problems_of_templates(config: Config, detections: tuple[Detection, ...]) -> Iterator[Problem]:
    """What keeps templates from being made; for detections, each is tried alone, so that all are told."""
    for definition in stacks_of(config):
        try:
            _build(definition, config, detections)
        except DetectionError as error:
            alone = [found for one in detections for found in _problems_of(definition, config, one)]
            yield from alone or error.problems
        except TemplateError as error:
            yield Problem("", 0, 0, error.what, error.remedy)


def _problems_of(definition: StackDefinition, config: Config, detection: Detection) -> tuple[Problem, ...]:
    try:
        _build(definition, config, (detection,))
    except DetectionError as error:
        return error.problems
    return ()


def _build(definition: StackDefinition, config: Config, detections: tuple[Detection, ...]) -> None:
    definition.body(inputs(config, detections))


def _placed(problems: Iterator[Problem] | tuple[Problem, ...], path: Path) -> tuple[Problem, ...]:
    """Each problem once, in order; what belongs to no other file belongs to the config."""
    return tuple(sorted({dataclasses.replace(found, file=found.file or str(path)) for found in problems}))
