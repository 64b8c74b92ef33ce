"""What CloudFormation does with the caller's rights on the two plain stacks, orgmon-base and orgmon-trail.

It has no role of its own there, so the caller needs what the handlers of their resources call. Which calls those are
stands in the schemas of the resource types; which of them take a resource, in the Service Authorization Reference.
What outlives its stack (log group, log bucket, key and alias) is never deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from awacs.aws import Statement, StringEquals

from orgmon.stacks import base_roles, names
from orgmon.stacks.definition import Inputs
from orgmon.stacks.policy import actions, statement
from orgmon.stacks.trail import log_group_name

Arn = Callable[..., str]
"""Makes an ARN of a service and a rest, in the management account and the home Region unless another is named."""

# Each list first for whoever creates and changes, then for whoever only deletes.
ON_BUCKETS = (
    "CreateBucket DeleteBucketPolicy GetBucket* GetAccelerateConfiguration GetAnalyticsConfiguration "
    "GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration "
    "GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket ListTagsForResource "
    "PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock "
    "PutBucketTagging PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration TagResource "
    "UntagResource"
)
OFF_BUCKETS = "DeleteBucketPolicy GetBucketPolicy ListBucket"
ON_ROLES = base_roles.ON_ROLE.replace("PassRole ", "")
OFF_ROLES = "DeleteRole DeleteRolePolicy GetRole ListAttachedRolePolicies ListRolePolicies TagRole UntagRole"
ON_TRAIL = (
    "AddTags CreateTrail DeleteTrail GetEventConfiguration GetEventSelectors GetInsightSelectors GetTrail "
    "GetTrailStatus ListTags RemoveTags StartLogging StopLogging UpdateTrail"
)
OFF_TRAIL = "DeleteTrail GetTrail"
ON_LOG_GROUP = (
    "CreateLogGroup DeleteRetentionPolicy DescribeIndexPolicies GetDataProtectionPolicy ListTagsForResource "
    "PutRetentionPolicy TagResource UntagResource"
)
ON_ALL_LOGS = "DescribeLogGroups DescribeResourcePolicies"
ON_FILTERS = "DeleteMetricFilter DescribeMetricFilters PutMetricFilter"
OFF_FILTERS = "DeleteMetricFilter DescribeMetricFilters"
OFF_ALARMS = "DeleteAlarms DescribeAlarms"
ON_KEY = (
    "DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus "
    "ListResourceTags PutKeyPolicy TagResource UntagResource UpdateKeyDescription"
)
# What CreateTrail and UpdateTrail ask for an organization (CloudTrail user guide, "Prepare for creating a trail for
# your organization").
ON_ORGANIZATION = "DescribeOrganization ListAWSServiceAccessForOrganization ListAccounts"
CLOUDTRAIL = "cloudtrail.amazonaws.com"


def statements(given: Inputs, arn: Arn, *, removes: bool) -> Iterator[Statement]:
    """The statements for both stacks; with ``removes`` only what deleting them takes."""
    yield from _base(given, arn, removes)
    yield from _trail(given, arn, removes)
    if not given.existing_log_group:
        yield from _own_trail(given, arn, removes)
    if given.keeps_logs_itself and not given.key_arn and not removes:
        yield from _key(arn)


def _base(given: Inputs, arn: Arn, removes: bool) -> Iterator[Statement]:
    account, region = given.management_account, given.home_region
    buckets = [names.artifact_bucket(account, region)]
    if given.keeps_logs_itself:
        buckets.append(names.log_bucket(account, region))
    listed = [f"arn:{given.partition}:s3:::{bucket}" for bucket in buckets]
    yield statement("Buckets", actions("s3", *(OFF_BUCKETS if removes else ON_BUCKETS).split()), listed)
    yield statement("ArtifactBucket", actions("s3", "DeleteBucket"), listed[:1])
    roles = [
        arn("iam", f"role{names.PATH}{names.ADMINISTRATION_ROLE}", region=""),
        arn("iam", f"role{names.EXECUTION_ROLE_PATH}{names.EXECUTION_ROLE}", region=""),
    ]
    if not given.existing_log_group:
        roles.append(_trail_role(arn))
    yield statement("Roles", actions("iam", *(OFF_ROLES if removes else ON_ROLES).split()), roles)


def _trail_role(arn: Arn) -> str:
    return arn("iam", f"role{names.PATH}{names.TRAIL_ROLE}", region="")


def _trail(given: Inputs, arn: Arn, removes: bool) -> Iterator[Statement]:
    """Filters and alarms, which are there whoever has made the trail."""
    group = arn("logs", f"log-group:{log_group_name(given)}")
    filters = (OFF_FILTERS if removes else ON_FILTERS).split()
    yield statement("Filters", actions("logs", *filters), [group, f"{group}:*"])
    alarms = (OFF_ALARMS if removes else base_roles.ON_ALARMS).split()
    yield statement("Alarms", actions("cloudwatch", *alarms), [arn("cloudwatch", f"alarm:{names.PREFIX}-*")])


def _own_trail(given: Inputs, arn: Arn, removes: bool) -> Iterator[Statement]:
    trail = [arn("cloudtrail", f"trail/{given.trail_name}")]
    yield statement("Trail", actions("cloudtrail", *(OFF_TRAIL if removes else ON_TRAIL).split()), trail)
    if removes:
        return
    yield statement("AllTrails", actions("cloudtrail", "DescribeTrails"), ["*"])
    group = arn("logs", f"log-group:{log_group_name(given)}")
    yield statement("LogGroup", actions("logs", *ON_LOG_GROUP.split()), [group, f"{group}:*"])
    yield statement("AllLogs", actions("logs", *ON_ALL_LOGS.split()), ["*"])
    to_cloudtrail = [StringEquals("iam:PassedToService", CLOUDTRAIL)]
    yield statement("PassTrailRole", actions("iam", "PassRole"), [_trail_role(arn)], None, to_cloudtrail)
    yield statement("TrailOfOrganization", actions("organizations", *ON_ORGANIZATION.split()), ["*"])
    linked = [arn("iam", f"role/aws-service-role/{CLOUDTRAIL}/*", region="")]
    yield statement("SeeLinkedRole", actions("iam", "GetRole"), linked)
    by_cloudtrail = [StringEquals("iam:AWSServiceName", CLOUDTRAIL)]
    yield statement("LinkedRole", actions("iam", "CreateServiceLinkedRole"), linked, None, by_cloudtrail)


def _key(arn: Arn) -> Iterator[Statement]:
    """A key has no name before it is there: the policy leaves open which."""
    key, alias = arn("kms", "key/*"), arn("kms", names.LOGS_KEY_ALIAS)
    yield statement("AllKeys", actions("kms", "CreateKey", "ListAliases"), ["*"])
    yield statement("Key", actions("kms", *ON_KEY.split()), [key])
    yield statement("Alias", actions("kms", "CreateAlias", "UpdateAlias"), [key, alias])
