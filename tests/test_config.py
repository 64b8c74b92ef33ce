"""Single values and keys of accounts.yaml: each mistake with its position and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orgmon.cli import run
from orgmon.config.load import load, problems_of
from orgmon.config.schema import schema
from orgmon.errors import ConfigError
from orgmon.organization import OrganizationalUnit
from tests import sample


def told(tmp_path: Path, text: str | bytes) -> list[str]:
    """The problems of a text, without the folder in front."""
    path = tmp_path / "accounts.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [str(problem).replace(f"{tmp_path}/", "") for problem in problems_of(path)]


def changed(old: str, new: str) -> str:
    """The shipped file with one change."""
    text = sample.PATH.read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new, 1)


CASES = [
    (
        changed("  home_region: us-east-1", "  home_regoin: us-east-1"),
        [
            "accounts.yaml:5:3: 'home_region' is missing; add 'home_region:' here",
            "accounts.yaml:9:3: unknown key 'home_regoin'; did you mean 'home_region'?",
        ],
    ),
    (
        changed('management_account: "310247698127"', "management_account: 310247698127"),
        ['accounts.yaml:6:23: an account id is not a number; write it in quotes: "310247698127"'],
    ),
    (
        changed('log_archive_account: "059913402786"', "log_archive_account: 59913402786"),
        [
            "accounts.yaml:8:24: an account id is not a number, and this one has lost the zero in front; "
            'write all 12 digits in quotes, perhaps "059913402786"'
        ],
    ),
    (
        changed('management_account: "310247698127"', "management_account: 012345670123"),
        [
            "accounts.yaml:6:23: an account id is not a number, and this one has lost the zero in front; "
            'write all 12 digits in quotes, perhaps "012345670123"'
        ],
    ),
    (
        changed('security_account: "482019375561"', 'security_account: "48201937556"'),
        [
            "accounts.yaml:7:21: '48201937556' is not an account id; "
            'write 12 digits in quotes: "111122223333"'
        ],
    ),
    (
        changed("permission_model: SERVICE_MANAGED", "permission_model: SERVICE_MANGED"),
        [
            "accounts.yaml:10:21: 'permission_model' is 'SERVICE_MANGED', which is not known; "
            "did you mean 'SERVICE_MANAGED'?"
        ],
    ),
    (
        changed("expires: 2027-12-31", "expires: next year"),
        ["accounts.yaml:52:16: 'expires' is 'next year', which is not a date; write it as 2027-12-31"],
    ),
    (
        changed("  auto_deployment: true", "  auto_deployment: perhaps"),
        ["accounts.yaml:69:20: 'auto_deployment' is 'perhaps'; write true or false"],
    ),
    (
        changed("failure_tolerance_percentage: 10", "failure_tolerance_percentage: 110"),
        ["accounts.yaml:65:35: 'failure_tolerance_percentage' is too large; it has to be at most 100"],
    ),
    (
        changed("governed: [us-east-1, us-east-2, eu-north-1]", "governed: us-east-1"),
        [
            "accounts.yaml:14:13: 'governed' has to be a list; write each item on a line of its own, after a dash"
        ],
    ),
    (
        changed("governed: [us-east-1, us-east-2, eu-north-1]", "governed: []"),
        ["accounts.yaml:14:13: 'governed' is empty; write at least one"],
    ),
    (
        changed("severities: [critical]", "severities: [critical, informational]"),
        [
            "accounts.yaml:81:30: 'severities' is 'informational', which is not known; "
            "use one of 'critical', 'high', 'medium' or 'low'"
        ],
    ),
    (
        changed("protocol: email", "protocol: emial"),
        ["accounts.yaml:82:17: 'protocol' is 'emial', which is not known; did you mean 'email'?"],
    ),
    (
        changed("scope:\n", "scoep:\n"),
        ["accounts.yaml:54:1: unknown key 'scoep'; did you mean 'scope'?"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=range(len(CASES)))
def test_a_mistake_is_told_with_line_and_column(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert told(tmp_path, text) == expected


def test_a_key_that_is_there_twice_is_told(tmp_path: Path) -> None:
    problems = told(tmp_path, changed("trail:\n  name: orgmon\n", "trail:\n  name: orgmon\n  name: other\n"))
    assert len(problems) == 1
    assert "'name' is there twice; keep one of them" in problems[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "accounts.yaml:1:1: is empty"),
        (b"\xff\xfe", "accounts.yaml:1:1: is not UTF-8 text; save it as UTF-8"),
        ("a: [1\nb: 2", "accounts.yaml:2:2: is not YAML"),
        ("a: b: c", "accounts.yaml:1:5: is not YAML"),
        ("a: !!python/object:x y", "accounts.yaml:1:4: could not determine a constructor"),
        ("just text", "accounts.yaml:1:1: the file has to hold keys and values"),
        ("&a [*a]", "accounts.yaml:1:1: the file has to hold keys and values"),
    ],
)
def test_a_file_that_is_no_config_is_told(tmp_path: Path, text: str | bytes, expected: str) -> None:
    problems = told(tmp_path, text)
    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory; name another"):
        load(tmp_path / "none.yaml")


def test_anchors_and_merge_keys_mean_what_they_mean(tmp_path: Path) -> None:
    text = changed(
        '  - {id: "771530284903", name: network, unit: Infrastructure, owner: network@example.com}',
        '  - &base {id: "771530284903", name: network, unit: Infrastructure, owner: network@example.com}',
    )
    text = text.replace(
        '  - {id: "226048917350", name: shared-services, unit: Infrastructure, owner: platform@example.com}',
        '  - {<<: *base, id: "226048917350", name: shared-services}',
    )
    path = tmp_path / "accounts.yaml"
    path.write_text(text)
    entry = load(path).entry("226048917350")
    assert entry is not None
    assert (entry.name, entry.owner) == ("shared-services", "network@example.com")


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.dates(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_no_yaml_raises_anything_but_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, data: object
) -> None:
    path = tmp_path_factory.mktemp("any") / "accounts.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ConfigError):
        load(path)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "accounts.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError):
        load(path)


def test_the_committed_schema_is_fresh_and_takes_the_shipped_file() -> None:
    committed = json.loads((sample.ROOT / "accounts.schema.json").read_text())
    assert committed == schema(), "run: make render"
    data = json.loads(json.dumps(yaml.safe_load(sample.PATH.read_text()), default=str))
    jsonschema.validate(data, committed)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "scoep": {}}, committed)


def test_the_owner_of_an_unlisted_account_is_that_of_the_nearest_unit() -> None:
    config = sample.config()
    root = OrganizationalUnit("r-abcd", "Root", "Root")
    workloads = OrganizationalUnit("ou-abcd-1", "Workloads", "Root/Workloads", root.id)
    prod = OrganizationalUnit("ou-abcd-2", "Prod", "Root/Workloads/Prod", workloads.id)
    # What looks like a unit below Security is none: a name may hold a slash.
    slashed = OrganizationalUnit("ou-abcd-3", "Security/Deep", "Root/Security/Deep", root.id)
    assert config.owner_of("999999999999", (prod, workloads, root)) == "platform@example.com"
    assert config.owner_of("999999999999", (slashed, root)) == ""
    assert config.owner_of("999999999999", (root,)) == ""
    assert config.owner_of("999999999999", ()) == ""
    entry = config.accounts[0]
    ownerless = config.model_copy(update={"accounts": (entry.model_copy(update={"owner": None}),)})
    assert config.owner_of(entry.id, (prod, workloads, root)) == entry.owner
    assert ownerless.owner_of(entry.id, (prod, workloads, root)) == "platform@example.com"


@pytest.mark.slow
def test_validate_says_problems_and_its_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["validate", "--config", str(sample.PATH)]) == 0
    bad = tmp_path / "accounts.yaml"
    bad.write_text(changed("retention_days: 365", "retention_days: 360"))
    assert run(["validate", "--config", str(bad)]) == 3
    assert "CloudWatch Logs cannot keep events for 360 days" in capsys.readouterr().out
    assert run(["validate", "--json", "--config", str(bad)]) == 3
    envelope = json.loads(capsys.readouterr().out)
    assert envelope["kind"] == "problems"
    assert envelope["format"] == 1
    assert envelope["data"]["problems"][0]["remedy"] == "the nearest that it can is 365"


def test_the_packaged_sample_is_the_shipped_file() -> None:
    assert (sample.ROOT / "orgmon/config/sample.yaml").read_bytes() == sample.PATH.read_bytes()


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 10)
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[" * 2000, "nested too deeply", id="deep"),
        pytest.param(BOMB, "holds more than 500,000 values", id="wide"),
    ],
)
def test_a_file_that_would_grow_or_nest_without_end_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load(path)
