"""``orgmon detections``: list, show, test, import, export, as a user calls them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from orgmon.cli import run
from orgmon.detections import catalogue
from tests import sample

RULE = """\
title: Buckets made public
logsource: {product: aws, service: cloudtrail}
level: high
detection:
  selection:
    eventSource: s3.amazonaws.com
    eventName: PutBucketAcl
  condition: selection
orgmon:
  examples:
    match: [{eventSource: s3.amazonaws.com, eventName: PutBucketAcl}]
    ignore: [{eventSource: s3.amazonaws.com, eventName: GetBucketAcl}]
"""
WRONG = RULE.replace(
    "ignore: [{eventSource: s3.amazonaws.com, eventName: GetBucketAcl}]",
    "ignore: [{eventSource: s3.amazonaws.com, eventName: PutBucketAcl}]",
)
WIDER = RULE.replace(
    "eventName: PutBucketAcl\n  condition",
    "eventName: PutBucketAcl\n    requestParameters.x|re: '[0-9]{12}'\n  condition",
)
REFUSED = RULE.replace("eventName: PutBucketAcl\n  condition", "eventName|fieldref: eventSource\n  condition")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one rule of a user's own."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "public-bucket.yml").write_text(RULE, encoding="utf-8")
    return folder


def printed(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """The exit code and what was printed."""
    code = run(["detections", *map(str, words)])
    return code, capsys.readouterr().out


def test_list_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = printed(capsys, "list", "--config", sample.PATH)
    assert code == 0
    assert {line.split()[0] for line in text.splitlines()[1:-1]} == {
        detection.id for detection in catalogue.shipped()
    }
    assert "20 within 5 min" in text


def test_list_follows_the_config(tmp_path: Path, rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "accounts.yaml"
    section = (
        "\ndetections:\n  folder: rules\n  disabled: [root-use]\n"
        "  overrides:\n    trail-tampering: {level: low}\n    unauthorized-call-burst: {count: 7, minutes: 10}\n"
    )
    text = sample.PATH.read_text(encoding="utf-8")
    config.write_text(text[: text.index("\ndetections:")] + section, encoding="utf-8")
    code, text = printed(capsys, "list", "--config", config)
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert code == 0
    assert "public-bucket" in lines
    assert "root-use" not in lines
    assert lines["trail-tampering"].split()[1] == "low"
    assert "7 within 10 min" in lines["unauthorized-call-burst"]


def test_an_override_of_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "accounts.yaml"
    text = sample.PATH.read_text(encoding="utf-8")
    section = "\ndetections:\n  overrides:\n    rot-use: {level: low}\n"
    config.write_text(text[: text.index("\ndetections:")] + section, encoding="utf-8")
    assert run(["detections", "list", "--config", str(config)]) == 1
    assert "no detection rot-use to change" in capsys.readouterr().err


def test_show_has_rule_forms_controls_and_runbook(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = printed(capsys, "show", "trail-tampering", "--config", sample.PATH)
    assert code == 0
    for part in (
        "T1562.008",
        "CloudWatch.5",
        "4.5",
        "5.5",
        "Runbook",
        "Rule (rules/trail-tampering.yml)",
        "  condition: not rollout and (stop or (change and not by_stack))",
        "  drill:",
        "1. ",
        "Close: ",
        "$.eventSource = ",
        "$.detail.eventSource = ",
        '"source"',
    ):
        assert part in text
    assert run(["detections", "show", "trail-temper", "--config", str(sample.PATH)]) == 2
    assert "orgmon detections list" in capsys.readouterr().err


def test_show_names_no_decoy_of_the_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = sample.PATH.read_text(encoding="utf-8")
    assert "LedgerExportCredentials" in config
    path = tmp_path / "accounts.yaml"
    path.write_text(config.replace("LedgerExportCredentials", "WarehouseImportToken"), encoding="utf-8")
    code, text = printed(capsys, "show", "decoy-touched", "--config", path)
    assert code == 0
    code, exported = printed(capsys, "export", "--config", path)
    assert code == 0
    assert "decoy-touched" in exported
    assert "WarehouseImportToken" not in text + exported
    assert "the values of the rule's examples" in text


@pytest.mark.slow
def test_test_proves_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = printed(capsys, "test", "--config", sample.PATH)
    assert code == 0
    count = len(catalogue.shipped())
    assert text.startswith(f"{count} of {count} detections are proved, by ")


def test_test_of_a_folder(rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "test", rules) == (0, "1 of 1 detections are proved, by 8 checks\n")
    (rules / "wrong.yml").write_text(WRONG, encoding="utf-8")
    (rules / "unproved.yml").write_text(RULE[: RULE.index("orgmon:")], encoding="utf-8")
    report = tmp_path / "junit.xml"
    code, text = printed(capsys, "test", rules, "--junit", report)
    assert code == 3
    assert "FAILED wrong\n  example 2: the meaning matches it, which is wrong" in text
    where = rules / "unproved.yml"
    assert f"FAILED unproved\n  {where}:1:1: no example that it must match; write one under" in text
    assert f"\n  {where}:1:1: no example that it must ignore; write one under" in text
    suites = {suite.get("name"): suite for suite in ElementTree.parse(report).getroot()}
    assert {name: (suite.get("failures"), suite.get("errors")) for name, suite in suites.items()} == {
        "public-bucket": ("0", "0"),
        "unproved": ("0", "2"),
        "wrong": ("4", "0"),
    }


def test_import_says_what_becomes_of_each_file(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (rules / "wider.yml").write_text(WIDER, encoding="utf-8")
    (rules / "refused.yml").write_text(REFUSED, encoding="utf-8")
    code, text = printed(capsys, "import", rules)
    assert code == 3
    assert f"{rules}/public-bucket.yml: metric exact, event exact" in text
    assert f"{rules}/wider.yml: metric exact, event superset" in text
    assert f"{rules}/refused.yml: metric refused, event refused" in text
    assert "refused.yml:7:1: eventName: FieldReference has no form in AWS's patterns [E-VALUE]" in text
    assert text.endswith("3 files: 1 exact in both flows, 2 usable, 1 refused\n")
    code, text = printed(capsys, "import", rules / "public-bucket.yml", "--json")
    assert code == 0
    assert json.loads(text)["data"][0]["event"] == "exact"
    _, text = printed(capsys, "import", rules / "public-bucket.yml")
    assert text.endswith("\n1 file: 1 exact in both flows, 1 usable, 0 refused\n")


def test_a_folder_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["detections", "import", str(tmp_path / "nothing")]) == 1
    assert "is not a folder of detections" in capsys.readouterr().err


def test_export_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = printed(capsys, "export", "--config", sample.PATH)
    exported = {entry["id"]: entry for entry in json.loads(text)["data"]}
    assert code == 0
    assert exported.keys() == {detection.id for detection in catalogue.shipped()}
    assert exported["trail-tampering"]["metric_filters"][0].startswith("{ ")
    assert exported["trail-tampering"]["event_rules"][0]["state"] == "ENABLED"


@pytest.mark.slow
def test_the_page_is_checked_for_staleness(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "docs" / "detections.md"
    words = ("export", "--shipped", "--format", "markdown", "--out", page)
    assert printed(capsys, *words, "--check")[0] == 3
    assert printed(capsys, *words)[0] == 0
    assert printed(capsys, *words, "--check")[0] == 0
    page.write_text(page.read_text(encoding="utf-8") + "x", encoding="utf-8")
    assert printed(capsys, *words, "--check") == (3, f"{page} is stale: run the same without --check\n")
    assert run(["detections", "export", "--check"]) == 2


def test_the_page_says_which_detections_serve_a_control(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "export", "--config", sample.PATH, "--format", "markdown")
    part = text.partition("## By control")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\S+) \| (.+) \|$", part, re.MULTILINE)
    served = {(control, name) for control, names in rows for name in re.findall(r"\[([^]]+)\]", names)}
    shipped = catalogue.shipped()
    assert served - {("control", "detections")} == {
        (number, detection.id)
        for detection in shipped
        for _, numbers in detection.controls
        for number in numbers
    }
    assert part.index("| 4.9 |") < part.index("| 4.10 |")
