"""The README's commands work as they are written there, in their order."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from orgmon.rehearsal.serving import served
from tests import sample
from tests.whole.processes import LONGEST, heed_interrupts, own_temporary_folder, small_config

TEXT = (sample.ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^\$ (.*?)(?:\s+#.*)?$", re.MULTILINE)
INLINE = re.compile(r"`(orgmon [a-z][^`]*)`")


@dataclass(frozen=True)
class Expected:
    """How a line ends: its exit code and something that it prints. ``stays``: it runs until it is stopped."""

    code: int
    says: str = ""
    stays: bool = False


# The organization of the sample.
ORGANIZATION = "o-q1w2e3r4t5"
ON_A_REAL_ORGANIZATION = {
    "orgmon validate --sample > accounts.yaml": Expected(0),
    "orgmon validate": Expected(0, "no problems"),
    "orgmon plan --out plan.json": Expected(3, "to create"),
    "orgmon deploy plan.json": Expected(0, "Done. 58 stacks changed."),
    "orgmon status": Expected(3, "Coverage 100.0 %"),
}
INLINE_ON_IT = {
    "orgmon policy --for deploy": Expected(0, "cloudformation:CreateStackSet"),
    "orgmon destroy --confirm o-...": Expected(0, "Done."),
}
IN_THE_SANDBOX = {
    "orgmon sandbox serve --deployed": Expected(0, "export AWS_ENDPOINT_URL=", stays=True),
    'eval "$(orgmon sandbox env)"': Expected(0),
    "orgmon sandbox confirm": Expected(0, "soc@"),
    "orgmon sandbox mailbox": Expected(0),
    "orgmon sandbox trouble fail --account 904417263085 --region us-east-2 --action UPDATE "
    '--reason "quota reached"': Expected(0, "done"),
    "orgmon sandbox run -- orgmon plan": Expected(0, "Nothing to do"),
}
WITH_RULES = {
    "orgmon detections list": Expected(0, "trail-tampering"),
    "orgmon detections show trail-tampering": Expected(0, "Runbook"),
    "orgmon detections test rules/": Expected(0, "1 of 1 detections are proved"),
    "orgmon detections import rules/": Expected(0, "1 exact in both flows"),
    "orgmon replay trail/": Expected(0, "trail-tampering"),
    "orgmon replay trail/ --rules rules/ --fail-on high": Expected(0),
}
RULE = """\
title: Buckets made public
logsource: {product: aws, service: cloudtrail}
level: high
detection:
  selection: {eventSource: s3.amazonaws.com, eventName: PutBucketAcl}
  condition: selection
orgmon:
  examples:
    match: [{eventSource: s3.amazonaws.com, eventName: PutBucketAcl}]
    ignore: [{eventSource: s3.amazonaws.com, eventName: GetBucketAcl}]
"""
RECORD = {
    "eventID": "1",
    "eventTime": "2026-11-20T10:00:00Z",
    "eventSource": "cloudtrail.amazonaws.com",
    "eventName": "StopLogging",
    "recipientAccountId": "111122223333",
    "userIdentity": {"type": "IAMUser"},
}
# What other programs do with the sandbox is theirs.
OTHERS = re.compile(r"aws (cloudformation|cloudtrail) ")


def lines_of(block: str) -> list[str]:
    """The commands of a block, without prompts and remarks."""
    return [match[1] for match in LINE.finditer(block)]


ALL_BLOCKS = [lines_of(match[1]) for match in BLOCK.finditer(TEXT)]
# What `make` prints holds command lines too: the demo's, which its own test compares with what it really runs.
BLOCKS = [block for block in ALL_BLOCKS if not block[0].startswith("make ")]


def block_of(expected: dict[str, Expected]) -> list[str]:
    """The block that is about these lines."""
    (block,) = (lines for lines in BLOCKS if set(lines) & expected.keys())
    return [line for line in block if not OTHERS.match(line)]


def shell_in(folder: Path) -> dict[str, str]:
    """A user's shell with orgmon on the path."""
    shell = own_temporary_folder(folder)
    return {**shell, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{shell['PATH']}"}


@contextmanager
def somebody_who_agrees() -> Iterator[int]:
    """A terminal at which somebody has typed y."""
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, b"y\n")
        yield terminal
    finally:
        os.close(terminal)
        os.close(keyboard)


def check(line: str, expected: Expected, shell: dict[str, str], folder: Path) -> None:
    """Run a line as it stands there, and look how it ends."""
    with somebody_who_agrees() as terminal:
        done = subprocess.run(
            ["bash", "-c", line.replace("o-...", ORGANIZATION)],
            cwd=folder,
            env=shell,
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    assert done.returncode == expected.code, f"$ {line}\n{done.stdout}\n{done.stderr}"
    assert expected.says in done.stdout, f"$ {line}\n{done.stdout}\n{done.stderr}"


@contextmanager
def running(line: str, expected: Expected, shell: dict[str, str], folder: Path) -> Iterator[None]:
    """Run a line that goes on until it is stopped."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {line}"],
        cwd=folder,
        env=shell,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=heed_interrupts,
    )
    give_up = threading.Timer(LONGEST, process.kill)
    give_up.start()
    try:
        assert process.stdout is not None
        assert any(expected.says in printed for printed in process.stdout), f"$ {line} never said it"
        yield
        process.send_signal(signal.SIGINT)
        assert process.wait() == expected.code
    finally:
        give_up.cancel()
        process.kill()
        process.communicate()


def test_every_command_of_the_readme_is_expected_here() -> None:
    known = {**ON_A_REAL_ORGANIZATION, **IN_THE_SANDBOX, **WITH_RULES}
    written = [line for block in BLOCKS for line in block]
    assert [line for line in written if line not in known and not OTHERS.match(line)] == []
    assert known.keys() - set(written) == set()
    # Commands outside of blocks: those with arguments of their own are run, the others are only named.
    inline = {line for line in INLINE.findall(TEXT) if " -" in line and "COMMAND" not in line}
    assert inline == INLINE_ON_IT.keys()
    # A line in a block of another kind would be run by nobody.
    assert len(re.findall(r"^\$ ", TEXT, re.MULTILINE)) == sum(len(block) for block in ALL_BLOCKS)


def test_on_a_real_organization(tmp_path: Path) -> None:
    with served(sample.PATH) as here:
        shell = here.address.whole_environment(shell_in(tmp_path))
        for line in block_of(ON_A_REAL_ORGANIZATION):
            check(line, ON_A_REAL_ORGANIZATION[line], shell, tmp_path)
        for line, expected in INLINE_ON_IT.items():
            check(line, expected, shell, tmp_path)
        assert here.sandbox.world.hook_errors == []


def test_with_rules_and_a_recorded_trail(tmp_path: Path) -> None:
    for folder, name, text in (
        ("rules", "public.yml", RULE),
        ("trail", "a.json", json.dumps({"Records": [RECORD]})),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text, encoding="utf-8")
    shell = shell_in(tmp_path)
    for line in block_of(WITH_RULES):
        check(line, WITH_RULES[line], shell, tmp_path)


def test_in_the_sandbox(tmp_path: Path) -> None:
    # Fewer accounts than the sample's: what it shows is the same, and it is rolled out in less time.
    small_config(tmp_path, ("us-east-1", "us-east-2"))
    shell = shell_in(tmp_path)
    (first, *rest) = block_of(IN_THE_SANDBOX)
    assert IN_THE_SANDBOX[first].stays
    with running(first, IN_THE_SANDBOX[first], shell, tmp_path):
        for line in rest:
            check(line, IN_THE_SANDBOX[line], shell, tmp_path)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z]+)`", TEXT))))
def test_every_make_target_that_is_named_is_there(target: str) -> None:
    makefile = (sample.ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
