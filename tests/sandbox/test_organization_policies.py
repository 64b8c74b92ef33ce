"""Service control policies and resource control policies: what can be written, attached, and what it forbids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.calls import role_session, service_principal
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.policies.syntax import RCP, SCP
from orgmon.sandbox.policy import Decision
from orgmon.sandbox.world import World
from tests.sandbox.conftest import DEV, HOME, LOGS, MANAGEMENT, ORG, PROD, SECURITY, SEED
from tests.sandbox.fleet import FLEET, R1, R2, Fleet

ONCE = Config(retries={"total_max_attempts": 1})
ACCESS = "OrganizationAccountAccessRole"


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    """One world; before each test that asks for ``organizations`` both types are enabled anew."""
    with World(SEED, clock=Clock(speed=0)) as made:
        yield made
        assert made.hook_errors == []


@pytest.fixture
def organizations(shared: World) -> Iterator[Any]:
    client = shared.session(MANAGEMENT).client("organizations", config=ONCE)
    root = shared.organization.root_id
    for kind in (SCP, RCP):
        client.enable_policy_type(RootId=root, PolicyType=kind)
    yield client
    for kind in (SCP, RCP):
        client.disable_policy_type(RootId=root, PolicyType=kind)
        for policy in client.list_policies(Filter=kind)["Policies"]:
            if not policy["AwsManaged"]:
                client.delete_policy(PolicyId=policy["Id"])


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(action: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": "*", **more}


def allow(action: str | list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*"}


def put(client: Any, target: str, *statements: dict[str, Any], kind: str = SCP) -> str:
    """Make a policy and attach it; returns its id."""
    name = f"policy-{len(client.list_policies(Filter=kind)['Policies'])}"
    content = policy(*statements)
    made = client.create_policy(Name=name, Description="", Type=kind, Content=content)["Policy"]
    client.attach_policy(PolicyId=made["PolicySummary"]["Id"], TargetId=target)
    return str(made["PolicySummary"]["Id"])


def unit(shared: World, path: str) -> str:
    return next(each.id for each in shared.organization.units.values() if each.path == path)


def denial(
    shared: World, account: str, service: str = "sqs", operation: str = "list_queues", **members: Any
) -> str:
    """Why an account's administrator may not make a call; an empty string if he may."""
    caller = shared.session(account, region=HOME).client(service, config=ONCE)
    try:
        getattr(caller, operation)(**members)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


EXPLICIT = "with an explicit deny in a service control policy"


def test_types_are_off_until_they_are_enabled(shared: World) -> None:
    client = shared.session(MANAGEMENT).client("organizations", config=ONCE)
    root = shared.organization.root_id
    assert client.list_roots()["Roots"][0]["PolicyTypes"] == []
    assert client.list_policies_for_target(TargetId=root, Filter=SCP)["Policies"] == []
    with refused("PolicyTypeNotEnabledException"):
        client.attach_policy(PolicyId="p-FullAWSAccess", TargetId=root)
    answer = client.enable_policy_type(RootId=root, PolicyType=SCP)["Root"]
    assert answer["PolicyTypes"] == [{"Type": SCP, "Status": "ENABLED"}]
    assert client.list_roots()["Roots"][0]["PolicyTypes"] == answer["PolicyTypes"]
    with refused("PolicyTypeAlreadyEnabledException"):
        client.enable_policy_type(RootId=root, PolicyType=SCP)
    client.disable_policy_type(RootId=root, PolicyType=SCP)
    with refused("PolicyTypeNotEnabledException"):
        client.disable_policy_type(RootId=root, PolicyType=SCP)
    with refused("RootNotFoundException"):
        client.enable_policy_type(RootId="r-none", PolicyType=SCP)
    with refused("NotImplemented"):
        client.enable_policy_type(RootId=root, PolicyType="TAG_POLICY")


def test_everything_begins_with_full_access(shared: World, organizations: Any) -> None:
    root, workloads = shared.organization.root_id, unit(shared, "Root/Workloads")
    for target in (root, workloads, PROD, MANAGEMENT):
        attached = organizations.list_policies_for_target(TargetId=target, Filter=SCP)["Policies"]
        assert attached == [
            {
                "Id": "p-FullAWSAccess",
                "Arn": "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
                "Name": "FullAWSAccess",
                "Description": "Allows access to every operation.",
                "Type": SCP,
                "AwsManaged": True,
            }
        ]
    found = organizations.list_targets_for_policy(PolicyId="p-RCPFullAWSAccess")["Targets"]
    assert {each["TargetId"] for each in found} == {*shared.organization.units, *shared.organization.accounts}
    assert {each["Type"] for each in found} == {"ROOT", "ORGANIZATIONAL_UNIT", "ACCOUNT"}
    content = json.loads(organizations.describe_policy(PolicyId="p-RCPFullAWSAccess")["Policy"]["Content"])
    assert content["Statement"] == [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]
    assert denial(shared, PROD) == ""


def test_the_life_of_a_policy(shared: World, organizations: Any) -> None:
    content = policy(deny("sqs:*"))
    made = organizations.create_policy(
        Name="no queues", Description="d", Type=SCP, Content=content, Tags=[{"Key": "owner", "Value": "soc"}]
    )["Policy"]
    summary, policy_id = made["PolicySummary"], made["PolicySummary"]["Id"]
    assert summary["Arn"] == (
        f"arn:aws:organizations::{MANAGEMENT}:policy/{ORG}/service_control_policy/{policy_id}"
    )
    assert (made["Content"], summary["AwsManaged"], summary["Name"]) == (content, False, "no queues")
    tags = organizations.list_tags_for_resource(ResourceId=policy_id)["Tags"]
    assert tags == [{"Key": "owner", "Value": "soc"}]
    with refused("DuplicatePolicyException"):
        organizations.create_policy(Name="no queues", Description="", Type=SCP, Content=content)
    organizations.attach_policy(PolicyId=policy_id, TargetId=PROD)
    with refused("DuplicatePolicyAttachmentException"):
        organizations.attach_policy(PolicyId=policy_id, TargetId=PROD)
    assert denial(shared, PROD).endswith(EXPLICIT)
    with refused("PolicyInUseException"):
        organizations.delete_policy(PolicyId=policy_id)
    organizations.update_policy(PolicyId=policy_id, Name="no topics", Content=policy(deny("sns:*")))
    assert denial(shared, PROD) == ""
    assert organizations.describe_policy(PolicyId=policy_id)["Policy"]["PolicySummary"]["Description"] == "d"
    organizations.detach_policy(PolicyId=policy_id, TargetId=PROD)
    with refused("PolicyNotAttachedException"):
        organizations.detach_policy(PolicyId=policy_id, TargetId=PROD)
    organizations.delete_policy(PolicyId=policy_id)
    with refused("PolicyNotFoundException"):
        organizations.describe_policy(PolicyId=policy_id)


def reason_of(call: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as problem:
        call(**members)
    response = problem.value.response
    return response["Error"]["Code"], response.get("Reason", "")


def test_what_cannot_be_done_with_policies(shared: World, organizations: Any) -> None:
    root = shared.organization.root_id
    update = organizations.update_policy
    assert reason_of(update, PolicyId="p-FullAWSAccess", Name="x") == (
        "InvalidInputException",
        "IMMUTABLE_POLICY",
    )
    detach = organizations.detach_policy
    stuck = reason_of(detach, PolicyId="p-RCPFullAWSAccess", TargetId=root)
    assert stuck == ("InvalidInputException", "NON_DETACHABLE_POLICY")
    last = reason_of(detach, PolicyId="p-FullAWSAccess", TargetId=PROD)
    assert last == ("ConstraintViolationException", "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
    nowhere = reason_of(organizations.attach_policy, PolicyId="p-FullAWSAccess", TargetId="999999999999")
    assert nowhere[0] == "TargetNotFoundException"
    effective = reason_of(organizations.describe_effective_policy, PolicyType=SCP, TargetId=PROD)
    assert effective == ("InvalidInputException", "INVALID_ENUM_POLICY_TYPE")
    none = reason_of(organizations.describe_effective_policy, PolicyType="TAG_POLICY", TargetId=PROD)
    assert none[0] == "EffectivePolicyNotFoundException"
    member = shared.session(PROD).client("organizations", config=ONCE)
    assert reason_of(member.list_policies, Filter=SCP)[0] == "AccessDeniedException"


@pytest.mark.parametrize(("kind", "most", "characters"), [(SCP, 10, 10_240), (RCP, 5, 5_120)])
def test_how_many_and_how_long(organizations: Any, kind: str, most: int, characters: int) -> None:
    principal = {"Principal": "*"} if kind == RCP else {}
    statement = deny("s3:GetObject", Sid="", **principal)
    filled = policy({**statement, "Sid": "x" * (characters - len(policy(statement)))})
    assert len(filled) == characters
    names = iter(range(1000))

    def create(content: str) -> str:
        name = f"{kind}-{next(names)}"
        made = organizations.create_policy(Name=name, Description="", Type=kind, Content=content)
        return str(made["Policy"]["PolicySummary"]["Id"])

    ids = [create(filled) for _ in range(most)]
    with pytest.raises(ClientError) as problem:
        create(filled + " ")
    assert problem.value.response["Reason"] == "POLICY_CONTENT_LIMIT_EXCEEDED"
    for policy_id in ids[:-1]:  # the first is full access
        organizations.attach_policy(PolicyId=policy_id, TargetId=DEV)
    too_many = reason_of(organizations.attach_policy, PolicyId=ids[-1], TargetId=DEV)
    assert too_many == ("ConstraintViolationException", "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")


EVERYBODY = {"Principal": "*"}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (SCP, "nonsense"),
        (SCP, "[]"),
        (SCP, json.dumps({"Version": "2012-10-17", "Statement": []})),
        (SCP, json.dumps({"Version": "2008-10-17", "Statement": [deny("sqs:*")]})),
        (SCP, policy(deny("sqs:*", **EVERYBODY))),
        (SCP, policy(deny("sqs:*", NotAction="sns:*"))),
        (SCP, policy({"Effect": "Deny", "Action": "sqs:*"})),
        (SCP, policy(deny("sqs:*", Effect="Forbid"))),
        (SCP, policy(deny("sqs:*", Condition={"StringIs": {"aws:SourceIp": "x"}}))),
        (RCP, policy(deny("sqs:*"))),
        (RCP, policy({**allow("sqs:*"), **EVERYBODY})),
        (RCP, policy(deny("*", **EVERYBODY))),
        (RCP, policy(deny("ec2:*", **EVERYBODY))),
        (RCP, policy({"Effect": "Deny", "Principal": "*", "NotAction": "sqs:*", "Resource": "*"})),
        (RCP, policy(deny("sqs:*", Principal={"AWS": PROD}))),
    ],
)
def test_documents_that_are_no_policies(organizations: Any, kind: str, content: str) -> None:
    with refused("MalformedPolicyDocumentException"):
        organizations.create_policy(Name="x", Description="", Type=kind, Content=content)


def test_policies_are_inherited(shared: World, organizations: Any) -> None:
    put(organizations, unit(shared, "Root/Workloads"), deny("sqs:*"))
    assert denial(shared, PROD).endswith(f"sqs:ListQueues on resource: * {EXPLICIT}")
    assert denial(shared, DEV).endswith(EXPLICIT)
    assert denial(shared, SECURITY) == ""
    organizations.move_account(
        AccountId=DEV,
        SourceParentId=unit(shared, "Root/Workloads/Dev"),
        DestinationParentId=unit(shared, "Root/Security"),
    )
    assert denial(shared, DEV) == ""
    organizations.move_account(
        AccountId=DEV,
        SourceParentId=unit(shared, "Root/Security"),
        DestinationParentId=unit(shared, "Root/Workloads/Dev"),
    )


def test_every_level_has_to_allow(shared: World, organizations: Any) -> None:
    workloads = unit(shared, "Root/Workloads")
    allowing = put(organizations, workloads, allow(["sns:*", "organizations:*"]))
    assert denial(shared, PROD) == ""  # full access is still there
    organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=workloads)
    why = "because no service control policy allows the sqs:ListQueues action"
    assert denial(shared, PROD).endswith(why)
    assert denial(shared, PROD, "sns", "list_topics") == ""
    assert denial(shared, SECURITY) == ""
    organizations.attach_policy(PolicyId="p-FullAWSAccess", TargetId=workloads)
    organizations.detach_policy(PolicyId=allowing, TargetId=workloads)
    assert denial(shared, PROD) == ""


def test_whom_service_control_policies_spare(shared: World, organizations: Any) -> None:
    put(organizations, shared.organization.root_id, deny("*"))
    assert denial(shared, MANAGEMENT) == ""
    assert denial(shared, PROD).endswith(EXPLICIT)
    may = shared.policies.allowed_by_identity
    own = "arn:aws:iam::{}:role/aws-service-role/member.org.stacksets.cloudformation.amazonaws.com/Linked"
    linked, ordinary = (
        role_session(own.format(PROD), "s"),
        role_session(f"arn:aws:iam::{PROD}:role/{ACCESS}", "s"),
    )
    assert shared.policies.refusal(linked, "sqs:ListQueues", "*") != EXPLICIT
    assert may(ordinary, "sqs:ListQueues", "*") is Decision.DENY
    root = shared.client("sqs", PROD, HOME)  # the sandbox's own
    assert "QueueUrls" not in root.list_queues()


def test_what_is_said_of_a_role_that_may_not_be_assumed(shared: World, organizations: Any) -> None:
    put(organizations, PROD, deny("sts:AssumeRole"))
    arn = f"arn:aws:iam::{DEV}:role/{ACCESS}"
    assert denial(shared, PROD, "sts", "assume_role", RoleArn=arn, RoleSessionName="me").endswith(EXPLICIT)


def test_conditions_of_service_control_policies(shared: World, organizations: Any) -> None:
    spared = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::*:role/{ACCESS}"}}
    put(organizations, PROD, deny("sqs:*", Condition=spared))
    assert denial(shared, PROD).endswith(EXPLICIT)
    role = shared.session(PROD, role_name=ACCESS, region=HOME).client("sqs", config=ONCE)
    assert role.list_queues()


def test_roles_of_members_that_services_use_are_bound_too(shared: World, organizations: Any) -> None:
    """An event that is forwarded counts as a request to the Region of the bus that it is for."""
    condition = {"StringNotEquals": {"aws:RequestedRegion": [HOME]}}
    put(organizations, PROD, deny("events:*", Condition=condition))
    forwarder = role_session(f"arn:aws:iam::{PROD}:role/{ACCESS}", "s")
    may = shared.policies.allowed_by_identity
    here, there = (f"arn:aws:events:{region}:{SECURITY}:event-bus/b" for region in (HOME, "us-east-1"))
    assert may(forwarder, "events:PutEvents", here) is Decision.ALLOW
    assert may(forwarder, "events:PutEvents", there) is Decision.DENY


def make_queue(shared: World, account: str, name: str) -> str:
    """A queue that everybody may look at; returns its URL."""
    sqs = shared.session(account, region=HOME).client("sqs")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    made = sqs.create_queue(QueueName=name, Attributes={"Policy": policy(statement)})
    return str(made["QueueUrl"])


def test_resource_control_policies_guard_the_resources_of_members(shared: World, organizations: Any) -> None:
    urls = {account: make_queue(shared, account, "guarded") for account in (PROD, MANAGEMENT)}
    outside = {"StringNotEquals": {"aws:PrincipalAccount": [PROD]}}
    root = shared.organization.root_id
    put(organizations, root, deny("sqs:*", Condition=outside, **EVERYBODY), kind=RCP)
    look: dict[str, Any] = {"AttributeNames": ["QueueArn"]}
    message = denial(shared, DEV, "sqs", "get_queue_attributes", QueueUrl=urls[PROD], **look)
    assert message.endswith("with an explicit deny in a resource control policy")
    assert denial(shared, PROD, "sqs", "get_queue_attributes", QueueUrl=urls[PROD], **look) == ""
    assert denial(shared, DEV, "sqs", "get_queue_attributes", QueueUrl=urls[MANAGEMENT], **look) == ""
    assert denial(shared, DEV, "sns", "list_topics") == ""


def test_services_are_bound_by_resource_control_policies_alone(shared: World, organizations: Any) -> None:
    url = make_queue(shared, PROD, "of-services")
    arn = f"arn:aws:sqs:{HOME}:{PROD}:{url.rsplit('/', 1)[-1]}"
    put(organizations, PROD, deny("sqs:*"))
    sender = service_principal("events.amazonaws.com", PROD)
    refusal = shared.policies.refusal
    assert refusal(sender, "sqs:SendMessage", arn, {"aws:SourceOrgID": ORG}) is None
    deputy = {
        "StringNotEqualsIfExists": {"aws:SourceOrgID": ORG},
        "Bool": {"aws:PrincipalIsAWSService": "true"},
    }
    put(organizations, PROD, deny("sqs:*", Condition=deputy, **EVERYBODY), kind=RCP)
    assert refusal(sender, "sqs:SendMessage", arn, {"aws:SourceOrgID": ORG}) is None
    why = refusal(sender, "sqs:SendMessage", arn, {"aws:SourceOrgID": "o-another"})
    assert why == "with an explicit deny in a resource control policy"


def test_roles_cannot_be_assumed_past_a_resource_control_policy(shared: World, organizations: Any) -> None:
    foreign = {"StringNotEqualsIfExists": {"aws:PrincipalAccount": MANAGEMENT}}
    put(organizations, PROD, deny("sts:AssumeRole", Condition=foreign, **EVERYBODY), kind=RCP)
    arn = f"arn:aws:iam::{PROD}:role/{ACCESS}"
    assert denial(shared, MANAGEMENT, "sts", "assume_role", RoleArn=arn, RoleSessionName="me") == ""
    trust = policy(
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )
    service = service_principal("lambda.amazonaws.com", PROD)
    asked = shared.policies.allowed_by_resource
    assert asked(trust, service, "sts:AssumeRole", arn) is Decision.DENY
    assert asked(trust, service, "sts:AssumeRole", arn.replace(PROD, LOGS)) is Decision.ALLOW


def test_what_resource_control_policies_spare(shared: World, organizations: Any) -> None:
    put(organizations, PROD, deny("kms:*", **EVERYBODY), kind=RCP)
    kms = shared.session(PROD, region=HOME).client("kms", config=ONCE)
    key = f"arn:aws:kms:{HOME}:{PROD}:key/11111111-2222-3333-4444-555555555555"
    admin = role_session(f"arn:aws:iam::{PROD}:role/{ACCESS}", "s")
    assert shared.policies.refusal(admin, "kms:Decrypt", key) is not None
    assert shared.policies.refusal(admin, "kms:RetireGrant", key) is None
    with pytest.raises(ClientError, match="explicit deny in a resource control policy"):
        kms.create_key()


def test_whoever_leaves_is_free_and_comes_back_without_his_own(shared: World, organizations: Any) -> None:
    put(organizations, LOGS, deny("sqs:*"))
    assert denial(shared, LOGS).endswith(EXPLICIT)
    organizations.remove_account_from_organization(AccountId=LOGS)
    assert denial(shared, LOGS) == ""


# As AWS Control Tower writes it, with the services that it frees cut down to those of our stacks.
REGION_DENY = {
    "Sid": "GRREGIONDENY",
    "Effect": "Deny",
    "NotAction": ["budgets:*", "chatbot:*", "cloudtrail:LookupEvents", "config:*", "iam:*", "kms:*", "sts:*"],
    "Resource": "*",
    "Condition": {
        "StringNotEquals": {"aws:RequestedRegion": [R2]},
        "ArnNotLike": {"aws:PrincipalARN": ["arn:aws:iam::*:role/AWSControlTowerExecution"]},
    },
}


def test_a_region_deny_fails_the_stack_instances_there(fleet: Fleet) -> None:
    organizations = fleet.world.session(fleet.world.organization.management_account).client("organizations")
    organizations.enable_policy_type(RootId=fleet.root, PolicyType=SCP)
    put(organizations, fleet.ships, REGION_DENY)
    fleet.create()
    fleet.deploy(FLEET[0], regions=(R1, R2))
    status, detailed, reason = fleet.state(FLEET[0], R1)
    assert (status, detailed) == ("OUTDATED", "FAILED")
    role = fleet.client.describe_stack_set(StackSetName="set")["StackSet"]["ExecutionRoleName"]
    assert role.startswith("stacksets-exec-")
    who = f"arn:aws:sts::{FLEET[0]}:assumed-role/{role}/AWSCloudFormation"
    assert reason.startswith(
        f"User: {who} is not authorized to perform: cloudformation:CreateStack on resource: "
    )
    assert reason.endswith(EXPLICIT)
    assert fleet.state(FLEET[0], R2)[:2] == ("CURRENT", "SUCCEEDED")
    assert fleet.stacks(FLEET[0], R2)
    with pytest.raises(ClientError, match=EXPLICIT):
        fleet.stacks(FLEET[0], R1)
