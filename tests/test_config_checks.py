"""Each mistake that only shows between the parts of accounts.yaml: its text, and the line that it points at."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from orgmon.alerting import Protocol
from orgmon.config.checks.alerts import SHAPES
from orgmon.config.load import problems_of
from orgmon.errors import Problem
from tests import sample

TODAY = datetime.date(2026, 11, 20)
KNOWN = ("root-use", "failed-sign-ins", "trail-tampering")


def problems(tmp_path: Path, *changes: tuple[str, str]) -> tuple[Problem, ...]:
    """The problems of the shipped file after changes, each (old text, new text)."""
    text = sample.PATH.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "accounts.yaml"
    path.write_text(text, encoding="utf-8")
    return problems_of(path, KNOWN, TODAY)


def line_with(tmp_path: Path, text: str) -> int:
    """The number of the first line that holds a text."""
    lines = (tmp_path / "accounts.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_the_shipped_file_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path) == ()


LISTED = '  - {id: "583016472290", name: web-shop-test'
CASES = [
    (
        "duplicate account",
        [(LISTED, '  - {id: "417295038862", name: web-shop-test')],
        'id: "417295038862", name: web-shop-test',
        "account 417295038862 is listed twice",
    ),
    (
        "duplicate unit",
        [("  - path: Workloads/Prod\n", "  - path: Workloads/NonProd\n")],
        None,
        "is there twice",
    ),
    (
        "unknown unit",
        [("unit: Workloads/Prod, owner: data", "unit: Workloads/Prdo, owner: data")],
        "Workloads/Prdo",
        "unit Workloads/Prdo is not known; did you mean 'Workloads/Prod'?",
    ),
    (
        "unknown unit in a selector",
        [("    units: [Workloads/Prod]", "    units: [Workload]")],
        "units: [Workload]",
        "unit Workload is not known; did you mean 'Workloads'?",
    ),
    (
        "an account that nobody owns",
        [("name: management, unit: Root, owner: platform@example.com", "name: management, unit: Root")],
        "name: management, unit: Root",
        "account 310247698127 management has no owner, and no unit above it has one",
    ),
    (
        "unlisted account in a wave",
        [('accounts: ["226048917350"', 'accounts: ["226048917351"')],
        "226048917351",
        "account 226048917351 is not listed; did you mean '226048917350'?",
    ),
    (
        "unlisted security account",
        [('security_account: "482019375561"', 'security_account: "482019375569"')],
        "security_account",
        "account 482019375569 is not listed",
    ),
    (
        "expired waiver",
        [("expires: 2027-12-31", "expires: 2026-11-19")],
        "expires:",
        "the waiver of hackday has expired on 2026-11-19",
    ),
    (
        "hub in the management account",
        [('security_account: "482019375561"', 'security_account: "310247698127"')],
        "security_account",
        "the hub cannot be in the management account",
    ),
    (
        "log archive in the management account",
        [('log_archive_account: "059913402786"', 'log_archive_account: "310247698127"')],
        "log_archive_account",
        "this is the management account; leave the key out",
    ),
    (
        "unknown Region",
        [("governed: [us-east-1, us-east-2, eu-north-1]", "governed: [us-east-1, us-east-2, eu-nort-1]")],
        "governed",
        "Region eu-nort-1 is not known; did you mean 'eu-north-1'?",
    ),
    (
        "a Region twice",
        [
            (
                "governed: [us-east-1, us-east-2, eu-north-1]",
                "governed: [us-east-1, us-east-2, eu-north-1, us-east-2]",
            )
        ],
        "governed",
        "Region us-east-2 is there twice",
    ),
    (
        "another partition",
        [
            (
                "governed: [us-east-1, us-east-2, eu-north-1]",
                "governed: [us-east-1, us-east-2, eu-north-1, cn-north-1]",
            )
        ],
        "governed",
        "Region cn-north-1 is in partition aws-cn",
    ),
    (
        "opt-in home Region",
        [
            ("home_region: us-east-1", "home_region: eu-south-1"),
            ("governed: [us-east-1,", "governed: [eu-south-1, us-east-1,"),
            ("auto_deployment: true", "auto_deployment: false"),
            ("sqs:us-east-1", "sqs:eu-south-1"),
        ],
        "home_region",
        "eu-south-1 has to be switched on in every account",
    ),
    (
        "home Region that is not watched",
        [("home_region: us-east-1", "home_region: eu-west-1"), ("sqs:us-east-1", "sqs:eu-west-1")],
        "home_region",
        "eu-west-1 is not among the detection Regions",
    ),
    (
        "a needed Region is missing",
        [
            (
                "governed: [us-east-1, us-east-2, eu-north-1]",
                "governed: [us-east-1, us-east-2, eu-north-1]\n  detection: [us-east-1, us-east-2]",
            ),
            ("governed: [us-east-1, us-east-2, eu-north-1]", "governed: [us-east-1, us-east-2]"),
        ],
        "detection:",
        "eu-north-1 is missing, and without it nobody sees console sign-ins that AWS records there; add eu-north-1",
    ),
    (
        "left out and used",
        [("    - region: ap-southeast-2", "    - region: us-east-2")],
        "region: us-east-2",
        "us-east-2 is left out and used",
    ),
    (
        "left out although nothing needs it",
        [("  left_out:\n", "  left_out:\n    - {region: eu-west-3, reason: none}\n")],
        "eu-west-3",
        "no detection needs eu-west-3; remove the entry",
    ),
    (
        "an account's Region that is not watched",
        [(LISTED, '  - {id: "583016472290", regions: [eu-west-1], name: web-shop-test')],
        "eu-west-1",
        "eu-west-1 is not among the detection Regions",
    ),
    (
        "decoys where nobody looks",
        [("  regions: [us-east-1]\n  items", "  regions: [eu-west-2]\n  items")],
        "eu-west-2",
        "eu-west-2 is not among the detection Regions",
    ),
    (
        "a partition in which orgmon does not run",
        [
            ("home_region: us-east-1", "home_region: cn-north-1"),
            ("governed: [us-east-1, us-east-2, eu-north-1]", "governed: [cn-north-1]"),
            (
                "    - region: ap-southeast-2\n      reason: nobody signs in from there, and a policy denies all else\n",
                "    []\n",
            ),
            ("  regions: [us-east-1]\n  items", "  regions: [cn-north-1]\n  items"),
            ("arn:aws:sqs:us-east-1", "arn:aws-cn:sqs:cn-north-1"),
        ],
        "home_region",
        "orgmon does not run in partition aws-cn",
    ),
    ("empty scope", [("scope:\n  units: [Root]", "scope:\n  units: []")], None, "the scope selects nothing"),
    (
        "waves without an end",
        [("    - name: everyone\n      rest: true\n", "")],
        "name: canary",
        "the last wave leaves accounts out",
    ),
    (
        "rest before the end",
        [("    - name: canary\n", "    - {name: all, rest: true}\n    - name: canary\n")],
        "name: all",
        "wave all takes the rest but is not the last",
    ),
    (
        "two waves of one name",
        [("name: everyone", "name: canary")],
        None,
        "wave canary is there twice",
    ),
    (
        "a wave that selects nothing",
        [('      accounts: ["226048917350", "417295038862"]\n', "")],
        "name: canary",
        "wave canary selects nothing",
    ),
    (
        "a wave that selects and takes the rest",
        [("      rest: true\n", "      rest: true\n      units: [Sandboxes]\n")],
        "name: everyone",
        "wave everyone selects accounts and takes the rest",
    ),
    (
        "auto-deployment with an exclusion",
        [("  units: [Root]\n", "  units: [Root]\n  exclude: {units: [Sandboxes]}\n")],
        "auto_deployment",
        "auto-deployment needs a scope of whole units",
    ),
    (
        "auto-deployment with an opt-in Region",
        [("governed: [us-east-1,", "governed: [eu-south-2, us-east-1,")],
        "auto_deployment",
        "auto-deployment stops at an account in which eu-south-2 is not switched on",
    ),
    (
        "auto-deployment of self-managed stack sets",
        [("permission_model: SERVICE_MANAGED", "permission_model: SELF_MANAGED")],
        "auto_deployment",
        "self-managed stack sets have no auto-deployment",
    ),
    (
        "critical alerts go nowhere",
        [
            ("severities: [critical, high, medium, low]", "severities: [medium]"),
            ("severities: [critical]", "severities: [low]"),
        ],
        "routes:",
        "critical alerts go nowhere; add a route for critical",
    ),
    (
        "a queue that is none",
        [("arn:aws:sqs:us-east-1:482019375561:soc-inbox", "soc-inbox")],
        "endpoint: soc-inbox",
        "soc-inbox is not the ARN of a queue",
    ),
    (
        "a queue in another Region",
        [("arn:aws:sqs:us-east-1", "arn:aws:sqs:us-east-2")],
        "arn:aws:sqs:us-east-2",
        "the queue is not in the home Region us-east-1",
    ),
    (
        "an address that is none",
        [("soc@example.com", "soc")],
        "endpoint: soc",
        "soc is not an e-mail address",
    ),
    (
        "retention that does not exist",
        [("retention_days: 365", "retention_days: 360")],
        "retention_days",
        "CloudWatch Logs cannot keep events for 360 days; the nearest that it can is 365",
    ),
    (
        "a number of days that is none",
        [("archive_days: 2557", "archive_days: 2557\n  object_lock_days: true")],
        "object_lock_days",
        "'object_lock_days' is True, which is not a whole number",
    ),
    (
        "files that are locked for longer than they are kept",
        [("archive_days: 2557", "archive_days: 400\n  object_lock_days: 401")],
        "object_lock_days",
        "files are locked for 401 days and expire after 400; lock them for at most 400 days",
    ),
    (
        "a folder that is not there",
        [("detections:\n", "detections:\n  folder: rules\n")],
        "folder: rules",
        "there is no folder rules beside this file",
    ),
    (
        "an unknown detection",
        [("detections:\n", "detections:\n  disabled: [root-used]\n")],
        "root-used",
        "there is no detection root-used; did you mean 'root-use'?",
    ),
    (
        "decoys nowhere",
        [("  placement:\n    units: [Workloads/Prod]", "  placement: {}")],
        "placement",
        "the decoys are placed nowhere",
    ),
    (
        "a telling phrase",
        [("phrase: PartnerGatewayKey", "phrase: HoneyGatewayKey")],
        "HoneyGatewayKey",
        "'HoneyGatewayKey' says what it is ('honey')",
    ),
    (
        "a telling stack set",
        [("stack_set: application-settings", "stack_set: orgmon-settings")],
        "stack_set:",
        "'orgmon-settings' says what it is ('orgmon')",
    ),
    (
        "a phrase twice",
        [("phrase: PartnerGatewayKey", "phrase: LedgerExportCredentials")],
        None,
        "LedgerExportCredentials is there twice",
    ),
]


@pytest.mark.parametrize(
    ("changes", "place", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_mistake_is_told_where_it_is(
    tmp_path: Path, changes: list[tuple[str, str]], place: str | None, text: str
) -> None:
    told = [
        problem for problem in problems(tmp_path, *changes) if text in f"{problem.what}; {problem.remedy}"
    ]
    assert len(told) == 1, problems(tmp_path, *changes)
    if place is not None:
        assert told[0].line == line_with(tmp_path, place)


def test_the_owner_of_a_unit_is_enough(tmp_path: Path) -> None:
    assert (
        problems(tmp_path, (", unit: Workloads/Prod, owner: payments@example.com", ", unit: Workloads/Prod"))
        == ()
    )


def test_a_unit_may_be_named_by_its_id(tmp_path: Path) -> None:
    assert problems(tmp_path, ("    units: [Workloads/Prod]", "    units: [ou-ab12-0a1b2c3d]")) == ()


def test_all_mistakes_are_told_at_once_and_in_order(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        ("retention_days: 365", "retention_days: 360"),
        ("expires: 2027-12-31", "expires: 2020-01-01"),
        ("phrase: PartnerGatewayKey", "phrase: HoneyGatewayKey"),
    )
    assert [problem.what.split(" ")[0] for problem in told] == ["the", "CloudWatch", "'HoneyGatewayKey'"]
    assert list(told) == sorted(told)


def test_every_way_of_being_told_has_a_shape_of_its_endpoints() -> None:
    assert set(SHAPES) == set(Protocol), "orgmon/config/checks/alerts.py: add it to SHAPES"
