"""What moto's services lack or get wrong for monitoring stacks, put right at the level of the API.

One file a service. Each repair keeps its state in moto's own stores, so that moto's other operations see it.
"""

from __future__ import annotations

from orgmon.sandbox.repairs import (
    arguments,
    beginnings,
    cloudtrail,
    events,
    iam,
    kms,
    lambda_,
    lambda_functions,
    log_delivery,
    log_policies,
    logs,
    pages,
    s3,
    secretsmanager,
    sns,
    sqs,
)
from orgmon.sandbox.world import World


def install(world: World) -> None:
    """Register all repairs with a world. To be done before the engines, so that theirs may replace these."""
    arguments.install(world)
    events.install(world)
    logs.install(world)
    log_policies.install(world)
    log_delivery.install(world)
    cloudtrail.install(world)
    kms.install(world)
    sqs.install(world)
    iam.install()
    s3.install(world)
    secretsmanager.install(world)
    beginnings.install(world)
    sns.install(world)
    lambda_.install(world)
    lambda_functions.install(world)
    pages.install(world)
