"""orgmon-base: what everything else needs, in the management account.

The artifact bucket holds function code and templates that are too large to send; its files are named by their
content. The two roles let self-managed stack sets reach the management account itself, which service-managed
ones never do. Without a log archive account the log store is here too.
"""

from __future__ import annotations

from collections.abc import Mapping

from awacs.aws import ArnEquals, Bool, StringEquals
from troposphere import GetAtt, Ref, Sub, Template, iam, s3

from orgmon.stacks import logs, names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, new_template
from orgmon.stacks.policy import (
    ACCOUNT_ROOT,
    EVERYBODY,
    actions,
    deny,
    document,
    service,
    statement,
    trust,
)


def _build(inputs: Inputs) -> Template:
    parameters = {"OrganizationId": "Accounts of this organization may read artifacts"}
    if inputs.keeps_logs_itself:
        parameters |= logs.PARAMETERS
    template = new_template("Artifacts and stack set roles of the organization's monitoring", **parameters)
    template.add_resource(_bucket())
    template.add_resource(_bucket_policy())
    template.add_resource(_administration_role())
    template.add_resource(_execution_role())
    if inputs.keeps_logs_itself:
        logs.add_log_store(template)
    return template


def _bucket() -> s3.Bucket:
    return s3.Bucket(
        "ArtifactBucket",
        BucketName=Sub(names.artifact_bucket("${AWS::AccountId}", "${AWS::Region}")),
        # Templates are given by a pinned version, so that a rollback finds what it had.
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        BucketEncryption=s3.BucketEncryption(
            ServerSideEncryptionConfiguration=[
                s3.ServerSideEncryptionRule(
                    ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
                )
            ]
        ),
    )


def _bucket_policy() -> s3.BucketPolicy:
    objects = Sub("${ArtifactBucket.Arn}/*")
    return s3.BucketPolicy(
        "ArtifactBucketPolicy",
        Bucket=Ref("ArtifactBucket"),
        PolicyDocument=document(
            statement(
                "OrganizationReads",
                actions("s3", "GetObject", "GetObjectVersion"),
                [objects],
                EVERYBODY,
                [StringEquals("aws:PrincipalOrgID", Ref("OrganizationId"))],
            ),
            deny(
                "EncryptedTransportOnly",
                actions("s3", "*"),
                [GetAtt("ArtifactBucket", "Arn"), objects],
                [Bool("aws:SecureTransport", "false")],
            ),
        ),
    )


def _administration_role() -> iam.Role:
    execution = Sub(
        f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{names.PATH}{names.EXECUTION_ROLE}"
    )
    return iam.Role(
        "AdministrationRole",
        RoleName=names.ADMINISTRATION_ROLE,
        Path=names.PATH,
        AssumeRolePolicyDocument=trust(
            service("cloudformation"), StringEquals("aws:SourceAccount", Ref("AWS::AccountId"))
        ),
        Policies=[
            iam.Policy(
                PolicyName="assume-execution-role",
                PolicyDocument=document(
                    statement("AssumeExecutionRole", actions("sts", "AssumeRole"), [execution])
                ),
            )
        ],
    )


def _execution_role() -> iam.Role:
    administration = Sub(
        f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{names.PATH}{names.ADMINISTRATION_ROLE}"
    )
    return iam.Role(
        "ExecutionRole",
        RoleName=names.EXECUTION_ROLE,
        Path=names.PATH,
        # The account is trusted and the role is a condition: a principal must exist when a policy is saved.
        AssumeRolePolicyDocument=trust(ACCOUNT_ROOT, ArnEquals("aws:PrincipalArn", administration)),
        Policies=[iam.Policy(PolicyName="deploy-member-stacks", PolicyDocument=_execution_policy())],
    )


def _execution_policy() -> object:
    """What the member stacks of the management account consist of, and nothing else."""
    own = "arn:${AWS::Partition}"
    return document(
        statement(
            "Stacks",
            actions("cloudformation", "*"),
            [Sub(f"{own}:cloudformation:*:${{AWS::AccountId}}:stack/StackSet-{names.PREFIX}-*")],
        ),
        statement(
            "Role",
            actions(
                "iam", "CreateRole", "DeleteRole", "GetRole", "GetRolePolicy", "PutRolePolicy",
                "DeleteRolePolicy", "UpdateAssumeRolePolicy", "UpdateRole", "TagRole", "UntagRole", "PassRole",
            ),
            [Sub(f"{own}:iam::${{AWS::AccountId}}:role{names.PATH}{names.FORWARD_ROLE}")],
        ),
        statement(
            "Rules",
            actions(
                "events", "PutRule", "DeleteRule", "DescribeRule", "PutTargets", "RemoveTargets",
                "ListTargetsByRule", "EnableRule", "DisableRule", "TagResource", "UntagResource",
            ),
            [Sub(f"{own}:events:*:${{AWS::AccountId}}:rule/{names.PREFIX}-*")],
        ),
        statement(
            "LogGroup",
            actions(
                "logs", "CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy",
                "PutMetricFilter", "DeleteMetricFilter", "DescribeMetricFilters", "TagResource",
                "UntagResource", "ListTagsForResource",
            ),
            [Sub(f"{own}:logs:*:${{AWS::AccountId}}:log-group:{names.LOCAL_LOG_GROUP}*")],
        ),
        statement(
            "LogGroupsAndPolicies",
            # These actions know no resources.
            actions(
                "logs", "DescribeLogGroups", "PutResourcePolicy", "DeleteResourcePolicy",
                "DescribeResourcePolicies",
            ),
            ["*"],
        ),
        statement(
            "Alarms",
            actions(
                "cloudwatch", "PutMetricAlarm", "DeleteAlarms", "DescribeAlarms", "TagResource",
                "UntagResource", "ListTagsForResource",
            ),
            [Sub(f"{own}:cloudwatch:*:${{AWS::AccountId}}:alarm:{names.PREFIX}-*")],
        ),
    )  # fmt: skip


def _values(inputs: Inputs) -> Mapping[str, str]:
    own = {"OrganizationId": inputs.organization_id}
    return {**logs.values(inputs), **own} if inputs.keeps_logs_itself else own


STACK = StackDefinition(
    "orgmon-base",
    Placement.MANAGEMENT,
    "artifacts and the roles of self-managed stack sets",
    _build,
    _values,
    has_iam=True,
)
