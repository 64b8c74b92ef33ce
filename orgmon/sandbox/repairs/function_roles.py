"""Lambda: a function is made only with a role that Lambda can assume, and knows.

Source: Lambda API reference, CreateFunction (InvalidParameterValueException); Lambda developer guide, "Defining Lambda
function permissions with an execution role"; the text as reported in aws/aws-sdk-js (issue 3498). CloudFormation's
handler is taken to try again for PATIENCE seconds of sandbox time, which pass at once here: no published source says
for how long, and through Cloud Control it was reported to give up (hashicorp/terraform-provider-awscc, issue 221).
"""

from __future__ import annotations

from dataclasses import dataclass

from orgmon.sandbox.calls import Call, Refusal, service_principal
from orgmon.sandbox.policies.links import Source
from orgmon.sandbox.policy import Decision
from orgmon.sandbox.world import World

SERVICE = "lambda.amazonaws.com"
PATIENCE = 30.0
_CLOUDFORMATION = "cloudformation.amazonaws.com"
_OPERATIONS = ("CreateFunction", "UpdateFunctionConfiguration")


def install(world: World) -> None:
    """Check every role before moto keeps it."""
    world.before.append(_FunctionRoles(world))


@dataclass(frozen=True)
class _FunctionRoles:
    world: World

    def __call__(self, call: Call) -> None:
        if call.service != "lambda" or call.operation not in _OPERATIONS or not call.params.get("Role"):
            return
        if not self._can_assume(call, str(call.params["Role"])):
            text = "The role defined for the function cannot be assumed by Lambda."
            raise Refusal("InvalidParameterValueException", text, details={"Type": "User"})

    def _can_assume(self, call: Call, role_arn: str) -> bool:
        role = self.world.stores.role(role_arn)
        patience = PATIENCE if call.invoked_by == _CLOUDFORMATION else 0.0
        if role is None or self.world.propagation.is_under_way(str(role.id), patience):
            return False
        function = f"arn:aws:lambda:{call.region}:{call.account}:function:{call.params['FunctionName']}"
        decision = self.world.policies.allowed_by_resource(
            role.assume_role_policy_document,
            service_principal(SERVICE, call.account),
            "sts:AssumeRole",
            role_arn,
            self.world.links.of("lambda", "sts:AssumeRole", "role", Source(function, call.account)),
        )
        return decision is Decision.ALLOW
