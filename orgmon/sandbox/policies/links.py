"""Which condition keys a service passes on when it acts for a resource: call by call, because no rule covers them.

A service that calls another passes ``aws:SourceArn`` and its siblings on only where that integration does so (IAM
user guide, "AWS global condition context keys": availability of aws:SourceArn). A condition on a key that is not
passed never holds. So a call that stands in no row of LINKS carries no key, and is noted as undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orgmon.sandbox.policies.switches import Switch, Switches

ARN, ACCOUNT, OWNER, ORGANIZATION = (
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOwner",
    "aws:SourceOrgID",
)
_NONE: frozenset[str] = frozenset()
_BOTH = frozenset({ARN, ACCOUNT})


@dataclass(frozen=True)
class Link:
    """A call of one service on a kind of resource of another, and the keys that it carries.

    ``kind`` is what is acted on; with a KMS action, what is encrypted. ``keys`` are always there, those of
    ``open`` where its switch is on. ``source`` is the page that shows it.
    """

    service: str
    action: str
    kind: str
    keys: frozenset[str]
    source: str
    open: tuple[Switch, frozenset[str]] | None = None


Triple = tuple[str, str, str]

_TRAIL_BUCKET = "CloudTrail user guide, create-s3-bucket-policy-for-cloudtrail"
_TRAIL_KEY = "CloudTrail user guide, create-kms-key-policy-for-cloudtrail"
_SNS_KEY = "SNS developer guide, sns-key-management: not supported from EventBridge to an encrypted topic"
_SQS_KEY = "SQS developer guide, sqs-key-management"
_RULE_LOGS = (
    "AWS's serverless-patterns, eventbridge-cloudwatch: the condition is on PutLogEvents only (pull 618)"
)
_ALARM_TOPIC = "CloudWatch user guide, US_SetupSNS; SNS developer guide, sns-access-policy-use-cases"
_LINKS = (
    Link("cloudtrail", "s3:GetBucketAcl", "bucket", _BOTH, _TRAIL_BUCKET),
    Link("cloudtrail", "s3:PutObject", "bucket", _BOTH, _TRAIL_BUCKET),
    Link("cloudtrail", "kms:GenerateDataKey", "trail", _BOTH, _TRAIL_KEY),
    Link("cloudtrail", "kms:DescribeKey", "trail", frozenset({ARN}), _TRAIL_KEY),
    Link("cloudtrail", "kms:Decrypt", "trail", _NONE, _TRAIL_KEY, (Switch.TRAIL_DECRYPT_SOURCE, _BOTH)),
    Link(
        "cloudtrail",
        "sts:AssumeRole",
        "role",
        _NONE,
        "CloudTrail user guide, send-cloudtrail-events-to-cloudwatch-logs",
        (Switch.TRAIL_ROLE_SOURCE, _BOTH),
    ),
    Link(
        "cloudtrail",
        "sns:Publish",
        "topic",
        _BOTH,
        "CloudTrail user guide, cloudtrail-permissions-for-sns-notifications",
    ),
    Link(
        "events",
        "sts:AssumeRole",
        "role",
        _NONE,
        "EventBridge user guide, cross-service-confused-deputy-prevention",
        (Switch.RULE_ROLE_SOURCE, _BOTH),
    ),
    Link("events", "sqs:SendMessage", "queue", _BOTH, "EventBridge user guide, eb-use-resource-based"),
    Link("events", "kms:Decrypt", "queue", _NONE, _SQS_KEY, (Switch.RULE_QUEUE_KEY_SOURCE, _BOTH)),
    Link("events", "kms:GenerateDataKey", "queue", _NONE, _SQS_KEY, (Switch.RULE_QUEUE_KEY_SOURCE, _BOTH)),
    Link(
        "events",
        "sns:Publish",
        "topic",
        _NONE,
        "EventBridge user guide, eb-use-resource-based",
        (Switch.RULE_TOPIC_SOURCE, _BOTH),
    ),
    Link("events", "kms:Decrypt", "topic", _NONE, _SNS_KEY),
    Link("events", "kms:GenerateDataKey", "topic", _NONE, _SNS_KEY),
    Link("events", "logs:CreateLogStream", "log-group", _NONE, _RULE_LOGS),
    Link("events", "logs:PutLogEvents", "log-group", frozenset({ARN}), _RULE_LOGS),
    Link("delivery.logs", "logs:CreateLogStream", "log-group", _NONE, _RULE_LOGS),
    Link("delivery.logs", "logs:PutLogEvents", "log-group", frozenset({ARN}), _RULE_LOGS),
    Link(
        "events",
        "lambda:InvokeFunction",
        "function",
        frozenset({ARN}),
        "EventBridge user guide, eb-troubleshooting: a SourceAccount prevents the invocation",
    ),
    Link("cloudwatch", "sns:Publish", "topic", frozenset({ARN, ACCOUNT, OWNER}), _ALARM_TOPIC),
    Link("cloudwatch", "kms:Decrypt", "topic", frozenset({ACCOUNT}), _ALARM_TOPIC),
    Link("cloudwatch", "kms:GenerateDataKey", "topic", frozenset({ACCOUNT}), _ALARM_TOPIC),
    Link(
        "lambda.alarms.cloudwatch",
        "lambda:InvokeFunction",
        "function",
        _BOTH,
        "CDK, aws-cloudwatch-actions: the principal of alarm actions and its two conditions",
    ),
    Link(
        "sns",
        "sqs:SendMessage",
        "queue",
        frozenset({ARN}),
        "SNS developer guide, sns-send-message-to-sqs-cross-account",
    ),
    Link("sns", "kms:Decrypt", "queue", frozenset({ARN}), _SQS_KEY),
    Link("sns", "kms:GenerateDataKey", "queue", frozenset({ARN}), _SQS_KEY),
    Link(
        "sns",
        "lambda:InvokeFunction",
        "function",
        frozenset({ARN}),
        "Lambda developer guide, with-sns: permission by the topic's ARN",
    ),
    Link("lambda", "sts:AssumeRole", "role", _NONE, "Lambda developer guide, lambda-intro-execution-role"),
    Link(
        "cloudformation",
        "sts:AssumeRole",
        "role",
        _BOTH,
        "CloudFormation user guide, stacksets-prereqs-self-managed: set up global keys",
    ),
    Link(
        "member.org.stacksets.cloudformation",
        "sts:AssumeRole",
        "role",
        _NONE,
        "CloudFormation user guide, stacksets-orgs-enable-trusted-access",
    ),
)
LINKS: dict[Triple, Link] = {(link.service, link.action, link.kind): link for link in _LINKS}

_KINDS = {
    "s3": "bucket",
    "sns": "topic",
    "sqs": "queue",
    "logs": "log-group",
    "lambda": "function",
    "iam": "role",
    "cloudtrail": "trail",
    "events": "bus",
}


def kind_of(arn: str) -> str:
    """The kind of resource behind an ARN, as LINKS names it."""
    return _KINDS.get(arn.split(":")[2], "") if arn.startswith("arn:") else ""


class Membership(Protocol):
    """Who belongs to which organization."""

    def organization_of(self, account: str) -> str | None:
        """The id of an account's organization, None for a stranger's."""
        ...


@dataclass(frozen=True)
class Source:
    """The resource that a service acts for, and whose it is."""

    arn: str
    account: str


class LinkKeys:
    """The condition keys of calls between services. ``undecided`` collects calls that are in no row of LINKS."""

    def __init__(self, switches: Switches, organization: Membership) -> None:
        self._switches = switches
        self._organization = organization
        self.undecided: set[Triple] = set()

    def of(self, service: str, action: str, kind: str, source: Source) -> dict[str, str]:
        """What ``service`` (``events``) passes on when it does ``action`` on a resource of ``kind``."""
        values = {ARN: source.arn, ACCOUNT: source.account, OWNER: source.account}
        context = {key: values[key] for key in self._sent(service, action, kind)}
        organization = self._organization.organization_of(source.account)
        if ACCOUNT in context and organization and self._switches.is_on(Switch.SOURCE_ORGANIZATION):
            context[ORGANIZATION] = organization
        return context

    def _sent(self, service: str, action: str, kind: str) -> frozenset[str]:
        link = LINKS.get((service, action, kind))
        if link is None:
            self.undecided.add((service, action, kind))
            return _NONE
        switched = link.open is not None and self._switches.is_on(link.open[0])
        return link.keys | link.open[1] if link.open and switched else link.keys
