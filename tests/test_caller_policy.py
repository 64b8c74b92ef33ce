"""The policy of a caller: all that a command calls, all that CloudFormation calls for it, and nothing else."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from orgmon.actions.policy import policy as policy_for
from orgmon.cli import run
from orgmon.errors import UsageError
from orgmon.project import Project
from orgmon.stacks import base, names, trail
from orgmon.stacks.caller import Asked, policy
from orgmon.stacks.definition import Inputs
from orgmon.stacks.purpose import Caller, Purpose
from tests import sample

CALL = re.compile(r'(?:translated\(\s*"([a-z0-9]+):|_call\("|_start\(")([A-Z][A-Za-z0-9]+)"')
# API calls whose actions are called otherwise (Service Authorization Reference, S3).
ACTIONS = {
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "DeleteObjects": "DeleteObject",
}
# In the log archive account, with the rights of the role that is assumed there.
AS_MEMBER = {"cloudformation:ListStacks"}
# An inline policy of a role (IAM user guide, "IAM and AWS STS quotas"); white space does not count.
LARGEST = 10_240
# What handlers need only for properties that our templates do not have, or to delete what is retained.
NOT_USED = (
    "cloudtrail:put*",
    "firehose:*",
    "iam:*permissionsboundary",
    "iam:attachrolepolicy",
    "iam:detachrolepolicy",
    "kms:deletealias",
    "kms:schedulekeydeletion",
    "logs:associatekmskey",
    "logs:createlogdelivery",
    "logs:delete*policy",
    "logs:deleteloggroup",
    "logs:disassociatekmskey",
    "logs:put*policy",
    "logs:putbearertokenauthentication",
    "logs:putloggroupdeletionprotection",
    "s3:*metadata*",
    "s3:delete*configuration",
    "s3:deletebucket[celmrw]*",
    "s3:deleteobject",
    "s3:put*acl",
    "s3:put*objectlockconfiguration",
    "s3:put[aim]*",
    "s3:putbucket[aclnrw]*",
    "s3:putreplicationconfiguration",
    "s3:rest.put.object",
    "s3tables:*",
)  # fmt: skip
STILL_USED = ("logs:putretentionpolicy", "logs:deleteretentionpolicy", "s3:deletebucketpolicy")


def inputs(**changes: Any) -> Inputs:
    """What the shipped config gives."""
    return replace(sample.stack_inputs(), **changes)


VARIANTS = {
    "shipped": inputs(),
    "own logs": inputs(log_archive_account=inputs().management_account),
    "own logs, given key": inputs(log_archive_account=inputs().management_account, key_arn="arn:aws:kms:x"),
    "existing trail": inputs(existing_log_group="company-trail"),
    "no decoys": inputs(neutral_names={}, decoys=()),
}


def asked(purpose: Purpose, given: Inputs | None = None, **changes: Any) -> Asked:
    """A question of the management account's caller."""
    return replace(Asked(purpose, Caller.MANAGEMENT, given or inputs(), "Access"), **changes)


def statements(*args: Any, **changes: Any) -> dict[str, dict[str, Any]]:
    """The statements of a policy by their Sid."""
    return {one["Sid"]: one for one in policy(asked(*args, **changes))["Statement"]}


def allowed(*args: Any, **changes: Any) -> set[str]:
    """The actions of a policy, in small letters: IAM does not tell them apart."""
    return {action.lower() for one in statements(*args, **changes).values() for action in one["Action"]}


def lacking(needed: set[str], has: set[str]) -> set[str]:
    """What no action of a policy, wildcards among them, allows."""
    return {action for action in needed if not any(fnmatch.fnmatchcase(action, one) for one in has)}


def calls() -> Iterator[str]:
    """Every call that the product makes in the management account, as an action."""
    for path in (sample.ROOT / "orgmon" / "aws").glob("*.py"):
        for service, name in CALL.findall(path.read_text(encoding="utf-8")):
            yield f"{service or 'cloudformation'}:{ACTIONS.get(name, name)}"


def test_what_orgmon_calls_is_allowed() -> None:
    made = set(calls()) - AS_MEMBER
    assert len(made) > 25
    needed = {action.lower() for action in made}
    assert lacking(needed, allowed(Purpose.DEPLOY, by_tags=True)) == set()


def test_what_orgmon_does_not_call_is_not_allowed() -> None:
    """But what AWS wants besides: tags, reading of templates, roles that are passed, and what is CloudFormation's."""
    of_cloudformation = {
        action.lower()
        for variant in VARIANTS.values()
        for made in (base.STACK, trail.STACK)
        for action in _handlers(made.body(variant).content)
    }
    besides = {
        "cloudformation:tagresource",
        "cloudformation:untagresource",
        "s3:getobject",
        "s3:getobjectversion",
        "s3:deleteobjectversion",
        "organizations:listaccounts",
        "sts:assumerole",
    }
    made = {action.lower() for action in calls()} | of_cloudformation | besides
    for purpose in Purpose:
        extra = {one for one in allowed(purpose, by_tags=True) if not fnmatch.filter(made, one)}
        assert extra == set()


def _handlers(content: Any, *verbs: str) -> Iterator[str]:
    """What the handlers of a template's resources may have to do."""
    # It takes a second to load, and most tests here do without.
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    for kind in {resource["Type"] for resource in content["Resources"].values()}:
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
        for verb in verbs or ("create", "read", "update", "delete"):
            yield from handlers.get(verb, {}).get("permissions", [])


def is_used(action: str) -> bool:
    """Does a handler of ours need the action for what our templates say?"""
    return action in STILL_USED or not any(fnmatch.fnmatchcase(action, one) for one in NOT_USED)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("purpose", "verbs"), [(Purpose.DEPLOY, ()), (Purpose.DESTROY, ("delete",))], ids=["deploy", "destroy"]
)
def test_what_cloudformation_calls_for_plain_stacks_is_allowed(
    variant: str, purpose: Purpose, verbs: tuple[str, ...]
) -> None:
    given = VARIANTS[variant]
    bodies = [definition.body(given).content for definition in (base.STACK, trail.STACK)]
    needed = {action.lower() for body in bodies for action in _handlers(body, *verbs)}
    if given.key_arn:  # then the condition on the key does not hold
        needed = {action for action in needed if not action.startswith("kms:")}
    assert len(needed) > 8
    kept = {"kms:describekey", "logs:describeloggroups"} if purpose is Purpose.DESTROY else set()
    assert lacking({one for one in needed if is_used(one)} - kept, allowed(purpose, given)) == set()


def test_the_roles_and_buckets_are_those_of_the_templates() -> None:
    given = VARIANTS["own logs"]
    made = [*base.STACK.body(given).content["Resources"].values()]  # type: ignore[attr-defined]
    made += trail.STACK.body(given).content["Resources"].values()  # type: ignore[attr-defined]
    parts = [part["Properties"] for part in made if part["Type"] in ("AWS::IAM::Role", "AWS::S3::Bucket")]
    for one in parts:
        assert "RoleName" not in one or one["Path"] in (names.PATH, names.EXECUTION_ROLE_PATH)
    told = statements(Purpose.DEPLOY, given)
    roles = {f"role{one['Path']}{one['RoleName']}" for one in parts if "RoleName" in one}
    assert {arn.split(":", 5)[5] for arn in told["Roles"]["Resource"]} == roles
    assert len(told["Buckets"]["Resource"]) == sum("BucketName" in one for one in parts) == 2


def test_everything_that_has_a_name_is_named() -> None:
    nameless = {
        "ReadOrganization",
        "ListStackSets",
        "CreateStackSets",
        "AllTrails",
        "AllLogs",
        "TrailOfOrganization",
        "AllKeys",
    }
    for variant in VARIANTS.values():
        for purpose in Purpose:
            told = statements(purpose, variant)
            assert {sid for sid, one in told.items() if "*" in one["Resource"]} <= nameless


@pytest.mark.parametrize("purpose", [Purpose.DEPLOY, Purpose.DESTROY])
def test_nobody_may_delete_what_outlives_its_stack(purpose: Purpose) -> None:
    told = statements(purpose, VARIANTS["own logs"])
    delete = [one for one in told.values() if "s3:DeleteBucket" in one["Action"]]
    assert [one["Resource"] for one in delete] == [["arn:aws:s3:::orgmon-artifacts-310247698127-us-east-1"]]
    assert not allowed(purpose, VARIANTS["own logs"]) & {
        "logs:deleteloggroup",
        "kms:schedulekeydeletion",
        "kms:deletealias",
    }


@pytest.mark.parametrize("purpose", [Purpose.PLAN, Purpose.STATUS])
def test_what_only_looks_may_only_look(purpose: Purpose) -> None:
    reads = ("list", "describe", "get")
    assert {a for a in allowed(purpose) if not a.split(":")[1].startswith(reads)} <= {"sts:assumerole"}


def test_who_destroys_may_make_nothing() -> None:
    makes = ("create", "put", "attach", "pass", "execute", "import", "subscribe")
    assert not [one for one in allowed(Purpose.DESTROY) if one.split(":")[1].startswith(makes)]


def test_only_a_rollout_passes_roles_and_only_to_whom_they_are_for() -> None:
    passing = {
        (purpose, sid): one["Condition"]["StringEquals"]["iam:PassedToService"]
        for purpose in Purpose
        for sid, one in statements(purpose).items()
        if one["Action"] == ["iam:PassRole"]
    }
    assert passing == {
        (Purpose.DEPLOY, "PassStackSetRoles"): "cloudformation.amazonaws.com",
        (Purpose.DEPLOY, "PassTrailRole"): "cloudtrail.amazonaws.com",
    }
    assert sum("iam:passrole" in allowed(purpose) for purpose in Purpose) == 1


def test_self_managed_stack_sets_of_members_have_a_role_of_their_own() -> None:
    roles = statements(Purpose.DEPLOY, self_managed=True)["PassStackSetRoles"]["Resource"]
    assert any(role.endswith(":role/AWSCloudFormationStackSetAdministrationRole") for role in roles)
    assert len(statements(Purpose.DEPLOY)["PassStackSetRoles"]["Resource"]) == 1


def test_tags_are_read_where_accounts_are_selected_by_them() -> None:
    assert "organizations:listtagsforresource" not in allowed(Purpose.PLAN)
    assert "organizations:listtagsforresource" in allowed(Purpose.PLAN, by_tags=True)


@pytest.mark.parametrize(
    ("variant", "looks"), [("shipped", True), ("own logs", False), ("existing trail", False)]
)
def test_kept_logs_are_looked_for_where_they_can_be(variant: str, looks: bool) -> None:
    assert ("FindKeptLogs" in statements(Purpose.PLAN, VARIANTS[variant])) == looks


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("purpose", Purpose)
def test_a_policy_fits_into_a_role(variant: str, purpose: Purpose) -> None:
    whole = policy(asked(purpose, VARIANTS[variant], self_managed=True, by_tags=True))
    assert len(json.dumps(whole, separators=(",", ":"))) <= LARGEST


def stack_sets(*args: Any, **changes: Any) -> set[str]:
    """The names of the stack sets that a caller may change."""
    resources = statements(*args, **changes)["ChangeStackSets"]["Resource"]
    return {arn.split("/")[1].removesuffix(":*") for arn in resources if ":stackset/" in arn}


def test_a_delegated_administrator_has_the_stack_sets_that_the_other_has_not() -> None:
    all_sets = stack_sets(Purpose.DEPLOY)
    own = stack_sets(Purpose.DEPLOY, delegates=True)
    delegated = stack_sets(Purpose.DEPLOY, delegates=True, caller=Caller.DELEGATED_ADMIN)
    assert own == {"orgmon-access-management", "orgmon-detection-management"}
    assert own | delegated == all_sets
    assert own & delegated == set()
    assert {"orgmon-hub", "application-settings"} <= delegated
    services = {
        action.split(":")[0]
        for action in allowed(Purpose.DEPLOY, delegates=True, caller=Caller.DELEGATED_ADMIN)
    }
    assert services == {"cloudformation", "organizations", "s3"}


def config(folder: Path, **sessions: Any) -> Path:
    """The shipped config with other sessions."""
    content = yaml.safe_load(sample.PATH.read_text(encoding="utf-8"))
    content["organization"]["sessions"] = sessions
    path = folder / "accounts.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_the_command_prints_the_policy_alone_and_says_whose_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, delegated_admin={"profile": "hub"})

    def no_session(profile: str | None) -> Any:
        raise AssertionError("no session is needed")

    assert run(["policy", "--for", "deploy", "--config", str(path)], no_session) == 0
    first = capsys.readouterr()
    assert json.loads(first.out)["Version"] == "2012-10-17"
    assert "a caller in the management account 310247698127" in first.err
    assert "orgmon policy --for deploy --caller delegated-admin" in first.err
    arguments = ["policy", "--for", "deploy", "--caller", "delegated-admin", "--config", str(path)]
    assert run(arguments, no_session) == 0
    second = capsys.readouterr()
    assert "the delegated administrator's account, profile hub" in second.err
    assert json.loads(second.out) != json.loads(first.out)


def test_without_a_delegated_administrator_there_is_no_policy_for_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no delegated administrator"):
        policy_for(Project(config(tmp_path)), Purpose.PLAN, Caller.DELEGATED_ADMIN)
