"""Whole commands against the embedded AWS, in this process and without sockets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from orgmon.cli import run
from orgmon.config.load import load
from orgmon.detections.catalogue import shipped
from orgmon.rehearsal.seeding import seed_of
from orgmon.sandbox import actors
from orgmon.sandbox.assembly import Sandbox, assemble
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.policies.switches import Switch
from tests import sample

# Three workload accounts are enough for most stories, and a few detections of each kind: what is rolled out takes
# its time, and a suite of many is minutes of waiting. All of them are in the flows' own tests and in the demo.
KEPT = ("310247698127", "482019375561", "059913402786", "226048917350", "904417263085", "138860294471")

FEW = frozenset(
    {
        "access-key-change",
        "console-sign-in-without-mfa",
        "decoy-touched",
        "failed-sign-ins",
        "guardduty-finding",
        "iam-role-change",
        "monitoring-rule-changed",
        "organizations-change",
        "root-use",
        "snapshot-shared",
        "trail-tampering",
    }
)

SECURITY_PROFILE = "security-admin"
# The shipped config's section on detections.
EVERYTHING = yaml.safe_load(sample.PATH.read_text(encoding="utf-8"))["detections"]


@dataclass
class Rehearsal:
    """An organization on the embedded AWS and the config that describes it."""

    sandbox: Sandbox
    path: Path
    capsys: pytest.CaptureFixture[str]

    def orgmon(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command line; exit code, stdout and stderr."""
        self.capsys.readouterr()
        code = run([*arguments, "--config", str(self.path)], self.make_session)
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def data(self, *arguments: str) -> tuple[int, Any]:
        """Run a command line for its JSON result."""
        code, out, err = self.orgmon(*arguments, "--json")
        assert out, err
        return code, json.loads(out)["data"]

    def make_session(self, profile: str | None) -> Any:
        """Sessions of an administrator: the security account's for its profile, else the management account's."""
        who = self.config["organization"]
        is_security = profile == SECURITY_PROFILE
        return self.sandbox.world.session(who["security_account" if is_security else "management_account"])

    @property
    def config(self) -> dict[str, Any]:
        """accounts.yaml as plain data."""
        content = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        assert isinstance(content, dict)
        return content

    def change(self, **sections: Any) -> None:
        """Replace whole sections of accounts.yaml."""
        content = {**self.config, **sections}
        self.path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def few_detections(**changes: Any) -> dict[str, Any]:
    """The shipped config's section on detections with few of them, and with other values."""
    disabled = sorted(detection.id for detection in shipped() if detection.id not in FEW)
    return {**EVERYTHING, "cis": False, "disabled": disabled, **changes}


def smaller(content: dict[str, Any], regions: tuple[str, ...]) -> dict[str, Any]:
    """The shipped config with few accounts, Regions and detections."""
    content["detections"] = few_detections()
    content["accounts"] = [entry for entry in content["accounts"] if entry["id"] in KEPT]
    content["rollout"]["waves"][0]["accounts"] = ["226048917350"]
    content["regions"] = {
        "governed": list(regions),
        "left_out": [
            {"region": region, "reason": "a test"}
            for region in ("us-east-1", "us-east-2", "eu-north-1", "ap-southeast-2")
            if region not in regions
        ],
    }
    return content


@dataclass(frozen=True)
class World:
    """An embedded AWS, seeded from a config; ``written`` is the config as it was then."""

    sandbox: Sandbox
    path: Path
    written: str

    def restore(self) -> None:
        """The config as it was, and no trouble. What is deployed stays as it is."""
        self.path.write_text(self.written, encoding="utf-8")
        self.sandbox.world.trouble.lift()


@contextmanager
def embedded(
    folder: Path,
    regions: tuple[str, ...] = ("us-east-1", "us-east-2"),
    flipped: Iterable[Switch] = (),
    **sections: Any,
) -> Iterator[World]:
    """A small organization, nothing deployed yet. ``flipped`` open questions stand otherwise than by default.

    ``sections`` replace those of accounts.yaml before AWS is seeded from it; None leaves one out.
    """
    path = folder / "accounts.yaml"
    content = smaller(yaml.safe_load(sample.PATH.read_text(encoding="utf-8")), regions)
    content = {name: part for name, part in {**content, **sections}.items() if part is not None}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    sandbox = assemble(seed_of(load(path)), clock=Clock(speed=0), flipped=flipped)
    try:
        yield World(sandbox, path, path.read_text(encoding="utf-8"))
        assert sandbox.world.hook_errors == []
        # A call between services that nobody has looked up: which keys does AWS send there?
        assert sandbox.world.links.undecided == set()
    finally:
        sandbox.close()


@contextmanager
def rehearsed(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    regions: tuple[str, ...] = ("us-east-1", "us-east-2"),
    flipped: Iterable[Switch] = (),
    **sections: Any,
) -> Iterator[Rehearsal]:
    """The same for one test, with what it prints."""
    with embedded(folder, regions, flipped, **sections) as world:
        yield Rehearsal(world.sandbox, world.path, capsys)


def rolled_out(rehearsal: Rehearsal, *options: str) -> Rehearsal:
    """The same, deployed."""
    code, out, err = rehearsal.orgmon("deploy", "--yes", *options)
    assert code == 0, out + err
    actors.confirm(rehearsal.sandbox)
    return rehearsal


def calls_of(rehearsal: Rehearsal) -> list[Any]:
    """Collects every call that the product makes from now on."""
    calls: list[Any] = []
    rehearsal.sandbox.world.after.append(lambda call: calls.append(call) if not call.invoked_by else None)
    return calls


def switch_off(rehearsal: Rehearsal, *detections: str) -> None:
    """Change what is deployed by switching detections off."""
    section = rehearsal.config["detections"]
    rehearsal.change(detections={**section, "disabled": [*section["disabled"], *detections]})
