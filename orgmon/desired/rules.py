"""The detections that a config switches on, and what it fills their placeholders with."""

from __future__ import annotations

from pathlib import Path

from orgmon.config.model import Config
from orgmon.config.monitoring import DetectionOverride
from orgmon.detections import catalogue
from orgmon.detections.model import Detection
from orgmon.detections.secrecy import Filling, filling
from orgmon.errors import DetectionError
from orgmon.honeytokens import KINDS


def rules_of(config: Config, path: Path) -> tuple[Detection, ...]:
    """The detections that a config at ``path`` switches on, changed as it says; placeholders are still open.

    Raises DetectionError.
    """
    folder = path.parent / config.detections.folder if config.detections.folder else None
    changes = {name: _change(wanted) for name, wanted in config.detections.overrides.items()}
    return catalogue.load(folder, off=config.detections.disabled, changes=changes)


def _change(wanted: DetectionOverride) -> catalogue.Change:
    return catalogue.Change(
        severity=wanted.level,
        scope=wanted.scope,
        count=wanted.count,
        seconds=wanted.minutes * 60 if wanted.minutes else None,
    )


def placeholders_of(config: Config) -> tuple[Filling, ...]:
    """What a config fills placeholders of rules with: the names of its decoys, and its deployers."""
    items = config.decoys.items if config.decoys else ()
    deployers = config.detections.deployers
    if config.organization.permission_model == "SELF_MANAGED":
        # What acts in members is then a role that the user has made, under AWS's own name for it.
        deployers = (*deployers, "*:assumed-role/AWSCloudFormationStackSetExecutionRole/*")
    names = (
        filling(kind.placeholder, tuple(kind.prefix(item.phrase) for item in items if item.kind == name))
        for name, kind in KINDS.items()
    )
    return (*names, filling("deployers", deployers))


def detections_of(config: Config, path: Path) -> tuple[Detection, ...]:
    """The detections that a config switches on, with placeholders filled in.

    Raises DetectionError, also for a placeholder that nothing fills: its rule would stay silent for ever.
    """
    rules, fillings = rules_of(config, path), placeholders_of(config)
    known = frozenset(filling.name for filling in fillings)
    strangers = [rule for rule in rules if rule.placeholders - known]
    if strangers:
        raise DetectionError.of([_unfilled(rule, known) for rule in strangers])
    return catalogue.resolved(rules, fillings)


def _unfilled(rule: Detection, known: frozenset[str]) -> DetectionError:
    names = ", ".join(f"%{name}%" for name in sorted(rule.placeholders - known))
    return DetectionError(
        f"nothing fills the placeholder {names} of {rule.id}",
        f"write one of {', '.join(f'%{name}%' for name in sorted(known))}, or the values themselves",
        file=rule.origin,
        line=1,
    )
