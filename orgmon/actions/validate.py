"""All problems of a config file, its detections and its templates, in one list."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from orgmon.config.load import problems_of
from orgmon.config.model import Config
from orgmon.desired.inputs import inputs
from orgmon.detections.catalogue import shipped
from orgmon.detections.model import Detection
from orgmon.errors import DetectionError, Problem, TemplateError
from orgmon.project import Project
from orgmon.stacks.definition import StackDefinition


@dataclasses.dataclass(frozen=True)
class Validation:
    """What is wrong, and what may be; the latter is only looked for where nothing is wrong."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()


def validate(project: Project) -> Validation:
    """Everything that is wrong with a config, its detections and its templates."""
    problems = problems_of_all(project)
    if problems:
        return Validation(problems)
    return Validation((), tuple(problem for rule in project.rules for problem in rule.warnings))


def problems_of_all(project: Project) -> tuple[Problem, ...]:
    """Every problem in order; detections and templates are looked at once the file itself is right."""
    path = project.path
    problems = problems_of(path, known_detections=frozenset(item.id for item in shipped()))
    if problems:
        return problems
    try:
        detections = project.detections
    except DetectionError as error:
        return _placed(error.problems, path)
    return _placed(_problems_of_templates(project, detections), path)


def _problems_of_templates(project: Project, detections: tuple[Detection, ...]) -> Iterator[Problem]:
    """What keeps templates from being made; for detections, each is tried alone, so that all are told."""
    config = project.config
    for definition in project.stacks:
        try:
            _build(definition, config, detections)
        except DetectionError as error:
            alone = [
                problem for detection in detections for problem in _problems_of(definition, config, detection)
            ]
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
    return tuple(
        sorted({dataclasses.replace(problem, file=problem.file or str(path)) for problem in problems})
    )
