"""orgmon-access: what members need of IAM. In one Region only, because IAM is global."""

from __future__ import annotations

from collections.abc import Mapping

from awacs.aws import StringEqualsIfExists
from troposphere import Ref, Sub, Template, iam

from orgmon.stacks import names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.policy import actions, document, service, statement, trust


def _build(inputs: Inputs) -> Template:
    template = new_template(
        "The role that EventBridge uses to send events of this account to the monitoring hub",
        SecurityAccountId="The account of the hub",
        HomeRegion="The Region of the hub",
    )
    bus = Sub(f"arn:${{AWS::Partition}}:events:${{HomeRegion}}:${{SecurityAccountId}}:event-bus/{names.BUS}")
    template.add_resource(
        iam.Role(
            "ForwardRole",
            RoleName=names.FORWARD_ROLE,
            Path=names.PATH,
            AssumeRolePolicyDocument=trust(
                # IfExists: roles of rules are documented both with this key and without.
                service("events"),
                StringEqualsIfExists("aws:SourceAccount", Ref("AWS::AccountId")),
            ),
            Policies=[
                iam.Policy(
                    PolicyName="put-events-on-hub",
                    PolicyDocument=document(
                        statement("PutEventsOnHub", actions("events", "PutEvents"), [bus])
                    ),
                )
            ],
        )
    )
    return template


def _values(inputs: Inputs) -> Mapping[str, str]:
    return {"SecurityAccountId": inputs.security_account, "HomeRegion": inputs.home_region}


STACK = StackDefinition(
    "orgmon-access",
    Placement(Who.MEMBERS, Where.HOME),
    "the role that carries events to the hub",
    _build,
    _values,
    has_iam=True,
)
