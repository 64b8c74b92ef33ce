"""The templates: valid in every Region, with nothing baked in, and telling nothing in a member account."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from orgmon.alerting import ALERTING
from orgmon.config.monitoring import Decoy, DecoysSection
from orgmon.desired.inputs import inputs
from orgmon.desired.rules import detections_of
from orgmon.errors import TemplateError
from orgmon.stacks import base, decoys, detection, edge, hub, logs, names, trail
from orgmon.stacks.definition import Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.table import STACKS, wanted
from tests import sample
from tests.templates import statements

# What handlers need only for properties that our templates do not have.
NOT_USED = frozenset(
    {
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "firehose:TagDeliveryStream",
        "logs:AssociateKmsKey",
        "logs:CreateLogDelivery",
        "logs:DeleteDataProtectionPolicy",
        "logs:DeleteIndexPolicy",
        "logs:DisassociateKmsKey",
        "logs:PutBearerTokenAuthentication",
        "logs:PutDataProtectionPolicy",
        "logs:PutIndexPolicy",
        "logs:PutLogGroupDeletionProtection",
        "s3:REST.PUT.OBJECT",
    }
)
IDS = [definition.name for definition in STACKS]
IN_ALL_MEMBERS = [definition for definition in STACKS if definition.placement.covers_members]
BEYOND_HOME = [definition for definition in STACKS if definition.placement.where is not Where.HOME]


def resources(definition: StackDefinition, **changes: Any) -> dict[str, Any]:
    """The resources of a stack, as deployed."""
    declared = definition.body(replace(sample.stack_inputs(), **changes)).content["Resources"]
    assert isinstance(declared, dict)
    return declared


@pytest.mark.slow
@pytest.mark.parametrize("definition", STACKS, ids=IDS)
def test_cfn_lint_finds_nothing_in_any_detection_region(definition: StackDefinition) -> None:
    regions = list(sample.config().regions.detection_regions)
    matches = lint(definition.body(sample.stack_inputs()).text, config=ManualArgs(regions=regions))
    assert [str(match) for match in matches] == []


@pytest.mark.parametrize("definition", STACKS, ids=IDS)
def test_no_account_or_organization_is_baked_in(definition: StackDefinition) -> None:
    text = definition.body(sample.stack_inputs()).text
    for deployer in sample.config().detections.deployers:
        text = text.replace(deployer, "")  # who may change the monitoring is said where it is decided
    assert not re.findall(r"\b\d{12}\b", text)
    assert sample.config().organization.id not in text
    assert "soc-inbox" not in text
    assert "@example.com" not in text


@pytest.mark.parametrize("definition", STACKS, ids=IDS)
def test_every_parameter_has_a_value_and_every_value_a_parameter(definition: StackDefinition) -> None:
    given = sample.stack_inputs()
    declared = definition.body(given).content.get("Parameters", {})
    assert isinstance(declared, dict)
    assert sorted(declared) == [key for key, _ in definition.parameters(given)]


@pytest.mark.parametrize("definition", STACKS, ids=IDS)
def test_the_same_inputs_make_the_same_bytes(definition: StackDefinition) -> None:
    given = sample.stack_inputs()
    assert definition.body(given).text == definition.body(given).text


@pytest.mark.parametrize("definition", STACKS, ids=IDS)
def test_no_macro_transform_or_nested_stack(definition: StackDefinition) -> None:
    content = definition.body(sample.stack_inputs()).content
    assert "Transform" not in content
    assert "Fn::Transform" not in json.dumps(content)
    assert not [
        item for item in resources(definition).values() if item["Type"] == "AWS::CloudFormation::Stack"
    ]


@pytest.mark.parametrize("definition", BEYOND_HOME, ids=lambda definition: definition.name)
def test_global_resources_with_fixed_names_are_in_one_region_only(definition: StackDefinition) -> None:
    types = [resource["Type"] for resource in resources(definition).values()]
    assert not [name for name in types if name.startswith(("AWS::IAM", "AWS::S3"))]


@pytest.mark.parametrize("definition", STACKS, ids=IDS)
def test_every_statement_names_its_actions_and_resources(definition: StackDefinition) -> None:
    wide = []
    for title, resource in resources(definition).items():
        for statement in statements(resource.get("Properties", {})):
            is_key_owner = resource["Type"] == "AWS::KMS::Key" and statement.get("Sid") == "Owner"
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            denies = statement["Effect"] == "Deny"
            # What CloudFormation's guide asks for, whatever the template.
            of_stack_sets = title == "ExecutionRole" and actions == ["cloudformation:*", "s3:*"]
            if not denies and not is_key_owner and not of_stack_sets:
                wide += [(title, action) for action in actions if action.endswith(":*") or action == "*"]
    assert wide == []


def test_logs_keys_and_the_trails_log_group_outlive_their_stacks() -> None:
    both = {**resources(logs.STACK), **resources(trail.STACK)}
    for title in ("LogBucket", "LogsKey", "TrailLogGroup"):
        assert both[title]["DeletionPolicy"] == "Retain"
        assert both[title]["UpdateReplacePolicy"] == "Retain"
    # The name is for the next key, which could not be made with it as long as the former one had it.
    assert "DeletionPolicy" not in both["LogsKeyAlias"]


def test_every_key_says_what_becomes_of_it() -> None:
    keys = {
        title: (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        for definition in STACKS
        for title, resource in resources(definition).items()
        if resource["Type"] == "AWS::KMS::Key"
    }
    assert keys == {"LogsKey": ("Retain", "Retain"), "HubKey": ("Delete", "Retain")}


@pytest.mark.parametrize("definition", [logs.STACK, base.STACK], ids=lambda definition: definition.name)
def test_log_files_are_locked_only_if_somebody_says_so(definition: StackDefinition) -> None:
    own = (
        {"log_archive_account": sample.stack_inputs().management_account} if definition is base.STACK else {}
    )
    assert "ObjectLockEnabled" not in resources(definition, **own)["LogBucket"]["Properties"]
    locked = resources(definition, object_lock_days=30, **own)["LogBucket"]["Properties"]
    assert locked["ObjectLockEnabled"] is True
    assert locked["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}},
    }


def test_nothing_in_the_decoy_stack_gives_orgmon_away() -> None:
    text = decoys.STACK.body(sample.stack_inputs()).text.lower()
    for word in ("orgmon", "decoy", "honey", "canary", "monitor", "tags", "outputs", '"name"'):
        assert word not in text


def test_member_stacks_name_no_decoy_and_say_nothing_of_what_is_looked_for() -> None:
    phrases = [decoy.phrase for decoy in sample.stack_inputs().decoys]
    assert all(phrase in hub.STACK.body(sample.stack_inputs()).text for phrase in phrases)
    for definition in IN_ALL_MEMBERS:
        text = definition.body(sample.stack_inputs()).text
        assert not [phrase for phrase in phrases if phrase in text]
    rules = [
        resource
        for resource in resources(detection.STACK).values()
        if resource["Properties"].get("Name", "").startswith("orgmon-forward-")
    ]
    assert 1 <= len(rules) <= 8
    assert "wildcard" not in json.dumps(rules)


def test_the_hub_has_a_rule_for_each_alerting_detection_and_pins_the_source() -> None:
    rules = {t: r for t, r in resources(hub.STACK).items() if r["Type"] == "AWS::Events::Rule"}
    told = {
        json.loads(
            rule["Properties"]["Targets"][0]["InputTransformer"]["InputTemplate"].split(", ")[0] + "}"
        )["detection"]
        for rule in rules.values()
    }
    assert {"decoy-touched", "root-use", "trail-tampering", "access-key-change"} <= told
    assert "secret-read" not in told
    for rule in rules.values():
        pattern = rule["Properties"]["EventPattern"]
        told_as = json.loads(pattern) if isinstance(pattern, str) else pattern
        assert "aws" in json.dumps(told_as["source"])


@pytest.mark.slow
def test_the_stacks_have_room_for_as_many_decoys_as_a_config_may_name() -> None:
    config = sample.config()
    assert config.decoys is not None
    [most] = [
        limit.max_length
        for limit in DecoysSection.model_fields["items"].metadata
        if hasattr(limit, "max_length")
    ]
    items = tuple(Decoy(phrase=f"Extra{letter}KeyThing") for letter in "ABCDEFGHIJKLMNOP"[:most])
    assert len(items) == most
    full = config.model_copy(update={"decoys": config.decoys.model_copy(update={"items": items})})
    given = inputs(full, detections_of(full, sample.PATH))
    for definition in STACKS:
        assert definition.body(given).content["Resources"]


def test_what_a_plain_stack_retains_can_be_adopted_later() -> None:
    """CloudFormation adopts a retained resource only where its name is a literal in the template."""
    own = sample.stack_inputs().management_account
    group = resources(trail.STACK)["TrailLogGroup"]["Properties"]
    bucket = resources(base.STACK, log_archive_account=own)["LogBucket"]["Properties"]
    assert group["LogGroupName"] == "/aws/cloudtrail/orgmon"
    assert bucket["BucketName"] == f"orgmon-logs-{own}-us-east-1"


def test_the_execution_role_may_do_what_cloudformation_does_for_member_stacks() -> None:
    """The schemas of the resource types name the permissions that CloudFormation's handlers need."""
    policy = resources(base.STACK)["ExecutionRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    allowed = {action for statement in policy["Statement"] for action in statement["Action"]}
    types = {resource["Type"] for definition in IN_ALL_MEMBERS for resource in resources(definition).values()}
    needed = {name: _permissions(name) for name in types}
    assert all(needed.values())
    assert needed["AWS::IAM::Role"] & allowed
    lacking = {name: sorted(actions - allowed - NOT_USED) for name, actions in needed.items()}
    assert {name: actions for name, actions in lacking.items() if actions} == {}


def _permissions(name: str) -> frozenset[str]:
    """What the handlers of a resource type may have to do."""
    # It takes a second to load, and most tests here do without.
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", name).schema["handlers"]
    verbs = (handlers.get(verb, {}) for verb in ("create", "read", "update", "delete"))
    return frozenset(action for verb in verbs for action in verb.get("permissions", []))


def test_an_existing_trail_is_used_and_none_is_made() -> None:
    made = resources(trail.STACK, existing_log_group="company-trail")
    assert {resource["Type"] for resource in made.values()} == {
        "AWS::Logs::MetricFilter",
        "AWS::CloudWatch::Alarm",
    }


def test_without_a_log_archive_account_the_log_store_is_in_the_base_stack() -> None:
    own = sample.stack_inputs().management_account
    assert "LogBucket" in resources(base.STACK, log_archive_account=own)
    assert "LogBucket" not in resources(base.STACK)
    without = sample.config().organization.model_copy(update={"log_archive_account": None})
    config = sample.config().model_copy(update={"organization": without})
    assert logs.STACK not in wanted(inputs(config, ()))


def test_a_template_that_is_too_large_is_refused_with_its_size() -> None:
    template = new_template("large")
    template.set_metadata({"padding": "x" * 1024 * 1024})
    large = StackDefinition(
        "large", Placement(Who.MANAGEMENT, Where.HOME), "", lambda _: template, lambda _: {}
    )
    with pytest.raises(TemplateError, match="the template of large has"):
        large.body(sample.stack_inputs())


def test_names_of_stack_sets_leave_room_for_the_names_of_their_stacks() -> None:
    for definition in STACKS:
        assert len(f"StackSet-{definition.name}-management-{'u' * 36}") <= 128


def test_every_severity_has_a_queue_class() -> None:
    assert {names.queue_class_of(severity) for severity in ALERTING} == {"urgent", "routine"}


def test_alarms_of_members_are_in_governed_regions_and_after_their_log_group() -> None:
    given = replace(
        sample.stack_inputs(), detection_regions=("us-east-1", "eu-west-1"), governed_regions=("eu-west-1",)
    )
    content = detection.STACK.body(given).content
    assert content["Mappings"] == {
        "Regions": {"eu-west-1": {"Governed": "yes"}, "us-east-1": {"Governed": "no"}}
    }
    parts = content["Resources"]
    assert isinstance(parts, dict)
    counting = [
        part for part in parts.values() if part["Type"].startswith(("AWS::CloudWatch", "AWS::Logs::M"))
    ]
    assert len(counting) > 6
    assert {part.get("Condition") for part in counting} == {"Governed"}
    filters = [part for part in counting if part["Type"] == "AWS::Logs::MetricFilter"]
    assert all("LocalLogGroup" in part["DependsOn"] for part in filters)
    # What brings the alarms to the hub is everywhere.
    assert "Condition" not in parts["AlarmStateChanges"]


def test_findings_come_from_the_security_account_alone() -> None:
    pattern = resources(edge.STACK)["Findings"]["Properties"]["EventPattern"]
    assert pattern == {
        "source": ["aws.guardduty", "aws.securityhub"],
        "detail-type": ["GuardDuty Finding", "Security Hub Findings - Imported", "Findings Imported V2"],
    }
    assert "aws.guardduty" not in detection.STACK.body(sample.stack_inputs()).text


@pytest.mark.slow
def test_only_the_security_account_s_edge_alarm_counts() -> None:
    sending = resources(edge.STACK)["EdgeAlarmStates"]["Properties"]["EventPattern"]
    taking = resources(hub.STACK)["EdgeAlarmRule"]["Properties"]["EventPattern"]
    assert sending["account"] == [{"Ref": "SecurityAccountId"}]
    assert taking["account"] == [{"Ref": "AWS::AccountId"}]
    for definition in STACKS:
        for part in resources(definition).values():
            pattern = json.dumps(part.get("Properties", {}).get("EventPattern", ""))
            assert names.EDGE_ALARM not in pattern or '"account"' in pattern


@pytest.mark.parametrize("definition", [trail.STACK, detection.STACK], ids=lambda one: one.name)
@pytest.mark.parametrize(("kind", "rate"), [("AWS::Logs::MetricFilter", 5), ("AWS::CloudWatch::Alarm", 3)])
def test_what_a_service_takes_slowly_is_made_in_lanes(
    definition: StackDefinition, kind: str, rate: int
) -> None:
    parts = {title: part for title, part in resources(definition).items() if part["Type"] == kind}

    def depth(title: str) -> int:
        """How many of its kind have to be made before it."""
        depends = parts[title].get("DependsOn", [])
        before = [one for one in ([depends] if isinstance(depends, str) else depends) if one in parts]
        return 1 + max(map(depth, before)) if before else 0

    at_once = Counter(map(depth, parts))
    assert len(parts) > rate
    assert max(at_once.values()) <= rate


@pytest.mark.parametrize("definition", STACKS, ids=IDS)
def test_no_template_holds_a_null_which_cloudformation_refuses(definition: StackDefinition) -> None:
    def nulls(value: object) -> int:
        if isinstance(value, dict):
            return sum(map(nulls, value.values()))
        return sum(map(nulls, value)) if isinstance(value, list) else value is None

    assert nulls(definition.body(sample.stack_inputs()).content) == 0


def test_a_pattern_that_asks_for_null_is_written_as_text_and_still_asks_for_it() -> None:
    written = [
        rule["Properties"]["EventPattern"]
        for rule in resources(hub.STACK).values()
        if rule["Type"] == "AWS::Events::Rule"
    ]
    texts = [json.loads(pattern) for pattern in written if isinstance(pattern, str)]
    assert any(None in pattern["detail"].get("errorCode", []) for pattern in texts)
