"""Broken rules in a user's own folder: each is told with its own file and line, all at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orgmon.actions.validate import problems_of_all
from orgmon.cli import run
from orgmon.detections.sigma.reader import read
from orgmon.errors import DetectionError, Problem
from orgmon.project import Project
from tests import sample

RULE = """\
title: Buckets made public
logsource:
  product: aws
  service: cloudtrail
level: high
orgmon:
  scope: regional
  flow: both
  runbook:
    meaning: Look who did it.
    steps: [one, two, three]
    close: Done.
detection:
  selection:
    eventSource: s3.amazonaws.com
    eventName: PutBucketAcl
  condition: selection
"""
# Any source and any name: members could not know what to forward.
UNBOUNDED = RULE.replace(
    "    eventSource: s3.amazonaws.com\n    eventName: PutBucketAcl", "    awsRegion: us-east-1"
)


def config_with(folder: Path, disabled: tuple[str, ...] = (), **rules: str) -> Path:
    """The shipped config with rules of the user's own: file names without suffix, and their text."""
    content = yaml.safe_load(sample.PATH.read_text(encoding="utf-8"))
    content["detections"] = {"folder": "rules", "disabled": list(disabled)}
    (folder / "rules").mkdir()
    for name, text in rules.items():
        (folder / "rules" / f"{name.replace('_', '-')}.yml").write_text(text, encoding="utf-8")
    path = folder / "accounts.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def refused(text: str) -> Problem | None:
    """Why a file is not read, if it is not."""
    try:
        read(text, "r", "r.yml")
    except DetectionError as error:
        return error.problems[0]
    return None


def told(path: Path) -> list[str]:
    """The problems, without the folder in front."""
    return [str(problem).replace(f"{path.parent}/", "") for problem in problems_of_all(Project(path))]


def test_good_rules_are_no_problem(tmp_path: Path) -> None:
    assert told(config_with(tmp_path, disabled=("public",), public=RULE, other=RULE)) == []


def test_files_that_cannot_be_read_are_all_told(tmp_path: Path) -> None:
    path = config_with(
        tmp_path,
        a_field=RULE.replace("eventName:", "eventName|gt:").replace("PutBucketAcl", "5"),
        b_yaml=RULE.replace("condition: selection", "condition: ["),
        c_good=RULE,
        d_runbook=RULE.replace("Look who did it.", "''"),
        root_use=RULE,
    )
    assert told(path) == [
        "rules/a-field.yml:16:1: eventName is a string and cannot be ordered; compare a numeric field",
        "rules/b-yaml.yml:18:1: not YAML: expected the node content, but found '<stream end>'; correct the YAML",
        "rules/d-runbook.yml:10:1: meaning is missing; write a line of text under meaning",
        "rules/root-use.yml:1:1: the detection root-use is already in rules/root-use.yml; rename the file",
    ]


def test_rules_that_cannot_be_compiled_are_all_told_once(tmp_path: Path) -> None:
    problems = told(config_with(tmp_path, first=UNBOUNDED, good=RULE, second=UNBOUNDED))
    assert [line.partition(": ")[0] for line in problems] == ["rules/first.yml:1:1", "rules/second.yml:1:1"]
    assert "cannot express which events to forward" in problems[0]


def test_what_is_switched_off_is_looked_for_in_both_folders(tmp_path: Path) -> None:
    problems = told(config_with(tmp_path, disabled=("root-use", "publik"), public=RULE))
    assert len(problems) == 1
    assert problems[0].startswith("accounts.yaml:")
    assert problems[0].endswith("there is no detection publik; did you mean 'public'?")


def test_an_override_of_nothing_has_its_position(tmp_path: Path) -> None:
    path = config_with(tmp_path, public=RULE)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["detections"]["overrides"] = {"publik": {"level": "low"}, "public": {"level": "low"}}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    [problem] = told(path)
    line = path.read_text(encoding="utf-8").splitlines().index("    publik:") + 2  # what is wrong with it
    assert problem.startswith(f"accounts.yaml:{line}:")
    assert problem.endswith("there is no detection publik; did you mean 'public'?")


def test_validate_prints_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config_with(tmp_path, first=RULE.replace("service: cloudtrail", "service: vpcflow"))
    assert run(["validate", "--config", str(path)]) == 3
    assert f"{tmp_path}/rules/first.yml:2:1: the log source aws/vpcflow" in capsys.readouterr().out
    assert run(["validate", "--json", "--config", str(path)]) == 3
    problems = json.loads(capsys.readouterr().out)["data"]["problems"]
    assert [(problem["file"], problem["line"]) for problem in problems] == [
        (f"{tmp_path}/rules/first.yml", 2)
    ]


@pytest.mark.slow
def test_what_is_doubtful_is_told_and_no_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config_with(tmp_path, first=RULE.replace("eventName:", "eventNam:"))
    assert run(["validate", "--config", str(path)]) == 0
    assert f"warning: {tmp_path}/rules/first.yml:16:1: no CloudTrail record" in capsys.readouterr().out
    assert run(["validate", "--json", "--config", str(path)]) == 0
    assert len(json.loads(capsys.readouterr().out)["data"]["warnings"]) == 1


@pytest.mark.parametrize("command", ["plan", "status", "render", "deploy"])
def test_other_commands_say_it_without_asking_aws(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config_with(
        tmp_path,
        first=RULE.replace("service: cloudtrail", "service: vpcflow"),
        second=RULE.replace("high", "huge"),
    )

    def no_session(profile: str | None) -> Any:
        raise AssertionError("AWS was asked")

    assert run([command, "--config", str(path)], no_session) == 1
    err = capsys.readouterr().err
    assert f"error: {tmp_path}/rules/first.yml:2: the log source aws/vpcflow" in err
    assert f"{tmp_path}/rules/second.yml:5: not a Sigma rule" in err
    assert "bug in orgmon" not in err


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
KEYS = (
    ("title",),
    ("description",),
    ("logsource",),
    ("level",),
    ("tags",),
    ("orgmon",),
    ("orgmon", "scope"),
    ("orgmon", "flow"),
    ("orgmon", "reads"),
    ("orgmon", "runbook"),
    ("orgmon", "runbook", "steps"),
    ("orgmon", "controls"),
    ("orgmon", "controls", "cis-aws"),
    ("orgmon", "drill"),
    ("orgmon", "drill", "how"),
    ("orgmon", "examples"),
    ("orgmon", "examples", "match"),
    ("orgmon", "examples", "values"),
    ("orgmon", "examples", "values", "decoys"),
    ("detection",),
    ("detection", "selection"),
    ("detection", "selection", "eventName"),
    ("detection", "condition"),
)


@pytest.mark.slow
@given(where=st.sampled_from(KEYS), value=junk)
def test_whatever_stands_under_a_key_the_file_is_named(where: tuple[str, ...], value: Any) -> None:
    content = yaml.safe_load(RULE)
    inner = content
    for key in where[:-1]:
        inner = inner.setdefault(key, {})
    inner[where[-1]] = value
    problem = refused(yaml.safe_dump(content))
    assert problem is None or (problem.file == "r.yml" and problem.line >= 1)


def test_a_placeholder_that_nothing_fills_is_told_with_those_that_are_filled(tmp_path: Path) -> None:
    misspelt = RULE.replace("eventName: PutBucketAcl", "eventName|expand: '%deployerz%'")
    (problem,) = told(config_with(tmp_path, public=misspelt))
    assert problem.startswith("rules/public.yml:1:1: nothing fills the placeholder %deployerz% of public; ")
    assert "%decoys%" in problem
