"""The two roles with which self-managed stack sets reach the management account itself.

Source: CloudFormation user guide, "Grant self-managed permissions": the execution role needs all of CloudFormation
and S3, whatever the template; opt-in Regions have a principal of their own.
"""

from __future__ import annotations

from collections.abc import Iterable

from awacs.aws import ArnEquals, PolicyDocument, StringEquals
from troposphere import Ref, Sub, Template, iam

from orgmon.stacks import names
from orgmon.stacks.policy import ACCOUNT_ROOT, actions, document, service, statement, trust

OWN = "arn:${AWS::Partition}"
# What CloudFormation's handlers call for the resources of the member stacks, by the resources that they are
# called on. Which calls those are stands in the schemas of the resource types.
ON_ROLE = (
    "CreateRole DeleteRole DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies "
    "PassRole PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription"
)
ON_RULES = (
    "DeleteRule DescribeRule DisableRule EnableRule ListTagsForResource ListTargetsByRule PutRule PutTargets "
    "RemoveTargets TagResource UntagResource"
)
ON_LOG_GROUP = (
    "CreateLogGroup DeleteLogGroup DeleteMetricFilter DeleteRetentionPolicy DescribeIndexPolicies "
    "DescribeMetricFilters GetDataProtectionPolicy ListTagsForResource PutMetricFilter PutResourcePolicy "
    "PutRetentionPolicy TagResource UntagResource"
)
# These know no resources.
ON_ALL_LOGS = "DeleteResourcePolicy DescribeLogGroups DescribeResourcePolicies PutResourcePolicy"
ON_ALARMS = "DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource"


def add(template: Template, opt_in_regions: Iterable[str]) -> None:
    """Add the administration role, which opt-in Regions use as well, and the execution role."""
    template.add_resource(_administration_role(opt_in_regions))
    template.add_resource(_execution_role())


def _arn(name: str, path: str = names.PATH) -> Sub:
    return Sub(f"{OWN}:iam::${{AWS::AccountId}}:role{path}{name}")


def _administration_role(opt_in_regions: Iterable[str]) -> iam.Role:
    execution = _arn(names.EXECUTION_ROLE, names.EXECUTION_ROLE_PATH)
    assume = statement("AssumeExecutionRole", actions("sts", "AssumeRole"), [execution])
    regional = (f"cloudformation.{region}" for region in opt_in_regions)
    return iam.Role(
        "AdministrationRole",
        RoleName=names.ADMINISTRATION_ROLE,
        Path=names.PATH,
        AssumeRolePolicyDocument=trust(
            service("cloudformation", *regional), StringEquals("aws:SourceAccount", Ref("AWS::AccountId"))
        ),
        Policies=[iam.Policy(PolicyName="assume-execution-role", PolicyDocument=document(assume))],
    )


def _execution_role() -> iam.Role:
    return iam.Role(
        "ExecutionRole",
        RoleName=names.EXECUTION_ROLE,
        Path=names.EXECUTION_ROLE_PATH,
        # The account is trusted and the role is a condition: a principal must exist when a policy is saved.
        AssumeRolePolicyDocument=trust(
            ACCOUNT_ROOT, ArnEquals("aws:PrincipalArn", _arn(names.ADMINISTRATION_ROLE))
        ),
        Policies=[iam.Policy(PolicyName="deploy-member-stacks", PolicyDocument=_execution_policy())],
    )


def _execution_policy() -> PolicyDocument:
    """What StackSets itself needs, and what the member stacks of the management account consist of."""
    here = "*:${AWS::AccountId}"
    rules = Sub(f"{OWN}:events:{here}:rule/{names.PREFIX}-*")
    log_group = Sub(f"{OWN}:logs:{here}:log-group:{names.LOCAL_LOG_GROUP}*")
    alarms = Sub(f"{OWN}:cloudwatch:{here}:alarm:{names.PREFIX}-*")
    return document(
        statement("StackSets", [*actions("cloudformation", "*"), *actions("s3", "*")], ["*"]),
        statement("Role", actions("iam", *ON_ROLE.split()), [_arn(names.FORWARD_ROLE)]),
        statement("Rules", actions("events", *ON_RULES.split()), [rules]),
        statement("LogGroup", actions("logs", *ON_LOG_GROUP.split()), [log_group]),
        statement("AllLogs", actions("logs", *ON_ALL_LOGS.split()), ["*"]),
        statement("Alarms", actions("cloudwatch", *ON_ALARMS.split()), [alarms]),
    )
