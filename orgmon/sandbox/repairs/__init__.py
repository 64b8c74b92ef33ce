"""What moto's services lack or get wrong for monitoring stacks, put right at the level of the API.

One file a service, or a subject of one; what is true of all services' arguments comes first. Each repair keeps its
state in moto's own stores, so that moto's other operations see it.
"""

from __future__ import annotations

from orgmon.sandbox.repairs import (
    arguments,
    beginnings,
    cloudtrail,
    events,
    function_roles,
    iam,
    iam_entities,
    iam_quotas,
    key_lockout,
    kms,
    lambda_,
    lambda_functions,
    log_delivery,
    log_events,
    log_policies,
    logs,
    mac_keys,
    pages,
    principals,
    s3,
    secretsmanager,
    sns,
    sqs,
    subscription_arguments,
)
from orgmon.sandbox.world import World


def install(world: World) -> None:
    """Register all repairs with a world. To be done before the engines, so that theirs may replace these."""
    arguments.install(world)
    events.install(world)
    logs.install(world)
    log_events.install(world)
    log_policies.install(world)
    log_delivery.install(world)
    cloudtrail.install(world)
    kms.install(world)
    mac_keys.install(world)
    sqs.install(world)
    iam.install()
    iam_entities.install(world)
    iam_quotas.install(world)
    s3.install(world)
    secretsmanager.install(world)
    beginnings.install(world)
    sns.install(world)
    subscription_arguments.install(world)
    lambda_.install(world)
    lambda_functions.install(world)
    function_roles.install(world)
    pages.install(world)
    principals.install(world)
    key_lockout.install(world)
