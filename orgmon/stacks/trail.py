"""orgmon-trail: the organization trail in the management account, and what is counted on its log group.

All events of all accounts and Regions arrive in one log group (CloudTrail user guide, "multi-Region trails"),
so the filters and alarms of flow 1 are here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from troposphere import GetAtt, Ref, Sub, Template, cloudtrail, iam
from troposphere import logs as log_groups

from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.model import Detection, MetricFilter
from orgmon.detections.quotas import check_log_group, is_counted_centrally
from orgmon.stacks import names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.metrics import Place, cis_filter_and_alarm, filters_and_alarm, in_lanes
from orgmon.stacks.policy import actions, document, service, statement, trust


def _build(inputs: Inputs) -> Template:
    parameters = {"SecurityAccountId": "The account of the alert topics"}
    if not inputs.existing_log_group:
        parameters |= {
            "OrganizationId": "The organization that the trail records",
            "TrailName": "The name of the trail",
            "LogBucketName": "The bucket that the trail delivers to",
            "LogKeyArn": "The key that the trail encrypts with",
            "RetentionDays": "How long the log group keeps events",
        }
    template = new_template("The organization trail, and alarms on what it records", **parameters)
    if not inputs.existing_log_group:
        _add_trail(template, log_group_name(inputs))
    _add_alarms(template, inputs)
    return template


def log_group_name(inputs: Inputs) -> str:
    """The trail's log group. A literal in the template: only those are adopted after they were retained."""
    return inputs.existing_log_group or names.trail_log_group(inputs.trail_name)


def _add_trail(template: Template, log_group: str) -> None:
    template.add_resource(
        log_groups.LogGroup(
            "TrailLogGroup",
            LogGroupName=log_group,
            RetentionInDays=Ref("RetentionDays"),
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
        )
    )
    template.add_resource(_role(log_group))
    template.add_resource(
        cloudtrail.Trail(
            "Trail",
            TrailName=Ref("TrailName"),
            S3BucketName=Ref("LogBucketName"),
            KMSKeyId=Ref("LogKeyArn"),
            CloudWatchLogsLogGroupArn=GetAtt("TrailLogGroup", "Arn"),
            CloudWatchLogsRoleArn=GetAtt("TrailRole", "Arn"),
            # The defaults of the API are a single Region and no validation: each is said here.
            IsLogging=True,
            IsOrganizationTrail=True,
            IsMultiRegionTrail=True,
            IncludeGlobalServiceEvents=True,
            EnableLogFileValidation=True,
        )
    )


def _role(log_group: str) -> iam.Role:
    """CloudTrail's role: streams of the own account and of the organization's members (``o-..._*``)."""
    group = f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{log_group}"
    streams = [
        Sub(f"{group}:log-stream:${{AWS::AccountId}}_CloudTrail_${{AWS::Region}}*"),
        Sub(f"{group}:log-stream:${{OrganizationId}}_*"),
    ]
    return iam.Role(
        "TrailRole",
        RoleName=names.TRAIL_ROLE,
        Path=names.PATH,
        # No condition: that CloudTrail tells its trail with this call is documented nowhere, and who may pass the
        # role to a trail is decided by iam:PassRole in this account.
        AssumeRolePolicyDocument=trust(service("cloudtrail")),
        Policies=[
            iam.Policy(
                PolicyName="write-log-streams",
                PolicyDocument=document(
                    statement("WriteStreams", actions("logs", "CreateLogStream", "PutLogEvents"), streams)
                ),
            )
        ],
    )


def _add_alarms(template: Template, inputs: Inputs) -> None:
    after = "" if inputs.existing_log_group else "TrailLogGroup"
    place = Place(log_group_name(inputs), "$.", names.CENTRAL_METRICS, names.alarm, after)
    made = [
        resource
        for detection in counted(inputs)
        for resource in filters_and_alarm(detection, place, [_topic(names.topic(detection.severity))])
    ]
    for control in inputs.cis:
        made += cis_filter_and_alarm(control, place, [_topic(names.AUDIT)])
    in_lanes(made)
    for resource in made:
        template.add_resource(resource)


def _topic(name: str) -> Sub:
    return Sub("arn:${AWS::Partition}:sns:${AWS::Region}:${SecurityAccountId}:" + name)


def counted(inputs: Inputs) -> tuple[Detection, ...]:
    """The detections with a metric filter on the trail's log group.

    Raises DetectionError where the log group cannot take all.
    """
    detections = tuple(filter(is_counted_centrally, inputs.detections))
    others = [MetricFilter(control.id, control.pattern, control.id) for control in inputs.cis]
    check_log_group(
        [*others, *(compiled for detection in detections for compiled in metric_filters(detection))]
    )
    return detections


def _values(inputs: Inputs) -> Mapping[str, str]:
    values = {"SecurityAccountId": inputs.security_account}
    if inputs.existing_log_group:
        return values
    alias = (
        f"arn:{inputs.partition}:kms:{inputs.home_region}:{inputs.log_archive_account}:{names.LOGS_KEY_ALIAS}"
    )
    return {
        **values,
        "OrganizationId": inputs.organization_id,
        "TrailName": inputs.trail_name,
        "LogBucketName": names.log_bucket(inputs.log_archive_account, inputs.home_region),
        "LogKeyArn": inputs.key_arn or alias,
        "RetentionDays": str(inputs.retention_days),
    }


STACK = StackDefinition(
    "orgmon-trail",
    Placement(Who.MANAGEMENT, Where.HOME),
    "the organization trail, its filters and alarms",
    _build,
    _values,
    has_iam=True,
)
