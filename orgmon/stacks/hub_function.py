"""The hub's notifier: the Lambda function, its role, and what feeds it."""

from __future__ import annotations

from troposphere import GetAtt, Ref, Sub, Template, awslambda, iam
from troposphere import logs as log_groups

from orgmon.alerting import ALERTING
from orgmon.functions.memory import TIMEOUT_SECONDS
from orgmon.stacks import names
from orgmon.stacks.policy import actions, document, service, statement, trust

RUNTIME = "python3.13"
RETENTION_DAYS = 90


def add(template: Template) -> None:
    """Add the function with its log group, role and event source mappings."""
    template.add_resource(
        log_groups.LogGroup(
            "NotifierLogGroup",
            LogGroupName=f"/aws/lambda/{names.NOTIFIER}",
            RetentionInDays=RETENTION_DAYS,
        )
    )
    template.add_resource(_role())
    template.add_resource(
        awslambda.Function(
            "Notifier",
            FunctionName=names.NOTIFIER,
            Description="Says each alert once, in words",
            Code=awslambda.Code(S3Bucket=Ref("ArtifactBucketName"), S3Key=Ref("NotifierKey")),
            Handler=names.NOTIFIER_HANDLER,
            Runtime=RUNTIME,
            Architectures=["arm64"],
            MemorySize=256,
            Timeout=TIMEOUT_SECONDS,
            Role=GetAtt("NotifierRole", "Arn"),
            Environment=awslambda.Environment(
                Variables={
                    "STATE_TABLE": Ref("StateTable"),
                    "TOPIC_PREFIX": Sub(
                        "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:" + names.topic("")
                    ),
                }
            ),
            DependsOn="NotifierLogGroup",
        )
    )
    for queue_class, _ in names.QUEUE_CLASSES:
        queue = names.logical_id(queue_class, "queue")
        template.add_resource(
            awslambda.EventSourceMapping(
                f"Notifier{queue}",
                EventSourceArn=GetAtt(queue, "Arn"),
                FunctionName=Ref("Notifier"),
                BatchSize=10,
                FunctionResponseTypes=["ReportBatchItemFailures"],
            )
        )


def _role() -> iam.Role:
    queues = [GetAtt(names.logical_id(name, "queue"), "Arn") for name, _ in names.QUEUE_CLASSES]
    topics = [Ref(f"{severity.capitalize()}Topic") for severity in ALERTING]
    return iam.Role(
        "NotifierRole",
        RoleName=names.NOTIFIER,
        Path=names.PATH,
        AssumeRolePolicyDocument=trust(service("lambda")),
        Policies=[
            iam.Policy(
                PolicyName="take-remember-say",
                PolicyDocument=document(
                    statement(
                        "Take",
                        actions("sqs", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
                        queues,
                    ),
                    statement(
                        "Remember",
                        actions("dynamodb", "PutItem", "UpdateItem"),
                        [GetAtt("StateTable", "Arn")],
                    ),
                    statement("Say", actions("sns", "Publish"), topics),
                    statement(
                        "UseKey", actions("kms", "Decrypt", "GenerateDataKey"), [GetAtt("HubKey", "Arn")]
                    ),
                    statement(
                        "Log",
                        actions("logs", "CreateLogStream", "PutLogEvents"),
                        [GetAtt("NotifierLogGroup", "Arn")],
                    ),
                ),
            )
        ],
    )
