"""orgmon-base: what everything else needs, in the management account.

The artifact bucket holds function code and templates that are too large to send; its files are named by their
content. The two roles let self-managed stack sets reach the management account itself, which service-managed
ones never do. Without a log archive account the log store is here too.
"""

from __future__ import annotations

from collections.abc import Mapping

from awacs.aws import Bool, StringEquals
from troposphere import GetAtt, Ref, Sub, Template, s3

from orgmon.stacks import base_roles, logs, names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.policy import EVERYBODY, account_root, actions, deny, document, statement


def _build(inputs: Inputs) -> Template:
    parameters = {
        "OrganizationId": "Accounts of this organization may read the templates of their stacks",
        "SecurityAccountId": "The account of the hub, which may read everything",
    }
    if inputs.keeps_logs_itself:
        parameters |= logs.PARAMETERS
    template = new_template("Artifacts and stack set roles of the organization's monitoring", **parameters)
    template.add_resource(_bucket())
    template.add_resource(_bucket_policy())
    base_roles.add(template, inputs.opt_in_regions)
    if inputs.keeps_logs_itself:
        bucket = names.log_bucket(inputs.management_account, inputs.home_region)
        logs.add_log_store(template, bucket, inputs.object_lock_days)
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
    """The hub's template names decoys and its code names owners: members read neither."""
    objects = Sub("${ArtifactBucket.Arn}/*")
    read = actions("s3", "GetObject", "GetObjectVersion")
    return s3.BucketPolicy(
        "ArtifactBucketPolicy",
        Bucket=Ref("ArtifactBucket"),
        PolicyDocument=document(
            statement(
                "OrganizationReads",
                read,
                [Sub(f"${{ArtifactBucket.Arn}}/{names.SHARED_TEMPLATES}/*")],
                EVERYBODY,
                [StringEquals("aws:PrincipalOrgID", Ref("OrganizationId"))],
            ),
            statement("SecurityReads", read, [objects], account_root("${SecurityAccountId}")),
            deny(
                "EncryptedTransportOnly",
                actions("s3", "*"),
                [GetAtt("ArtifactBucket", "Arn"), objects],
                [Bool("aws:SecureTransport", "false")],
            ),
        ),
    )


def _values(inputs: Inputs) -> Mapping[str, str]:
    own = {"OrganizationId": inputs.organization_id, "SecurityAccountId": inputs.security_account}
    return {**logs.values(inputs), **own} if inputs.keeps_logs_itself else own


STACK = StackDefinition(
    "orgmon-base",
    Placement(Who.MANAGEMENT, Where.HOME),
    "artifacts and the roles of self-managed stack sets",
    _build,
    _values,
    has_iam=True,
)
