"""People who act in the sandbox: somebody who makes an account join, and an attacker with a leaked key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox

ATTACKER_ADDRESS = "198.51.100.23"
ATTACKER = "build-runner"
ORDINARY_SECRET = "mail-relay-password"  # noqa: S105 - its name
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_STACK_TAG = "aws:cloudformation:stack-name"
_STACK_SET_PREFIX = "StackSet-"


@dataclass(frozen=True)
class Action:
    """One thing that was done, when (sandbox time), and AWS's error code if it was refused."""

    time: datetime
    what: str
    error: str = ""


@dataclass(frozen=True)
class Attack:
    """What an attacker did in an account."""

    account: str
    region: str
    actions: tuple[Action, ...]


def join(sandbox: Sandbox, name: str, unit_path: str) -> str:
    """Create an account in the organization and move it to a unit (``Root/Workloads``); returns its id.

    Raises LookupError if there is no such unit.
    """
    world = sandbox.world
    organization = world.organization
    units = {unit.path: unit.id for unit in organization.units.values()}
    if unit_path not in units:
        raise LookupError(f"the embedded AWS has no unit {unit_path}")
    client = world.session(organization.management_account).client("organizations")
    status = client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
    while status["State"] == "IN_PROGRESS":
        sandbox.settle(1)
        told = client.describe_create_account_status(CreateAccountRequestId=status["Id"])
        status = told["CreateAccountStatus"]
    account = str(status["AccountId"])
    parent = client.list_parents(ChildId=account)["Parents"][0]["Id"]
    if parent != units[unit_path]:
        client.move_account(AccountId=account, SourceParentId=parent, DestinationParentId=units[unit_path])
    return account


def confirm(sandbox: Sandbox) -> int:
    """Everybody who was asked confirms his subscription; how many there were."""
    return len(sandbox.world.controls["confirm"]({}, {})["confirmed"])


def attack(sandbox: Sandbox, account: str, region: str) -> Attack:
    """Let somebody who found the key of an account's build user look around, from a foreign address.

    He reads an ordinary secret and every secret that a stack set made, makes himself an access key, and tries to
    stop the organization's trail.
    """
    world = sandbox.world
    _prepare(sandbox, account, region)
    key = world.client("iam", account, region).create_access_key(UserName=ATTACKER)["AccessKey"]
    session = world.session_with(
        key["AccessKeyId"], key["SecretAccessKey"], region=region, source_address=ATTACKER_ADDRESS
    )
    script = _Script(sandbox)
    secrets = session.client("secretsmanager")
    script.do(
        f"read the secret {ORDINARY_SECRET}", lambda: secrets.get_secret_value(SecretId=ORDINARY_SECRET)
    )
    for decoy in _decoys(secrets):
        script.do(f"read the secret {decoy['Name']}", _reading(secrets, str(decoy["ARN"])))
    iam = session.client("iam")
    script.do(f"created an access key for {ATTACKER}", lambda: iam.create_access_key(UserName=ATTACKER))
    for arn, home in _organization_trails(session):
        trail = session.client("cloudtrail", region_name=home)
        script.do(f"tried to stop the trail {arn}", _stopping(trail, arn))
    return Attack(account, region, tuple(script.actions))


class _Script:
    """What an attacker does, one thing after the other."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.actions: list[Action] = []

    def do(self, what: str, call: Callable[[], object]) -> None:
        """Make a call and note it, also if it is refused."""
        error = ""
        try:
            call()
        except ClientError as refused:
            error = str(refused.response["Error"]["Code"])
        told = f"{what}: {error}" if error else what
        self.actions.append(Action(self._sandbox.world.clock.now(), told, error))


def _prepare(sandbox: Sandbox, account: str, region: str) -> None:
    """What was there before the attack: a build user with too many rights, and a secret of the team's."""
    world = sandbox.world
    owner = world.session(account, region=region).client("secretsmanager")
    if not _exists(lambda: owner.describe_secret(SecretId=ORDINARY_SECRET)):
        owner.create_secret(Name=ORDINARY_SECRET, SecretString="not worth much")
    iam = world.client("iam", account, region)
    if not _exists(lambda: iam.get_user(UserName=ATTACKER)):
        iam.create_user(UserName=ATTACKER)
        iam.attach_user_policy(UserName=ATTACKER, PolicyArn=_ADMINISTRATOR)


def _exists(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as refused:
        if refused.response["Error"]["Code"] in ("ResourceNotFoundException", "NoSuchEntity"):
            return False
        raise
    return True


def _decoys(client: Any) -> list[dict[str, Any]]:
    """Secrets that a stack set made: an attacker cannot tell them from others, but the sandbox can."""
    pages = client.get_paginator("list_secrets").paginate()
    secrets = [secret for page in pages for secret in page["SecretList"]]
    return [secret for secret in secrets if _stack_of(secret).startswith(_STACK_SET_PREFIX)]


def _stack_of(secret: dict[str, Any]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in secret.get("Tags") or []}
    return str(tags.get(_STACK_TAG, ""))


def _organization_trails(session: Any) -> list[tuple[str, str]]:
    trails = session.client("cloudtrail").describe_trails()["trailList"]
    return [(trail["TrailARN"], trail["HomeRegion"]) for trail in trails if trail["IsOrganizationTrail"]]


def _reading(client: Any, arn: str) -> Callable[[], object]:
    return lambda: client.get_secret_value(SecretId=arn)


def _stopping(client: Any, arn: str) -> Callable[[], object]:
    return lambda: client.stop_logging(Name=arn)
