"""The main job from beginning to end on the embedded AWS, told as a story whose every claim is checked.

Each command is run as a user would run it, in a process of its own; the story then looks at what it printed and at
its exit code.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from orgmon.config.load import load
from orgmon.config.model import Config
from orgmon.config.sample import sample
from orgmon.rehearsal import alerts
from orgmon.rehearsal.serving import Served, orgmon, served
from orgmon.sandbox import actors
from orgmon.stacks import names

Say = Callable[[str], None]
# Lines of a command's output that the story shows; the rest is a line that says how many.
LINES_SHOWN = 14
# CloudTrail delivers its files about five minutes after the events.
FILES_SECONDS = 330.0
DETECTION_OFF = "failed-sign-ins"


@dataclass
class Story:
    """What was claimed, and whether it held."""

    say: Say
    config_path: Path
    here: Served
    checks: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def config(self) -> Config:
        """The config as it is now; the story changes it once."""
        return load(self.config_path)

    def claim(self, what: str, held: bool) -> None:
        """Note whether something holds, and say it."""
        self.checks.append((what, held))
        self.say(f"  {'ok  ' if held else 'FAIL'}  {what}")

    def run(self, *arguments: str, shown: int = LINES_SHOWN, tail: int = 6) -> tuple[int, str]:
        """Run orgmon, show the beginning and the end of what it prints."""
        self.say(f"\n$ orgmon {' '.join(arguments)}")
        code, text = orgmon([*arguments, "--config", str(self.config_path)], self.here.address)
        lines = text.rstrip("\n").split("\n")
        if len(lines) > shown + tail + 1:
            lines = [*lines[:shown], f"  ... {len(lines) - shown - tail} more lines ...", *lines[-tail:]]
        self.say("\n".join(lines))
        return code, text

    def ask(self, *arguments: str) -> tuple[int, Any]:
        """Run orgmon for its JSON result, without showing it."""
        code, text = orgmon(
            [*arguments, "--json", "--config", str(self.config_path)], self.here.address, quiet=True
        )
        return code, json.loads(text)["data"] if text else {}


def _copied(config_path: Path | None, folder: Path) -> Path:
    """A copy of the config with its own detections, so that the user's file stays as it is; None is the sample."""
    if config_path is None:
        copy = folder / "accounts.yaml"
        copy.write_text(sample(), encoding="utf-8")
        return copy
    own = load(config_path).detections.folder
    if own:
        shutil.copytree(config_path.parent / own, folder / own)
    return Path(shutil.copy(config_path, folder / config_path.name))


@contextmanager
def _stage(config_path: Path | None, say: Say) -> Iterator[Story]:
    with TemporaryDirectory(prefix="orgmon-demo-") as folder:
        copy = _copied(config_path, Path(folder))
        with served(copy, pace=0.02) as here:
            yield Story(say, copy, here)


def tell(config_path: Path | None, say: Say) -> bool:
    """Tell the story of a config, or of the packaged sample; true where every claim held."""
    began = time.monotonic()
    with _stage(config_path, say) as story:
        for chapter in (_plan, _deploy, _join, _failure, _nothing, _attack, _replay):
            say(f"\n== {chapter.__doc__}")
            chapter(story)
        errors = story.here.sandbox.world.hook_errors
        story.claim("the embedded AWS met no error of its own", not errors)
        for error in errors[:3]:
            say(f"        {error!r}")
    held = sum(ok for _, ok in story.checks)
    say(f"\n{held} of {len(story.checks)} claims held, in {time.monotonic() - began:.0f} s.")
    return held == len(story.checks)


def _plan(story: Story) -> None:
    """What would change"""
    code, text = story.run("plan", "--no-diff")
    story.claim("plan has changes and says so with exit code 3", code == 3 and "Plan:" in text)


def _deploy(story: Story) -> None:
    """The rollout, in waves"""
    code, _ = story.run("deploy", "--yes")
    story.claim("deploy succeeded", code == 0)
    confirmed = actors.confirm(story.here.sandbox)
    story.claim(f"{confirmed} subscriptions were to be confirmed, and somebody did", confirmed > 0)
    code, text = story.run("status", shown=40)
    story.claim("status shows full coverage", code == 0 and "Coverage 100.0 %" in text)


def _join(story: Story) -> None:
    """An account joins the organization"""
    unit = story.config.units[-1].path if story.config.units else "Root"
    account = actors.join(story.here.sandbox, "late-joiner", f"Root/{unit}")
    story.say(f"  {account} late-joiner joined {unit}; nobody has listed it in accounts.yaml")
    code, _ = story.run("deploy", "--yes")
    story.claim("deploy covered what auto-deployment had left", code == 0)
    _, report = story.ask("status")
    cells = [cell for cell in report["cells"] if cell["account"] == account]
    good = bool(cells) and all(cell["state"] == "CURRENT" for cell in cells)
    story.claim(f"the new account has {len(cells)} stacks, all CURRENT", good)


def _failure(story: Story) -> None:
    """A change, and trouble in one account"""
    _switch_off(story.config_path, DETECTION_OFF)
    victim = _workload(story.config)
    reason = f"Resource handler returned message: the quota of alarms in {victim} is exhausted"
    story.here.sandbox.world.trouble.fail(
        account=victim, region=story.config.regions.governed[-1], action="UPDATE", reason=reason, times=1
    )
    code, text = story.run("deploy", "--yes")
    told = "Root cause 1" in text and "quota of alarms" in text
    story.claim("the failure was told with its root cause and exit code 1", code == 1 and told)
    story.here.sandbox.world.trouble.lift()
    code, _ = story.run("deploy", "--yes")
    story.claim("the same command healed it", code == 0)


def _nothing(story: Story) -> None:
    """Nothing is left to do"""
    code, text = story.run("plan")
    story.claim("the plan is empty, with exit code 0", code == 0 and "Nothing to do" in text)


def _attack(story: Story) -> None:
    """An attacker in a member account"""
    account = _workload(story.config)
    sandbox = story.here.sandbox
    attack = actors.attack(
        sandbox, account, story.config.decoys.regions[0] if story.config.decoys else "us-east-1"
    )
    for action in attack.actions:
        story.say(f"  {action.time:%H:%M:%S}  {action.what}")
    arrived = alerts.wait(story.here, alerts.EXPECTED)
    for detection in alerts.EXPECTED:
        for flow in (alerts.EVENTS, alerts.METRICS):
            arrival = arrived.get((detection, flow))
            seconds = f" after {arrival.seconds:.0f} s" if arrival else ""
            story.claim(f"{detection} was alerted by {flow}{seconds}", arrival is not None)
    shown = arrived.get((alerts.EXPECTED[0], alerts.EVENTS))
    if shown:
        story.say(f"\nOne alert as the SOC reads it:\n\n{shown.subject}\n{shown.text}")


def _replay(story: Story) -> None:
    """The same attack, found again in the trail's files"""
    who = story.config.organization
    if story.config.trail.existing is not None:
        story.say("  the trail is not orgmon's, and neither is its bucket")
        return
    story.here.sandbox.settle(FILES_SECONDS)
    account = who.log_archive_account or who.management_account
    bucket = names.log_bucket(account, who.home_region)
    expected = [word for detection in alerts.EXPECTED for word in ("--expect", detection)]
    code, text = story.run("replay", f"s3://{bucket}/AWSLogs/{who.id}/{_workload(story.config)}/", *expected)
    told = [line.split(" ")[0] for line in text.splitlines()]
    alerted = [detection for detection in alerts.EXPECTED if detection in told]
    story.claim(
        f"a replay of the bucket found {', '.join(alerted)}", code == 0 and alerted == [*alerts.EXPECTED]
    )


def _workload(config: Config) -> str:
    """An account that holds decoys, or else the last one."""
    who = config.organization
    special = {who.management_account, who.security_account, who.log_archive_account}
    placed = config.decoys.placement.units if config.decoys else ()
    workloads = [entry for entry in config.accounts if entry.id not in special]
    with_decoys = [entry for entry in workloads if entry.unit in placed]
    return (with_decoys or workloads)[-1].id


def _switch_off(path: Path, detection: str) -> None:
    """Change the config as a user would: one detection less."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content.setdefault("detections", {})["disabled"] = [detection]
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
