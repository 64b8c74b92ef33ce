"""The metric filters of the CIS AWS Foundations Benchmark, in the texts that auditors' tools look for.

AWS Security Hub (controls CloudWatch.1 to .14) accepts no other text, not even with further fields, so these stand
beside orgmon's own detections and are not compiled from them. Source: AWS Security Hub user guide, "Amazon CloudWatch
controls"; numbers of CIS v1.4 to v5.0 (4.n; v6 and v7 have 5.n). 4.15 is in no Security Hub control and is the
benchmark's own list of calls.

Where a published text is wider or narrower than the detection of ours that serves the same control, it says
in what; ``tests/test_cis.py`` holds each to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CisFilter:
    """One control: its number, the filter that is asked for, and our detection for the same.

    ``narrower`` and ``wider`` say what the text misses and what it takes besides, compared with the detection; both
    empty where they mean the same.
    """

    number: str
    name: str
    pattern: str
    detection: str
    narrower: str = ""
    wider: str = ""

    @property
    def id(self) -> str:
        """The name of filter, metric and alarm, such as ``cis-4.1-unauthorized-api-calls``."""
        return f"cis-{self.number}-{self.name}"


def _any_of(names: str, form: str = "($.eventName={})") -> str:
    """A list of event names; the benchmark does not write all in one form."""
    return " || ".join(form.format(name) for name in names.split())


FILTERS: Sequence[CisFilter] = (
    CisFilter(
        "4.1",
        "unauthorized-api-calls",
        '{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}',
        "unauthorized-call-burst",
        wider="counts the denied calls of AWS's own services, and alarms on a single one: ours counts bursts",
    ),
    CisFilter(
        "4.2",
        "console-sign-in-without-mfa",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && '
        '($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
        "console-sign-in-without-mfa",
        narrower="!= is false where the field is missing: a sign-in whose record has no MFAUsed is not counted",
    ),
    CisFilter(
        "4.3",
        "root-use",
        '{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && '
        '$.eventType !="AwsServiceEvent"}',
        "root-use",
        narrower="!= is false where the field is missing: a record without eventType is not counted",
    ),
    CisFilter(
        "4.4",
        "iam-policy-changes",
        "{"
        + _any_of(
            "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy "
            "CreatePolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy "
            "AttachUserPolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy"
        )
        + "}",
        "iam-policy-change",
        narrower="misses SetDefaultPolicyVersion and permissions boundaries",
        wider="names no event source: DeletePolicy of Auto Scaling counts too; refused calls and rollouts count",
    ),
    CisFilter(
        "4.5",
        "cloudtrail-changes",
        "{" + _any_of("CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging") + "}",
        "trail-tampering",
        narrower="misses PutEventSelectors, PutInsightSelectors and event data stores",
        wider="counts CreateTrail and StartLogging, which weaken nothing, and rollouts",
    ),
    CisFilter(
        "4.6",
        "console-authentication-failures",
        '{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}',
        "failed-sign-ins",
        narrower="misses failures with another message, such as those of a second factor",
        wider="names no event source",
    ),
    CisFilter(
        "4.7",
        "key-disabled-or-deletion-scheduled",
        "{($.eventSource=kms.amazonaws.com) && (" + _any_of("DisableKey ScheduleKeyDeletion") + ")}",
        "kms-key-disabled",
        narrower="misses the deletion of imported key material",
        wider="counts calls that failed for other reasons than a refusal",
    ),
    CisFilter(
        "4.8",
        "s3-bucket-policy-changes",
        "{($.eventSource=s3.amazonaws.com) && ("
        + _any_of(
            "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication "
            "DeleteBucketPolicy DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication"
        )
        + ")}",
        "s3-bucket-policy-change",
        narrower="misses public access blocks, ownership controls and access points",
        wider="counts refused calls too",
    ),
    CisFilter(
        "4.9",
        "config-changes",
        "{($.eventSource=config.amazonaws.com) && ("
        + _any_of(
            "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder"
        )
        + ")}",
        "config-change",
        narrower="misses DeleteConfigurationRecorder and the retention",
        wider="counts refused calls and rollouts too",
    ),
    CisFilter(
        "4.10",
        "security-group-changes",
        "{"
        + _any_of(
            "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress "
            "RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup"
        )
        + "}",
        "security-group-change",
        narrower="misses ModifySecurityGroupRules and groups shared between VPCs",
        wider="names no event source; refused calls count too",
    ),
    CisFilter(
        "4.11",
        "network-acl-changes",
        "{"
        + _any_of(
            "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry "
            "ReplaceNetworkAclEntry ReplaceNetworkAclAssociation"
        )
        + "}",
        "network-acl-change",
        wider="names no event source; refused calls count too",
    ),
    CisFilter(
        "4.12",
        "network-gateway-changes",
        "{"
        + _any_of(
            "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway "
            "DeleteInternetGateway DetachInternetGateway"
        )
        + "}",
        "gateway-change",
        narrower="misses NAT, egress-only, VPN and transit gateways",
        wider="names no event source; refused calls count too",
    ),
    CisFilter(
        "4.13",
        "route-table-changes",
        "{"
        + _any_of(
            "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable "
            "DeleteRoute DisassociateRouteTable"
        )
        + "}",
        "route-table-change",
        narrower="misses AssociateRouteTable and the routes of transit gateways",
        wider="names no event source; refused calls count too",
    ),
    CisFilter(
        "4.14",
        "vpc-changes",
        "{"
        + _any_of(
            "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection "
            "DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc DetachClassicLinkVpc "
            "DisableVpcClassicLink EnableVpcClassicLink"
        )
        + "}",
        "vpc-change",
        narrower="misses address blocks and the options of peerings",
        wider="names no event source; refused calls count too",
    ),
    CisFilter(
        "4.15",
        "organizations-changes",
        "{ ($.eventSource = organizations.amazonaws.com) && ("
        + _any_of(
            "AcceptHandshake AttachPolicy CancelHandshake CreateAccount CreateOrganization CreateOrganizationalUnit "
            "CreatePolicy DeclineHandshake DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy "
            "DisablePolicyType EnableAllFeatures EnablePolicyType InviteAccountToOrganization LeaveOrganization "
            "MoveAccount RemoveAccountFromOrganization UpdatePolicy UpdateOrganizationalUnit",
            '($.eventName = "{}")',
        )
        + ") }",
        "organizations-change",
        narrower="misses trusted access, delegated administrators and closed accounts",
        wider="counts policy changes and accounts that leave, which are detections of their own here; refused calls",
    ),
)
