"""What README and docs claim in numbers, names and pictures is what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from orgmon.cli import app
from orgmon.desired.state import desired_state
from orgmon.detections import catalogue
from orgmon.sandbox.policies.switches import QUESTIONS, Switch
from orgmon.sandbox.providers import supported_types
from tests import sample

README = (sample.ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*sample.ROOT.glob("*.md"), *sample.ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
CALL = re.compile(r'(?:translated\(\s*"[a-z0-9]+:|_call\("|_start\(")([A-Z][A-Za-z0-9]+)"')


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_the_readme_counts_the_detections() -> None:
    sentence = f"There are {len(catalogue.shipped())} [detections]"
    assert sentence in README, f"README.md: write {sentence}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "page"), [("drawing.py", "overview.svg"), ("conditions.py", "conditions.md")]
)
def test_what_is_made_from_the_stacks_is_made_from_those_of_now(program: str, page: str) -> None:
    made = subprocess.run(
        [sys.executable, f"docs/{program}"], cwd=sample.ROOT, capture_output=True, text=True, check=True
    )
    assert (sample.ROOT / "docs" / page).read_text(encoding="utf-8") == made.stdout, "run: make docs"


def test_what_it_costs_counts_what_the_shipped_config_deploys() -> None:
    state = desired_state(sample.config(), sample.organization(), sample.detections())
    placed: Counter[str] = Counter()
    for stack in state.stacks:
        placed.update(_types(stack.template.content))
    for stack_set in state.stack_sets:
        for kind, number in _types(stack_set.template.content).items():
            placed[f"{kind} {stack_set.name.removesuffix('-management')}"] += number * len(
                stack_set.instances
            )
    alarms = {key: number for key, number in placed.items() if key.startswith("AWS::CloudWatch::Alarm")}
    per_instance = alarms.pop("AWS::CloudWatch::Alarm orgmon-detection")
    keys = sum(number for key, number in placed.items() if key.startswith("AWS::KMS::Key "))
    decoys = sum(number for key, number in placed.items() if key.startswith("AWS::SecretsManager::Secret"))
    regions = [
        instance.region
        for stack_set in state.stack_sets
        if stack_set.name.startswith("orgmon-detection")
        for instance in stack_set.instances
    ]
    # The alarms are under a condition that holds in governed Regions.
    per_pair = per_instance // len(regions)
    in_members = per_pair * sum(region in sample.config().regions.governed for region in regions)
    central = sum(alarms.values())
    for row in (
        f"{per_pair} x accounts x governed Regions = {in_members} | ${in_members * 0.1:.2f} |",
        f"| {central} | ${central * 0.1:.2f} |",
        f"| {keys} and {decoys} | ${keys + decoys * 0.4:.2f} |",
    ):
        assert row in README, f"README.md, what it costs: write {row}"


def _types(content: dict[str, object]) -> Counter[str]:
    resources = content["Resources"]
    assert isinstance(resources, dict)
    return Counter(resource["Type"] for resource in resources.values())


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(sample.ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    broken = [
        link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()
    ]
    assert broken == []


def test_every_call_of_the_product_stands_in_the_page_on_permissions() -> None:
    page = (sample.ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in (sample.ROOT / "orgmon" / "aws").glob("*.py")]
    made = {name for source in sources for name in CALL.findall(source)}
    named = set(re.findall(r"`([A-Z][A-Za-z0-9]+)`", page))
    assert len(made) > 25
    assert made - named == set()


def test_every_room_has_a_paragraph_in_the_page_on_architecture() -> None:
    page = (sample.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.stem for path in (sample.ROOT / "orgmon").iterdir() if not path.stem.startswith(("_", "."))}
    rooms -= {"py"}
    missing = {room for room in rooms if f"**{room}" not in page}
    assert missing == set(), f"docs/architecture.md: a paragraph for {missing}"


def test_every_command_is_named_in_the_page_on_architecture() -> None:
    page = (sample.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    commands = {str(command.name) for command in app.registered_commands}
    groups = {str(group.name) for group in app.registered_groups}
    missing = {name for name in commands | groups if f"`{name}`" not in page}
    assert missing == set(), f"docs/architecture.md, commands/: name {missing}"


def test_every_open_question_stands_in_the_page_on_real_aws() -> None:
    page = (sample.ROOT / "docs" / "real-aws.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert rows.keys() == {str(switch) for switch in Switch}
    assert all(len(row.strip(" |").split(" | ")) == 3 for row in rows.values())


def test_the_page_on_the_embedded_aws_has_its_questions_and_its_types() -> None:
    page = (sample.ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
    rows = {line for line in page.splitlines() if line.startswith("| `")}
    asked = QUESTIONS.items()
    assert rows == {f"| `{name}` | {each.text} | {'on' if each.default else 'off'} |" for name, each in asked}
    assert set(re.findall(r"`(AWS::\w+::\w+)`", page)) == set(supported_types())
