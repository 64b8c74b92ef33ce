"""What AWS's sources leave open, or answer in two ways: each can be turned, and the product has to work with both.

docs/real-aws.md tells for each what settles it on a real organization.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Switch(StrEnum):
    """An open question, by what is true when it is on."""

    RULE_ROLE_SOURCE = "rule-role-source"
    TRAIL_ROLE_SOURCE = "trail-role-source"
    TRAIL_DECRYPT_SOURCE = "trail-decrypt-source"
    RULE_TOPIC_SOURCE = "rule-topic-source"
    RULE_QUEUE_KEY_SOURCE = "rule-queue-key-source"
    SOURCE_ORGANIZATION = "source-organization"
    EXECUTION_ROLE_MINIMUM = "execution-role-minimum"
    DESCRIPTION_KEPT = "description-kept"
    PARAMETERS_KEPT = "parameters-kept"


@dataclass(frozen=True)
class Question:
    """What a switch decides, how it stands by default, and where that is from."""

    text: str
    default: bool
    source: str


QUESTIONS: dict[Switch, Question] = {
    Switch.RULE_ROLE_SOURCE: Question(
        "EventBridge tells the rule when it assumes the role of a target",
        True,
        "EventBridge user guide, cross-service-confused-deputy-prevention; CDK's and Terraform's roles ask for nothing",
    ),
    Switch.TRAIL_ROLE_SOURCE: Question(
        "CloudTrail tells the trail when it assumes the role of the log group",
        False,
        "CloudTrail user guide, send-cloudtrail-events-to-cloudwatch-logs: its trust policy has no condition",
    ),
    Switch.TRAIL_DECRYPT_SOURCE: Question(
        "CloudTrail tells the trail with kms:Decrypt",
        False,
        "CloudTrail user guide, create-kms-key-policy-for-cloudtrail: without; Control Tower's guide: with",
    ),
    Switch.RULE_TOPIC_SOURCE: Question(
        "EventBridge tells the rule when it publishes to a topic",
        False,
        "EventBridge user guide, eb-use-resource-based: topic policies for it cannot have conditions",
    ),
    Switch.RULE_QUEUE_KEY_SOURCE: Question(
        "EventBridge tells the rule when it uses the key of a queue",
        True,
        "SQS developer guide, sqs-key-management: CloudWatch Events is among the services that do",
    ),
    Switch.SOURCE_ORGANIZATION: Question(
        "Where a service tells the account, it tells the organization, too",
        True,
        "AWS's resource control policy EnforceConfusedDeputyProtection; the SQS guide's list of keys has none",
    ),
    Switch.EXECUTION_ROLE_MINIMUM: Question(
        "Stack sets need an execution role with cloudformation:* and s3:* on everything",
        True,
        "CloudFormation user guide, stacksets-prereqs-self-managed",
    ),
    Switch.DESCRIPTION_KEPT: Question(
        "UpdateStackSet without a description keeps the one that is there",
        True,
        "API reference, UpdateStackSet: says nothing of it",
    ),
    Switch.PARAMETERS_KEPT: Question(
        "UpdateStackSet without parameters keeps the values that are there",
        True,
        "AWS's own StackSet resource handler relies on it; API reference, Parameter: the default applies",
    ),
}


class Switches:
    """How the open questions stand in one embedded AWS."""

    def __init__(self, flipped: Iterable[Switch] = ()) -> None:
        self._on = {switch for switch, question in QUESTIONS.items() if question.default} ^ set(flipped)

    def is_on(self, switch: Switch) -> bool:
        """How one stands."""
        return switch in self._on

    def turn(self, switch: Switch, on: bool) -> None:
        """Set one, from the next request on."""
        self._on = self._on | {switch} if on else self._on - {switch}

    def control(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        """Turn ``name`` to ``on``, if a name is given; then how all stand. Raises ValueError for an unknown name."""
        if "name" in body:
            self.turn(_named(str(body["name"])), bool(body.get("on")))
        return {
            "switches": [
                {"name": switch, "on": self.is_on(switch), "default": question.default, "text": question.text}
                for switch, question in QUESTIONS.items()
            ]
        }


def _named(name: str) -> Switch:
    if name not in tuple(Switch):
        raise ValueError(f"there is no switch {name}; there are {', '.join(Switch)}")
    return Switch(name)
