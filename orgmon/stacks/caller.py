"""The least that IAM has to allow whoever runs a command: the calls that orgmon makes itself.

What CloudFormation does besides with the caller's rights is in ``caller_stacks``. Which actions an API call needs, and
which resources each takes: Service Authorization Reference, "CloudFormation", "S3", "Organizations", "SNS". Of note
there: CreateStackSet and ListStackSets take no resource, and what starts an operation on a stack set is also checked
against its targets and the types of its resources.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from awacs.aws import PolicyDocument, Statement, StringEquals
from troposphere import encode_to_dict

from orgmon.alerting import ALERTING
from orgmon.stacks import caller_stacks, names
from orgmon.stacks.definition import Inputs, StackDefinition
from orgmon.stacks.policy import actions, document, statement
from orgmon.stacks.purpose import Caller, Purpose
from orgmon.stacks.table import STACKS
from orgmon.stackset import MANAGEMENT_SUFFIX

# The role that CloudFormation takes for a self-managed stack set that names none (user guide, "Grant self-managed
# permissions").
DEFAULT_ADMINISTRATION_ROLE = "AWSCloudFormationStackSetAdministrationRole"

READ_ORGANIZATION = "DescribeOrganization ListAccountsForParent ListOrganizationalUnitsForParent ListRoots"
READ_STACK_SETS = "DescribeStackSet ListStackInstances ListStackSetOperations"
WATCH_OPERATIONS = "DescribeStackSetOperation ListStackSetOperationResults"
CHANGE_STACK_SETS = (
    "CreateStackInstances DeleteStackInstances DeleteStackSet ImportStacksToStackSet TagResource UntagResource "
    "UpdateStackSet"
)
DELETE_STACK_SETS = "DeleteStackInstances DeleteStackSet UpdateStackSet"
READ_STACKS = "DescribeStacks GetTemplate"
CHANGE_STACKS = (
    "CreateChangeSet DeleteChangeSet DeleteStack DescribeChangeSet DescribeStackEvents ExecuteChangeSet "
    "TagResource UntagResource"
)
DELETE_STACKS = "DeleteStack DescribeStackEvents"
# CloudFormation reads a template that is given by URL with the caller's rights.
WRITE_OBJECTS = "DeleteObject DeleteObjectVersion GetObject GetObjectVersion PutObject"
EMPTY_BUCKET = "DeleteObject DeleteObjectVersion"
CHANGES = (Purpose.DEPLOY, Purpose.DESTROY)


@dataclass(frozen=True)
class Asked:
    """Whose policy is wanted and for what.

    ``delegates``: there is a delegated administrator who makes the service-managed calls. ``self_managed``: the
    members' stack sets are self-managed. ``by_tags``: accounts are selected by their tags.
    """

    purpose: Purpose
    caller: Caller
    inputs: Inputs
    access_role: str
    delegates: bool = False
    self_managed: bool = False
    by_tags: bool = False

    @property
    def is_management(self) -> bool:
        """True for the policy of the caller in the management account."""
        return self.caller is Caller.MANAGEMENT

    @property
    def changes(self) -> bool:
        """True where the command changes something."""
        return self.purpose in CHANGES

    def arn(self, service: str, rest: str, account: str | None = None, region: str | None = None) -> str:
        """An ARN; of the management account and the home Region unless another is named."""
        given = self.inputs
        account = given.management_account if account is None else account
        region = given.home_region if region is None else region
        return f"arn:{given.partition}:{service}:{region}:{account}:{rest}"


def policy(asked: Asked) -> dict[str, Any]:
    """The identity policy as plain dictionaries and lists, ready for IAM."""
    made: PolicyDocument = document(*(_of_management(asked) if asked.is_management else _of_delegate(asked)))
    content = encode_to_dict(made)
    assert isinstance(content, dict)
    return content


def _of_management(asked: Asked) -> Iterator[Statement]:
    tags = " ListTagsForResource" if asked.by_tags else ""
    yield statement("ReadOrganization", actions("organizations", *(READ_ORGANIZATION + tags).split()), ["*"])
    yield from _stack_sets(asked)
    yield from _stacks(asked)
    yield from _artifacts(asked)
    yield from _topics(asked)
    if _looks_for_kept_logs(asked):
        role = asked.arn("iam", f"role/{asked.access_role}", asked.inputs.log_archive_account, "")
        yield statement("FindKeptLogs", actions("sts", "AssumeRole"), [role])
    if asked.purpose is Purpose.DEPLOY:
        yield from _stack_set_roles(asked)
    if asked.changes:
        yield from caller_stacks.statements(asked.inputs, asked.arn, removes=asked.purpose is Purpose.DESTROY)


def _of_delegate(asked: Asked) -> Iterator[Statement]:
    """CloudFormation asks with the caller's rights whether he is a delegated administrator at all.

    Templates that are too large to send lie in the management account's bucket, whose policy lets his account read.
    """
    yield statement("ProveDelegation", actions("organizations", "ListDelegatedAdministrators"), ["*"])
    yield from _stack_sets(asked)
    if asked.purpose is Purpose.DEPLOY:
        read = actions("s3", "GetObject", "GetObjectVersion")
        yield statement("ReadTemplates", read, [f"{_artifact_bucket(asked.inputs)}/*"])


def _stack_sets(asked: Asked) -> Iterator[Statement]:
    """The stack sets whose calls the caller makes: all, or those that the other of two callers does not."""
    yield statement("ListStackSets", actions("cloudformation", "ListStackSets"), ["*"])
    watched = f" {WATCH_OPERATIONS}" if asked.changes else ""
    read = [_stack_set(asked, name) for name in _looked_at(asked)]
    yield statement("ReadStackSets", actions("cloudformation", *(READ_STACK_SETS + watched).split()), read)
    if not asked.changes:
        return
    if asked.purpose is Purpose.DEPLOY:
        yield statement("CreateStackSets", actions("cloudformation", "CreateStackSet"), ["*"])
    account = None if asked.is_management else "*"
    resources = [
        *(_stack_set(asked, name) for name in _named(asked)),
        *(asked.arn("cloudformation", f"stackset-target/{name}:*", account) for name in _looked_at(asked)),
        asked.arn("cloudformation", "type/resource/*", "*"),
    ]
    change = CHANGE_STACK_SETS if asked.purpose is Purpose.DEPLOY else DELETE_STACK_SETS
    yield statement("ChangeStackSets", actions("cloudformation", *change.split()), resources)


def _stack_set(asked: Asked, name: str) -> str:
    """A delegated administrator's stack sets are the management account's: his policy leaves the account open."""
    return asked.arn("cloudformation", f"stackset/{name}:*", None if asked.is_management else "*")


def _looked_at(asked: Asked) -> tuple[str, ...]:
    """What orgmon takes for its own: its prefix, and the neutral names."""
    return (f"{names.PREFIX}-*", *asked.inputs.neutral_names.values())


def _named(asked: Asked) -> Iterator[str]:
    """The names of the stack sets that the caller changes, also of those that are not wanted at the moment."""
    for definition in STACKS:
        if definition.placement.is_plain or not _has_name(definition, asked.inputs):
            continue
        name = definition.name_in(asked.inputs)
        if not (asked.is_management and asked.delegates and not asked.self_managed):
            yield name
        if asked.is_management and definition.placement.covers_members:
            yield f"{name}{MANAGEMENT_SUFFIX}"


def _has_name(definition: StackDefinition, given: Inputs) -> bool:
    return not definition.is_neutral or definition.name in given.neutral_names


def _stacks(asked: Asked) -> Iterator[Statement]:
    plain = [definition.name for definition in STACKS if definition.placement.is_plain]
    stacks = [asked.arn("cloudformation", f"stack/{name}/*") for name in plain]
    yield statement("ReadStacks", actions("cloudformation", *READ_STACKS.split()), stacks)
    if asked.changes:
        change = CHANGE_STACKS if asked.purpose is Purpose.DEPLOY else DELETE_STACKS
        sets = [asked.arn("cloudformation", f"changeSet/{names.PREFIX}-*")]
        resources = [*stacks, *(sets if asked.purpose is Purpose.DEPLOY else [])]
        yield statement("ChangeStacks", actions("cloudformation", *change.split()), resources)


def _artifacts(asked: Asked) -> Iterator[Statement]:
    bucket = _artifact_bucket(asked.inputs)
    look = "ListBucket ListBucketVersions" if asked.changes else "ListBucket"
    yield statement("ListArtifacts", actions("s3", *look.split()), [bucket])
    if asked.changes:
        change = WRITE_OBJECTS if asked.purpose is Purpose.DEPLOY else EMPTY_BUCKET
        yield statement("ChangeArtifacts", actions("s3", *change.split()), [f"{bucket}/*"])


def _artifact_bucket(given: Inputs) -> str:
    name = names.artifact_bucket(given.management_account, given.home_region)
    return f"arn:{given.partition}:s3:::{name}"


def _topics(asked: Asked) -> Iterator[Statement]:
    """The topics' own policies let the management account in; its callers need both."""
    if asked.purpose is Purpose.DESTROY:
        return
    topics = (*(names.topic(severity) for severity in ALERTING), names.PIPELINE_TOPIC)
    arns = [asked.arn("sns", topic, asked.inputs.security_account) for topic in topics]
    yield statement("ReadSubscriptions", actions("sns", "ListSubscriptionsByTopic"), arns)
    if asked.purpose is Purpose.DEPLOY:
        yield statement("Subscribe", actions("sns", "Subscribe"), arns)


def _looks_for_kept_logs(asked: Asked) -> bool:
    """Only what plans to build looks for log stacks that an earlier destroy kept."""
    given = asked.inputs
    elsewhere = not given.keeps_logs_itself and not given.existing_log_group
    return elsewhere and asked.purpose in (Purpose.PLAN, Purpose.DEPLOY)


def _stack_set_roles(asked: Asked) -> Iterator[Statement]:
    """A caller who makes self-managed stack sets passes their administration role to CloudFormation."""
    roles = [asked.arn("iam", f"role{names.PATH}{names.ADMINISTRATION_ROLE}", region="")]
    if asked.self_managed:
        roles.append(asked.arn("iam", f"role/{DEFAULT_ADMINISTRATION_ROLE}", region=""))
    to_cloudformation = [StringEquals("iam:PassedToService", "cloudformation.amazonaws.com")]
    yield statement("PassStackSetRoles", actions("iam", "PassRole"), roles, None, to_cloudformation)
    yield statement("SeeStackSetRoles", actions("iam", "GetRole"), roles)
