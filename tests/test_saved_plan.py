"""A plan in a file: read as written, refused where the world has moved otherwise. Its law: test_planner."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from orgmon.errors import StalePlanError, UsageError
from orgmon.plan import saved
from orgmon.plan.model import Action, Change, Plan
from orgmon.stackset import Pair

FIRST = Pair("111111111111", "us-east-1")
SECOND = Pair("222222222222", "us-east-1")
UPDATE = Change("detection", FIRST, Action.UPDATE, "template changed", "CURRENT old", "CURRENT new")
CREATE = Change("detection", SECOND, Action.CREATE, "missing", "", "CURRENT new")
DELETE = Change("decoys", FIRST, Action.DELETE, "extra", "CURRENT old", "")
KEPT = Change("access", FIRST, Action.NONE, "", "CURRENT same", "CURRENT same")
SAVED = saved.saved(Plan((UPDATE, CREATE, DELETE, KEPT)), "o-abcdefghij", prune=True)


def check(*now: Change, organization: str = "o-abcdefghij") -> None:
    """Check the saved plan against a plan of now."""
    saved.check(SAVED, Plan(now), organization)


def done(change: Change) -> Change:
    """The change once it has been made."""
    return replace(change, action=Action.NONE, reason="", before=change.after)


def test_only_what_acts_is_saved() -> None:
    assert SAVED.changes == (UPDATE, CREATE, DELETE)


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    chosen = replace(SAVED, accounts=(FIRST.account,), regions=("us-east-1",))
    saved.write(path, chosen)
    assert saved.read(path) == chosen
    assert list(tmp_path.iterdir()) == [path]


def test_parameter_values_are_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    saved.write(path, SAVED)
    kinds = {type(value) for change in json.loads(path.read_text())["changes"] for value in change.values()}
    assert kinds == {str}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "orgmon saved plan", "version": 1}', '{"kind": "orgmon saved plan"}']
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="plan"):
        saved.read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        saved.read(tmp_path / "none.json")


def test_the_world_as_it_was() -> None:
    check(UPDATE, CREATE, DELETE, KEPT)


def test_the_world_as_it_should_become_or_half_way() -> None:
    check(done(UPDATE), done(CREATE), KEPT)
    check(done(UPDATE), CREATE, KEPT)


def test_what_waits_for_its_wave_is_outdated_meanwhile() -> None:
    check(replace(UPDATE, reason="OUTDATED, PENDING", before="OUTDATED new"), CREATE, DELETE)


def test_a_creation_that_failed_can_be_tried_again() -> None:
    check(UPDATE, replace(CREATE, reason="OUTDATED, FAILED", before="OUTDATED new"), DELETE)


def test_somebody_else_changed_a_pair() -> None:
    with pytest.raises(StalePlanError, match="was CURRENT old, is CURRENT other"):
        check(replace(UPDATE, before="CURRENT other"), CREATE, DELETE)


def test_somebody_else_removed_a_pair() -> None:
    with pytest.raises(StalePlanError, match="was CURRENT old, is absent"):
        check(replace(UPDATE, action=Action.CREATE, before=""), CREATE, DELETE)


def test_a_pair_has_come_that_the_plan_does_not_know() -> None:
    new = replace(CREATE, pair=Pair("333333333333", "us-east-1"))
    with pytest.raises(StalePlanError, match=r"333333333333.* create is not in the plan"):
        check(UPDATE, CREATE, DELETE, new)


def test_a_pair_is_not_wanted_any_more() -> None:
    with pytest.raises(StalePlanError, match="222222222222 us-east-1: is not wanted any more"):
        check(UPDATE, DELETE)


def test_a_pair_should_become_something_else() -> None:
    with pytest.raises(StalePlanError, match="should become something else now"):
        check(replace(UPDATE, after="CURRENT newer"), CREATE, DELETE)


def test_a_pair_should_stay_as_it_is() -> None:
    with pytest.raises(StalePlanError, match="should stay as it is now"):
        check(replace(UPDATE, action=Action.NONE, after=UPDATE.before), CREATE, DELETE)


def test_another_organization() -> None:
    with pytest.raises(StalePlanError, match="o-abcdefghij, this is o-other"):
        check(UPDATE, CREATE, DELETE, organization="o-other00000")


def test_a_long_list_is_cut() -> None:
    many = [replace(CREATE, pair=Pair(f"{number:012}", "us-east-1")) for number in range(30)]
    with pytest.raises(StalePlanError, match="and 10 more"):
        check(UPDATE, CREATE, DELETE, *many)


def test_a_link_keeps_being_one_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    kept = saved.saved(Plan(), "o-abcdefghij", prune=False, accounts=None, regions=None)
    (tmp_path / "link").symlink_to(tmp_path / "behind")
    saved.write(tmp_path / "link", kept)
    assert (tmp_path / "link").is_symlink()
    assert saved.read(tmp_path / "behind") == kept
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        saved.write(tmp_path / "pipe", kept)
        assert json.loads(os.read(reader, 10_000))["organization"] == "o-abcdefghij"
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
