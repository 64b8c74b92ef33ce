"""A plan in a file: what will change, and how each pair was and will be.

The steps are not saved. A saved plan is still good when each of its pairs is in its saved state before or after;
then the steps that are left are planned again from the world as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orgmon.errors import StalePlanError, UsageError
from orgmon.plan.building import DEAD
from orgmon.plan.model import Action, Change, Plan
from orgmon.stackset import Pair

KIND = "orgmon saved plan"
VERSION = 1
ACTING = (Action.CREATE, Action.UPDATE, Action.DELETE)


@dataclass(frozen=True)
class SavedPlan:
    """The pairs that a plan changes, for one organization."""

    organization: str
    prune: bool
    accounts: tuple[str, ...] | None
    regions: tuple[str, ...] | None
    changes: tuple[Change, ...]


def saved(
    plan: Plan,
    organization: str,
    *,
    prune: bool,
    accounts: tuple[str, ...] | None = None,
    regions: tuple[str, ...] | None = None,
) -> SavedPlan:
    """What is kept of a plan."""
    acting = tuple(change for change in plan.changes if change.action in ACTING)
    return SavedPlan(organization, prune, accounts, regions, acting)


def write(path: Path, plan: SavedPlan) -> None:
    """Write a saved plan as JSON, whole or not at all; what is no regular file, such as a pipe, is written to.

    Raises OSError.
    """
    content = {
        "kind": KIND,
        "version": VERSION,
        "organization": plan.organization,
        "prune": plan.prune,
        "accounts": plan.accounts,
        "regions": plan.regions,
        "changes": [
            {
                "stack": change.stack,
                "account": change.pair.account,
                "region": change.pair.region,
                "action": change.action.value,
                "reason": change.reason,
                "before": change.before,
                "after": change.after,
            }
            for change in plan.changes
        ],
    }
    text = json.dumps(content, indent=1) + "\n"
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
        return
    partial = target.with_name(f"{target.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)


def read(path: Path) -> SavedPlan:
    """Read a saved plan. Raises UsageError where the file is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("kind") != KIND:
            raise UsageError(f"{path} is not a saved plan", "make one with: orgmon plan --out FILE")
        if content.get("version") != VERSION:
            raise UsageError(f"{path} was saved by another version of orgmon", "plan again")
        return SavedPlan(
            str(content["organization"]),
            bool(content["prune"]),
            _names(content["accounts"]),
            _names(content["regions"]),
            tuple(_change(item) for item in content["changes"]),
        )
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a saved plan") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a saved plan", "make one with: orgmon plan --out FILE") from error


def _names(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


def _change(item: Mapping[str, str]) -> Change:
    return Change(
        item["stack"],
        Pair(item["account"], item["region"]),
        Action(item["action"]),
        item["reason"],
        item["before"],
        item["after"],
    )


def check(saved_plan: SavedPlan, now: Plan, organization: str) -> None:
    """Refuse a saved plan that no longer fits.

    Raises StalePlanError naming the pairs that moved otherwise than by this plan: those that are neither as they
    were nor as they should become, and those that would change now but are not in the plan.
    """
    if saved_plan.organization != organization:
        raise StalePlanError(
            f"the plan is for organization {saved_plan.organization}, this is {organization}",
            "use credentials of the other organization, or plan again",
        )
    known = {(change.stack, change.pair): change for change in saved_plan.changes}
    sent = {change.stack: change.after.partition(" ")[2] for change in saved_plan.changes if change.after}
    moved = [
        text
        for change in now.changes
        if (text := _moved(known.get((change.stack, change.pair)), change, sent.get(change.stack, "")))
    ]
    present = {(change.stack, change.pair) for change in now.changes}
    moved += [
        f"{change.stack} {change.pair.account} {change.pair.region}: is not wanted any more"
        for key, change in known.items()
        if key not in present and change.action is not Action.DELETE
    ]
    if moved:
        shown = "\n  ".join(moved[:20])
        more = f"\n  and {len(moved) - 20} more" if len(moved) > 20 else ""
        raise StalePlanError(f"the world has moved since the plan was made:\n  {shown}{more}", "plan again")


def _moved(was: Change | None, now: Change, sent: str) -> str:
    """How a pair moved otherwise than by the plan; ``sent`` is the content that the plan gives its stack set."""
    place = f"{now.stack} {now.pair.account} {now.pair.region}"
    if was is None:
        return f"{place}: {now.action} is not in the plan" if now.action in ACTING else ""
    if now.action in ACTING and now.after != was.after:
        return f"{place}: should become something else now"
    if was.action in ACTING and now.action is Action.NONE and now.before == was.before:
        return f"{place}: should stay as it is now"
    # The first wave gives the stack set its new content, which leaves all other instances behind it; an instance
    # whose turn has come and failed is behind it as well.
    status, _, before = was.before.partition(" ")
    on_the_way = {f"OUTDATED {sent}", f"{status} {sent}"} if sent else set()
    # Switching auto-deployment on or off walks also the instances that are about to go.
    on_the_way |= {f"CURRENT {sent or before}"} if was.action is Action.DELETE else set()
    # A stack that has to be made again is absent for a while.
    on_the_way |= {""} if status in DEAD else set()
    if now.before not in {was.before, was.after} | on_the_way:
        return f"{place}: was {was.before or 'absent'}, is {now.before or 'absent'}"
    return ""
