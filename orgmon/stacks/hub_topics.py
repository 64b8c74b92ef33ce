"""The hub's topics, one a severity and one for the pipeline itself, and who is subscribed to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from awacs.aws import ArnLike, StringEquals
from troposphere import GetAtt, Ref, Sub, Template, cloudwatch, sns

from orgmon.alerting import ALERTING, Severity
from orgmon.stacks import names
from orgmon.stacks.definition import Route
from orgmon.stacks.metrics import queue_alarm
from orgmon.stacks.policy import account_root, actions, document, service, statement


def endpoint_parameters(routes: tuple[Route, ...]) -> dict[str, str]:
    """A parameter for each endpoint: addresses stay out of the templates."""
    return {_endpoint(route): f"An {route.protocol} endpoint" for route in routes}


def endpoint_values(routes: tuple[Route, ...]) -> dict[str, str]:
    """The values of those parameters."""
    return {_endpoint(route): route.endpoint for route in routes}


def _identity(route: Route) -> str:
    """What a route is known by, whatever its place in the list: replacing a subscription asks to confirm again."""
    return hashlib.sha256(f"{route.protocol} {route.endpoint}".encode()).hexdigest()[:12]


def _endpoint(route: Route) -> str:
    return f"Endpoint{_identity(route)}"


def add(template: Template, routes: tuple[Route, ...]) -> None:
    """Add the topics of all severities with their policies and subscriptions.

    One topic a severity, because neither alarms nor EventBridge set the attributes that filter policies read.
    """
    for severity in ALERTING:
        add_topic(template, f"{severity}Topic", names.topic(severity))
        _subscribe(template, f"{severity}Topic", routes, severity)


def add_pipeline(template: Template) -> None:
    """Add the alarms on the hub itself. They name a topic of their own, which nothing else uses."""
    title = "PipelineTopic"
    topic = Ref(title)
    for queue_class, _ in names.QUEUE_CLASSES:
        queue = names.logical_id(queue_class, "queue") + "DeadLetters"
        name = names.dead_letters(queue_class)
        template.add_resource(queue_alarm(f"{queue}Alarm", name, GetAtt(queue, "QueueName"), [topic]))
    template.add_resource(_notifier_alarm(topic))
    template.add_resource(_dashboard())


def add_pipeline_topic(template: Template, routes: tuple[Route, ...]) -> None:
    """Add the topic of the pipeline's own alarms; whoever gets critical alerts gets these."""
    add_topic(template, "PipelineTopic", names.PIPELINE_TOPIC)
    _subscribe(template, "PipelineTopic", routes, Severity.CRITICAL)


def add_topic(template: Template, key: str, name: str) -> sns.Topic:
    """Add a topic that alarms of the management account and of this one may publish to."""
    title = key[0].upper() + key[1:]
    topic = template.add_resource(sns.Topic(title, TopicName=name, KmsMasterKeyId=Ref("HubKey")))
    alarms = [
        Sub("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${ManagementAccountId}:alarm:*"),
        Sub("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"),
    ]
    template.add_resource(
        sns.TopicPolicy(
            f"{title}Policy",
            Topics=[Ref(topic)],
            PolicyDocument=document(
                statement(
                    "AlarmsPublish",
                    actions("sns", "Publish"),
                    [Ref(topic)],
                    service("cloudwatch"),
                    [
                        StringEquals(
                            "aws:SourceAccount", [Ref("ManagementAccountId"), Ref("AWS::AccountId")]
                        ),
                        ArnLike("aws:SourceArn", alarms),
                    ],
                ),
                # Security Hub's CloudWatch controls look for a subscriber from the trail's account, and other tools
                # for the topic itself; a subscription that was lost is made again from there.
                statement(
                    "TrailAccountSubscribes",
                    actions("sns", "GetTopicAttributes", "ListSubscriptionsByTopic", "Subscribe"),
                    [Ref(topic)],
                    account_root("${ManagementAccountId}"),
                ),
            ),
        )
    )
    return topic


def _subscribe(template: Template, key: str, routes: tuple[Route, ...], severity: str) -> None:
    title = key[0].upper() + key[1:]
    for route in _once(route for route in routes if severity in route.severities):
        template.add_resource(
            sns.SubscriptionResource(
                f"{title}Route{_identity(route)}",
                TopicArn=Ref(title),
                Protocol=route.protocol,
                Endpoint=Ref(_endpoint(route)),
            )
        )


def _once(routes: Iterable[Route]) -> Iterable[Route]:
    """Each endpoint once, whatever routes it stands in."""
    return {_identity(route): route for route in routes}.values()


def _notifier_alarm(topic: Ref) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        "NotifierErrorsAlarm",
        AlarmName=names.alarm("notifier-errors"),
        AlarmDescription="high: the notifier fails. Read its log group; alerts wait in the queues.",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[cloudwatch.MetricDimension(Name="FunctionName", Value=Ref("Notifier"))],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
    )


def _dashboard() -> cloudwatch.Dashboard:
    """What comes in, what goes out, what is stuck."""
    columns = (
        ("Rules triggered", [["AWS/Events", "TriggeredRules", "EventBusName", names.BUS]]),
        ("Alerts handled", [["AWS/Lambda", "Invocations", "FunctionName", names.NOTIFIER]]),
        (
            "Waiting and stuck",
            [
                ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue(name)]
                for name, _ in names.QUEUE_CLASSES
                for queue in (names.queue, names.dead_letters)
            ],
        ),
    )
    widgets = [
        {
            "type": "metric",
            "x": 8 * column,
            "y": 0,
            "width": 8,
            "height": 6,
            "properties": {
                "title": title,
                "metrics": metrics,
                "stat": "Sum",
                "period": 300,
                "region": "${AWS::Region}",
            },
        }
        for column, (title, metrics) in enumerate(columns)
    ]
    return cloudwatch.Dashboard(
        "Dashboard",
        DashboardName=names.DASHBOARD,
        DashboardBody=Sub(json.dumps({"widgets": widgets}, sort_keys=True)),
    )
