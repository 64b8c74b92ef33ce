"""Whole rollouts in the other modes that accounts.yaml knows: who calls, who is trusted, what is there already."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from orgmon.sandbox.policies.switches import Switch
from orgmon.sandbox.world import World
from orgmon.stacks.purpose import Purpose
from tests import sample
from tests.sandbox.services import allow, document, service
from tests.whole.callers import Limited, make_roles
from tests.whole.embedded import SECURITY_PROFILE, Rehearsal, few_detections, rehearsed, rolled_out
from tests.whole.flows import ACCESS_KEY, CENTRAL, EVENT, LONG_ENOUGH, USER, change_keys, letters_of, ways
from tests.whole.links import HOME, MANAGEMENT, MEMBER, SECURITY

LOG_ARCHIVE = "059913402786"
WEB_SHOP = "138860294471"
SHARED = "226048917350"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
WAVES = [{"name": "first", "accounts": [SHARED]}, {"name": "rest", "rest": True}]
Organize = Callable[..., Rehearsal]


@pytest.fixture
def organize(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Organize]:
    """Makes an organization in one Region, with other sections in its accounts.yaml."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(rehearsed(tmp_path, capsys, (HOME,), **options))


def section(name: str, **changes: Any) -> dict[str, Any]:
    """A section of the shipped accounts.yaml with other values; None leaves a key out."""
    content = {**yaml.safe_load(sample.PATH.read_text(encoding="utf-8"))[name], **changes}
    return {key: value for key, value in content.items() if value is not None}


def roll_out(rehearsal: Rehearsal) -> list[Any]:
    """Deploy; then nothing is left to do and everything is covered. Returns the calls that were made."""
    calls: list[Any] = []
    rehearsal.sandbox.world.after.append(lambda call: calls.append(call) if not call.invoked_by else None)
    rolled_out(rehearsal)
    code, out, err = rehearsal.orgmon("plan")
    assert code == 0, out + err
    assert rehearsal.orgmon("status")[0] == 0
    return calls


def destroy(rehearsal: Rehearsal) -> None:
    """Remove everything but the logs."""
    code, out, err = rehearsal.orgmon("destroy", "--confirm", "o-q1w2e3r4t5")
    assert code == 0, out + err


def stack_names(rehearsal: Rehearsal, account: str) -> set[str]:
    """The stacks of an account in the home Region, without the ids of their stack sets."""
    stacks = rehearsal.sandbox.engine.register.stacks(account, HOME)
    identity = re.compile("^StackSet-|-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    return {identity.sub("", stack.name) for stack in stacks if not stack.is_gone}


def cells(rehearsal: Rehearsal, stack: str) -> set[str]:
    """The accounts that a stack of the members covers."""
    _, data = rehearsal.data("status")
    return {cell["account"] for cell in data["cells"] if (cell["stack"], cell["state"]) == (stack, "CURRENT")}


def alarmed(rehearsal: Rehearsal) -> frozenset[tuple[str, str]]:
    """Who tells of an access key that is made in a member account; of the rollout before it nobody tells."""
    rehearsal.sandbox.world.client("iam", MEMBER, HOME).create_user(UserName=USER)
    rehearsal.sandbox.settle(LONG_ENOUGH)
    subjects = {letter.subject for letter in rehearsal.sandbox.signals.mailbox.letters}
    assert subjects == {"AWS Notification - Subscription Confirmation"}
    return ways(letters_of(rehearsal, lambda: change_keys(rehearsal, MEMBER)))


BOTH = {(EVENT, ACCESS_KEY), (CENTRAL, ACCESS_KEY)}


def test_a_delegated_administrator_makes_the_service_managed_calls(organize: Organize) -> None:
    sessions = {"delegated_admin": {"profile": SECURITY_PROFILE}}
    deployers = [f"arn:aws:sts::{account}:assumed-role/rollout/*" for account in (MANAGEMENT, SECURITY)]
    organized = organize(
        flipped=Switch,  # AWS answers every open question otherwise than we think.
        organization=section("organization", sessions=sessions),
        detections=section("detections", deployers=deployers),
    )
    # Neither caller may do more than his policy says.
    make_roles(organized.sandbox)
    rehearsal = Limited(organized.sandbox, organized.path, organized.capsys)
    rehearsal.allow(Purpose.DEPLOY)
    calls = roll_out(rehearsal)
    started = {
        (call.account, call.params["StackSetName"].endswith("-management"))
        for call in calls
        if call.operation in ("CreateStackSet", "CreateStackInstances", "UpdateStackSet")
    }
    assert started == {(SECURITY, False), (MANAGEMENT, True)}
    assert {call.account for call in calls if call.operation == "ExecuteChangeSet"} == {MANAGEMENT}
    assert alarmed(rehearsal) == BOTH
    rehearsal.allow(Purpose.DESTROY)
    destroy(rehearsal)
    assert stack_names(rehearsal, MEMBER) == set()


def test_self_managed_stack_sets_use_the_roles_and_the_trail_that_are_there(organize: Organize) -> None:
    """And where no decoys are wanted there are none."""
    group = "/audit/organization"
    rehearsal = organize(
        trail={"existing": {"log_group": group}},
        decoys=None,
        organization=section("organization", permission_model="SELF_MANAGED"),
        rollout=section("rollout", auto_deployment=False, waves=WAVES),
    )
    code, out, err = rehearsal.orgmon("deploy", "--yes")
    assert code == 1
    assert "should have 'AWSCloudFormationStackSetAdministrationRole' role" in out + err
    make_stack_set_roles(rehearsal)
    make_trail(rehearsal.sandbox.world, group)
    roll_out(rehearsal)
    sets = (
        rehearsal.sandbox.world.session(MANAGEMENT).client("cloudformation").list_stack_sets(Status="ACTIVE")
    )
    assert {each["PermissionModel"] for each in sets["Summaries"]} == {"SELF_MANAGED"}
    assert cells(rehearsal, "orgmon-detection") >= {MEMBER, WEB_SHOP, SHARED, SECURITY, LOG_ARCHIVE}
    of_members = {"orgmon-access", "orgmon-detection"}
    assert stack_names(rehearsal, LOG_ARCHIVE) == stack_names(rehearsal, MEMBER) == of_members
    of_management = {f"{name}-management" for name in of_members}
    assert stack_names(rehearsal, MANAGEMENT) == {"orgmon-base", "orgmon-trail", *of_management}
    secrets = rehearsal.sandbox.world.client("secretsmanager", MEMBER, HOME).list_secrets()["SecretList"]
    assert secrets == []
    assert alarmed(rehearsal) == BOTH
    destroy(rehearsal)
    assert stack_names(rehearsal, MEMBER) == set()
    trails = rehearsal.sandbox.world.client("cloudtrail", MANAGEMENT, HOME).describe_trails()["trailList"]
    assert [trail["Name"] for trail in trails] == ["audit"]
    logs = rehearsal.sandbox.world.client("logs", MANAGEMENT, HOME)
    assert [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]] == [group]
    assert logs.describe_metric_filters()["metricFilters"] == []


def make_stack_set_roles(rehearsal: Rehearsal) -> None:
    """The roles under AWS's own names, as CloudFormation's guide has them made."""
    world = rehearsal.sandbox.world
    administration = "AWSCloudFormationStackSetAdministrationRole"
    execution = "AWSCloudFormationStackSetExecutionRole"
    iam = world.client("iam", MANAGEMENT, HOME)
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust = document({**assume, "Principal": service("cloudformation")})
    iam.create_role(RoleName=administration, AssumeRolePolicyDocument=trust)
    may = document(allow("sts:AssumeRole", f"arn:aws:iam::*:role/{execution}"))
    iam.put_role_policy(RoleName=administration, PolicyName="assume", PolicyDocument=may)
    trust = document({**assume, "Principal": {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}})
    for account in set(world.organization.accounts) - {MANAGEMENT}:
        member = world.client("iam", account, HOME)
        member.create_role(RoleName=execution, AssumeRolePolicyDocument=trust)
        member.attach_role_policy(RoleName=execution, PolicyArn=ADMINISTRATOR)


def test_without_a_log_archive_account_the_logs_stay_in_the_management_account(organize: Organize) -> None:
    rehearsal = organize(organization=section("organization", log_archive_account=None))
    roll_out(rehearsal)
    bucket = f"orgmon-logs-{MANAGEMENT}-{HOME}"
    s3 = rehearsal.sandbox.world.client("s3", MANAGEMENT, HOME)
    assert alarmed(rehearsal) == BOTH
    files = s3.list_objects_v2(Bucket=bucket)["KeyCount"]
    assert files > 0
    destroy(rehearsal)
    assert bucket in {each["Name"] for each in s3.list_buckets()["Buckets"]}
    rolled_out(rehearsal)
    letters_of(rehearsal, lambda: change_keys(rehearsal, MEMBER))
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] > files
    # A key cannot be adopted: there is a new one, and the old one still opens the old files.
    kms = rehearsal.sandbox.world.client("kms", MANAGEMENT, HOME)
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    assert {key["KeyState"] for key in keys} == {"Enabled"}


def make_trail(world: World, group: str) -> None:
    """An organization trail that somebody made long ago."""
    session = world.session(MANAGEMENT)
    trail = f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/audit"
    writes = allow(
        ["s3:GetBucketAcl", "s3:PutObject"],
        "*",
        Principal=service("cloudtrail"),
        Condition={"StringEquals": {"aws:SourceArn": trail}},
    )
    session.client("s3").create_bucket(Bucket="audit-files")
    session.client("s3").put_bucket_policy(Bucket="audit-files", Policy=document(writes))
    session.client("logs").create_log_group(logGroupName=group)
    assumed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service("cloudtrail")}
    iam = session.client("iam")
    role = iam.create_role(RoleName="audit", AssumeRolePolicyDocument=document(assumed))["Role"]["Arn"]
    log_group = f"arn:aws:logs:{HOME}:{MANAGEMENT}:log-group:{group}"
    may = document(allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group}:*"))
    iam.put_role_policy(RoleName="audit", PolicyName="write", PolicyDocument=may)
    session.client("cloudtrail").create_trail(
        Name="audit",
        S3BucketName="audit-files",
        IsMultiRegionTrail=True,
        IsOrganizationTrail=True,
        CloudWatchLogsLogGroupArn=f"{log_group}:*",
        CloudWatchLogsRoleArn=role,
    )
    session.client("cloudtrail").start_logging(Name="audit")


def make_key(world: World) -> str:
    """A key that a user keeps for the logs; its ARN."""
    trail = f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/orgmon"
    of_trail = {"StringEquals": {"aws:SourceArn": trail}}
    policy = document(
        allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{LOG_ARCHIVE}:root"}),
        allow(
            ["kms:GenerateDataKey*", "kms:DescribeKey"],
            "*",
            Principal=service("cloudtrail"),
            Condition=of_trail,
        ),
        allow("kms:Decrypt", "*", Principal=service("cloudtrail")),
    )
    kms = world.session(LOG_ARCHIVE).client("kms")
    return str(kms.create_key(Policy=policy)["KeyMetadata"]["Arn"])


def is_delivered_with(world: World, key: str) -> bool:
    """Whether the trail's files are encrypted with a key, the only one of the log archive, and arrive."""
    kms = world.session(LOG_ARCHIVE).client("kms")
    cloudtrail = world.client("cloudtrail", MANAGEMENT, HOME)
    keys = [each["KmsKeyId"] for each in cloudtrail.describe_trails()["trailList"]]
    status = cloudtrail.get_trail_status(Name="orgmon")
    is_only_one = [each["KeyArn"] for each in kms.list_keys()["Keys"]] == keys == [key]
    return is_only_one and "LatestDeliveryTime" in status and not status.get("LatestDeliveryError")


def locks(world: World) -> set[str]:
    """How the trail's files are locked; an empty text for those that are not."""
    s3 = world.session(LOG_ARCHIVE).client("s3")
    bucket = f"orgmon-logs-{LOG_ARCHIVE}-{HOME}"
    names = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="AWSLogs/o-")["Contents"]]
    return {s3.head_object(Bucket=bucket, Key=name).get("ObjectLockMode", "") for name in names}


def test_live_tags_select_accounts_and_a_key_of_the_user_s_encrypts_the_logs(organize: Organize) -> None:
    rehearsal = organize(
        scope={"tags": {"monitored": "yes"}, "accounts": [SECURITY]},
        rollout=section(
            "rollout",
            auto_deployment=False,
            waves=[{"name": "first", "tags": {"canary": "yes"}}, {"name": "rest", "rest": True}],
        ),
        decoys=section("decoys", placement={"tags": {"monitored": "yes"}}),
    )
    organizations = rehearsal.sandbox.world.session(MANAGEMENT).client("organizations")
    key = make_key(rehearsal.sandbox.world)
    rehearsal.change(trail=section("trail", key_arn=key, object_lock_days=5))
    for account, tags in ((MEMBER, {"monitored": "yes"}), (WEB_SHOP, {"monitored": "yes", "canary": "yes"})):
        wire = [{"Key": key, "Value": value} for key, value in tags.items()]
        organizations.tag_resource(ResourceId=account, Tags=wire)
    rolled_out(rehearsal)
    assert rehearsal.orgmon("plan")[0] == 0
    assert cells(rehearsal, "orgmon-detection") == {MEMBER, WEB_SHOP, SECURITY}
    assert cells(rehearsal, "application-settings") == {MEMBER, WEB_SHOP}
    # Shared services are in nobody's scope: that is told, and nothing is planned for them.
    assert rehearsal.orgmon("status")[0] == 3
    organizations.tag_resource(ResourceId=SHARED, Tags=[{"Key": "monitored", "Value": "yes"}])
    assert rehearsal.orgmon("deploy", "--yes")[0] == 0
    assert cells(rehearsal, "orgmon-detection") == {MEMBER, WEB_SHOP, SECURITY, SHARED}
    assert alarmed(rehearsal) == BOTH
    assert is_delivered_with(rehearsal.sandbox.world, key)
    # And back: a key of orgmon's own again, under the name that the first one would have had.
    for wanted in (None, key, None):
        rehearsal.change(trail=section("trail", key_arn=wanted))
        code, out, err = rehearsal.orgmon("deploy", "--yes")
        assert code == 0, out + err
    assert locks(rehearsal.sandbox.world) == {"GOVERNANCE"}


def test_a_template_that_is_too_large_to_send_goes_by_a_pinned_url(
    organize: Organize, tmp_path: Path
) -> None:
    write_detections(tmp_path / "own", 80)
    rehearsal = organize(detections=few_detections(folder="own"))
    calls = roll_out(rehearsal)
    sent = {
        call.params["StackSetName"]: call.params
        for call in calls
        if call.operation in ("CreateStackSet", "UpdateStackSet") and "TemplateURL" in call.params
    }
    url = sent["orgmon-hub"]["TemplateURL"]
    assert url.startswith(f"https://orgmon-artifacts-{MANAGEMENT}-{HOME}.s3.{HOME}.amazonaws.com/templates/")
    assert "?versionId=" in url
    rules = rehearsal.sandbox.world.client("events", SECURITY, HOME).get_paginator("list_rules")
    names = {rule["Name"] for page in rules.paginate(EventBusName="orgmon") for rule in page["Rules"]}
    assert names >= {f"own-{number:02}" for number in range(80)}
    # One more, and a rollback in between: CloudFormation reads the pinned version again.
    write_detections(tmp_path / "own", 81)
    rehearsal.sandbox.world.trouble.fail(account=SECURITY, action="UPDATE", reason="no luck today")
    assert rehearsal.orgmon("deploy", "--yes")[0] == 1
    rehearsal.sandbox.world.trouble.lift()
    rolled_out(rehearsal)
    destroy(rehearsal)
    buckets = rehearsal.sandbox.world.client("s3", MANAGEMENT, HOME).list_buckets()["Buckets"]
    assert buckets == []


def write_detections(folder: Path, count: int) -> None:
    """Sigma rules of a user's own, each of another API call."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        rule = {
            "title": f"An instance was changed in way number {number}",
            "name": f"own_{number:02}",
            "status": "stable",
            "description": "Made for a test: " + "long enough to be believable. " * 8,
            "level": "low",
            "logsource": {"product": "aws", "service": "cloudtrail"},
            "detection": {
                "change": {
                    "eventSource": "ec2.amazonaws.com",
                    "eventName": f"Change{number}",
                    "requestParameters.instanceType": [f"m{size}.large" for size in range(20)],
                },
                "condition": "change",
            },
            "orgmon": {"scope": "regional", "flow": "event"},
        }
        (folder / f"own-{number:02}.yml").write_text(json.dumps(rule), encoding="utf-8")
