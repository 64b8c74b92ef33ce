"""A release as files: what its `orgmon deploy` brought about in a small organization.

``accounts.yaml`` is the config, ``state.json`` the stacks and stack sets with their instances, ``NAME.json`` the
template of each, and the artifacts lie under their keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orgmon.stackset import (
    Artifact,
    AutoDeployment,
    PermissionModel,
    Stack,
    StackInstance,
    StackSet,
    State,
    TemplateBody,
)

FOLDER = Path(__file__).parent
CONFIG, STATE = "accounts.yaml", "state.json"


def releases() -> list[Path]:
    """The folders of all releases, the oldest first."""
    return sorted(path.parent for path in FOLDER.glob(f"*/{STATE}"))


def write(folder: Path, config: str, state: State) -> None:
    """Keep a release: its config and all that it wants."""
    folder.mkdir()
    (folder / CONFIG).write_text(config, encoding="utf-8")
    content = {
        "stacks": [_plain(stack, folder) for stack in state.stacks],
        "stack_sets": [_plain(stack_set, folder) for stack_set in state.stack_sets],
        "artifacts": [_kept(artifact, folder) for artifact in sorted(state.artifacts, key=str)],
    }
    (folder / STATE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _plain(item: Stack | StackSet, folder: Path) -> dict[str, Any]:
    """A stack or stack set without what its default says, its template in a file beside it."""
    (folder / f"{item.name}.json").write_text(item.template.text, encoding="utf-8")
    fields = {**asdict(item), "template": {"is_shared": item.template.is_shared}}
    if isinstance(item, StackSet):
        fields["instances"] = [[each.account, each.region, each.unit_id] for each in item.instances]
    return {name: value for name, value in fields.items() if value}


def _kept(artifact: Artifact, folder: Path) -> dict[str, str]:
    path = folder / artifact.key
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(artifact.body)
    return {"bucket": artifact.bucket, "key": artifact.key}


def read(folder: Path) -> State:
    """The State that a release wanted."""
    content = json.loads((folder / STATE).read_text(encoding="utf-8"))
    return State(
        tuple(Stack(**_common(item, folder)) for item in content["stacks"]),
        tuple(_stack_set(item, folder) for item in content["stack_sets"]),
        frozenset(
            Artifact(item["bucket"], item["key"], (folder / item["key"]).read_bytes())
            for item in content["artifacts"]
        ),
    )


def _common(item: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    text = (folder / f"{item['name']}.json").read_text(encoding="utf-8")
    return {
        **item,
        "template": TemplateBody(text, **item["template"]),
        "parameters": tuple((name, value) for name, value in item.get("parameters", ())),
        "tags": tuple((name, value) for name, value in item.get("tags", ())),
        "capabilities": tuple(item.get("capabilities", ())),
    }


def _stack_set(item: Mapping[str, Any], folder: Path) -> StackSet:
    instances = (
        StackInstance(account, region, unit_id=unit) for account, region, unit in item.get("instances", ())
    )
    special = {
        "permission_model": PermissionModel(item["permission_model"]),
        "auto_deployment": AutoDeployment(**item["auto_deployment"]),
        "units": tuple(item.get("units", ())),
        "instances": tuple(instances),
    }
    return StackSet(**{**_common(item, folder), **special})
