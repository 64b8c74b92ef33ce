"""Ten accounts below one unit, with stack sets, for the tests of stack sets."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox import repairs, stacksets
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.cloudformation import install
from orgmon.sandbox.seed import STACKSETS_PRINCIPAL, Seed, SeedAccount
from orgmon.sandbox.stacksets.stances import Stances
from orgmon.sandbox.world import World

HOME = "eu-west-1"
R1, R2, R3 = "ap-south-1", "eu-west-1", "us-east-1"
MANAGEMENT = "100000000000"
DELEGATED = "800000000001"
OTHER = "800000000002"
FLEET = tuple(f"9000000000{number:02}" for number in range(10))
TEMPLATE = json.dumps(
    {
        "Parameters": {"Title": {"Type": "String", "Default": "default"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Title"}}}},
    }
)
ROLE = json.dumps(
    {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
            }
        }
    }
)
SEED = Seed(
    org_id="o-fleet12345",
    management_account=MANAGEMENT,
    home_region=HOME,
    accounts=(
        SeedAccount(MANAGEMENT, "management", "management@example.com"),
        SeedAccount(DELEGATED, "delegated", "delegated@example.com", "Root/Security"),
        SeedAccount(OTHER, "other", "other@example.com", "Root/Security"),
        *(
            SeedAccount(
                account, f"fleet-{account[-2:]}", f"fleet-{account[-2:]}@example.com", "Root/Fleet/Ships"
            )
            for account in FLEET
        ),
    ),
    units=("Root/Fleet/Empty", "Root/Joining"),
    delegated_administrators=((DELEGATED, STACKSETS_PRINCIPAL),),
)


class Fleet:
    """A world with stack sets, and the management account's client."""

    def __init__(self, seed: Seed = SEED, stances: Stances | None = None) -> None:
        self.world = World(seed, clock=Clock(speed=0))
        repairs.install(self.world)
        self.engine = stacksets.install(self.world, install(self.world), stances)
        self.client = self.client_of(MANAGEMENT)
        self.root = self.world.organization.root_id

    def client_of(self, account: str, region: str = HOME) -> Any:
        """The CloudFormation client of an account's administrator."""
        return self.world.session(account).client("cloudformation", region_name=region)

    def unit(self, path: str) -> str:
        """The id of the unit at a path below the root."""
        units = self.world.organization.units.values()
        return next(unit.id for unit in units if unit.path == f"Root/{path}")

    @property
    def ships(self) -> str:
        """The unit of the ten accounts."""
        return self.unit("Fleet/Ships")

    def create(self, name: str = "set", **members: Any) -> str:
        """A service-managed stack set with the plain template; returns its id."""
        request: dict[str, Any] = {"PermissionModel": "SERVICE_MANAGED", "TemplateBody": TEMPLATE, **members}
        if request["PermissionModel"] == "SERVICE_MANAGED":
            request.setdefault("AutoDeployment", {"Enabled": False})
        return str(self.client.create_stack_set(StackSetName=name, **request)["StackSetId"])

    def targets(self, *accounts: str, unit: str = "") -> dict[str, Any]:
        """DeploymentTargets of the fleet's unit, or of some of its accounts."""
        units = {"OrganizationalUnitIds": [unit or self.ships]}
        if accounts:
            return {**units, "Accounts": list(accounts), "AccountFilterType": "INTERSECTION"}
        return units

    def deploy(self, *accounts: str, regions: tuple[str, ...] = (R2,), unit: str = "", **members: Any) -> str:
        """Create instances of the set, and wait for the end; returns the operation's id."""
        members.setdefault("OperationPreferences", {"MaxConcurrentCount": 10, "FailureToleranceCount": 10})
        answer = self.client.create_stack_instances(
            StackSetName="set",
            DeploymentTargets=self.targets(*accounts, unit=unit),
            Regions=list(regions),
            **members,
        )
        return self.finished(answer)

    def remove(self, *accounts: str, regions: tuple[str, ...] = (R2,), unit: str = "", **members: Any) -> str:
        """Delete instances of the set, and wait for the end; returns the operation's id."""
        members.setdefault("RetainStacks", False)
        answer = self.client.delete_stack_instances(
            StackSetName="set",
            DeploymentTargets=self.targets(*accounts, unit=unit),
            Regions=list(regions),
            **members,
        )
        return self.finished(answer)

    def update(self, **members: Any) -> str:
        """Update the set, and wait for the end; returns the operation's id."""
        return self.finished(self.client.update_stack_set(StackSetName="set", **members))

    def finished(self, answer: dict[str, Any]) -> str:
        """Wait until all is over; the id of the operation in the answer."""
        assert self.engine.wait(20)
        return str(answer["OperationId"])

    def operation(self, operation_id: str) -> dict[str, Any]:
        """An operation of the set, described."""
        answer = self.client.describe_stack_set_operation(StackSetName="set", OperationId=operation_id)
        operation: dict[str, Any] = answer["StackSetOperation"]
        return operation

    def status(self, operation_id: str) -> str:
        """The status of an operation of the set."""
        return str(self.operation(operation_id)["Status"])

    def results(self, operation_id: str, **members: Any) -> list[dict[str, Any]]:
        """All results of an operation of the set."""
        pages = self.client.get_paginator("list_stack_set_operation_results").paginate(
            StackSetName="set", OperationId=operation_id, **members
        )
        return [summary for page in pages for summary in page["Summaries"]]

    def counts(self, operation_id: str, region: str = "") -> dict[str, int]:
        """How many results have which status, in one Region or in all."""
        results = self.results(operation_id)
        return dict(Counter(result["Status"] for result in results if region in ("", result["Region"])))

    def instances(self, name: str = "set", **members: Any) -> list[dict[str, Any]]:
        """All instances of a set."""
        pages = self.client.get_paginator("list_stack_instances").paginate(StackSetName=name, **members)
        return [summary for page in pages for summary in page["Summaries"]]

    def state(self, account: str, region: str = R2) -> tuple[str, str, str]:
        """Status, detailed status and reason of an instance of the set."""
        instance = self.instances(StackInstanceAccount=account, StackInstanceRegion=region)[0]
        detailed = instance["StackInstanceStatus"]["DetailedStatus"]
        return instance["Status"], detailed, instance.get("StatusReason", "")

    def stacks(self, account: str, region: str = R2) -> list[dict[str, Any]]:
        """The living stacks of an account, as it sees them itself."""
        stacks: list[dict[str, Any]] = self.client_of(account, region).describe_stacks()["Stacks"]
        return stacks

    def titles(self, account: str, region: str = R2) -> list[str]:
        """The display names of the topics of an account."""
        sns = self.world.client("sns", account, region)
        arns = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
        return [sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] for arn in arns]

    def close(self) -> None:
        """End everything; nothing may have broken behind the API."""
        assert self.engine.close()
        self.world.close()
        assert self.world.hook_errors == []


def refused(client: Any, operation: str, **members: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status of the error that the call must end with."""
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**members)
    response = caught.value.response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )
