"""What the user wrote: accounts.yaml and the rules that it switches on. Needs no credentials and no AWS SDK."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from orgmon.config.load import load
from orgmon.config.model import Config
from orgmon.desired.inputs import inputs
from orgmon.desired.rules import detections_of, placeholders_of, rules_of
from orgmon.detections.model import Detection
from orgmon.detections.secrecy import Filling
from orgmon.stacks.definition import Inputs, StackDefinition
from orgmon.stacks.table import wanted


class Project:
    """A config file and what belongs to it, each read when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def config(self) -> Config:
        """accounts.yaml. Raises ConfigError."""
        return load(self.path)

    @cached_property
    def rules(self) -> tuple[Detection, ...]:
        """The detections that are on, placeholders still open. Raises ConfigError and DetectionError."""
        return rules_of(self.config, self.path)

    @cached_property
    def detections(self) -> tuple[Detection, ...]:
        """The detections that are on, decoys filled in. Raises ConfigError and DetectionError."""
        return detections_of(self.config, self.path)

    @property
    def placeholders(self) -> tuple[Filling, ...]:
        """What placeholders of rules stand for; decoys' names are among it."""
        return placeholders_of(self.config)

    @property
    def inputs(self) -> Inputs:
        """What the templates are made from, as far as it is known without AWS."""
        return inputs(self.config, self.detections)

    @property
    def stacks(self) -> tuple[StackDefinition, ...]:
        """The stacks that are wanted, in stage order."""
        return wanted(inputs(self.config, ()))

    def check(self) -> None:
        """Read all that the user wrote, so that mistakes in it are told before AWS is asked.

        Raises ConfigError and DetectionError.
        """
        _ = self.detections
