"""What happens in an account, and what the security team is told of it: the product's own stacks at work."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.mailbox import Letter
from orgmon.sandbox.world import World
from tests.whole.embedded import Rehearsal
from tests.whole.links import HOME, MANAGEMENT, MEMBER, SECURITY

EVENT, MEMBER_ALARM, CENTRAL, PIPELINE = "event", "member alarm", "central alarm", "pipeline alarm"
DECOY, TAMPERING, ACCESS_KEY = "decoy-touched", "trail-tampering", "access-key-change"
PHRASES = ("LedgerExportCredentials", "PartnerGatewayKey")
EDGE_ALARM = "orgmon-edge-dead-letters"
USER = "batch"
# Five deliveries of a message, each invisible for three minutes, and an alarm's minute.
LONG_ENOUGH = 1500.0
Told = frozenset[tuple[str, str]]


class Silence:
    """Stands where a test's own capture is: a module's fixture has none."""

    def readouterr(self) -> SimpleNamespace:
        """Nothing."""
        return SimpleNamespace(out="", err="")


def letters_of(
    rehearsal: Rehearsal, cause: Callable[[], object], seconds: float = LONG_ENOUGH
) -> list[Letter]:
    """What arrives when something is done and time passes."""
    before = len(rehearsal.sandbox.signals.mailbox.letters)
    cause()
    rehearsal.sandbox.settle(seconds)
    return list(rehearsal.sandbox.signals.mailbox.letters[before:])


def facts(letter: Letter) -> dict[str, str]:
    """The facts of a readable alert."""
    lines = (line.partition(":") for line in letter.text.splitlines())
    return {name: value.strip() for name, _, value in lines if value}


def told(letter: Letter) -> tuple[str, str]:
    """By which way a letter came, and what it is about: a detection, or an alarm of the pipeline itself."""
    if letter.text.startswith("{"):
        alarm = str(json.loads(letter.text)["AlarmName"])
        is_own = letter.topic.endswith(":orgmon-pipeline")
        return (PIPELINE, alarm) if is_own else (CENTRAL, alarm.removeprefix("orgmon-"))
    read = facts(letter)
    if EDGE_ALARM in read["What"]:
        return PIPELINE, EDGE_ALARM
    return MEMBER_ALARM if read["What"].startswith("alarm ") else EVENT, read["Detection"]


def ways(letters: list[Letter]) -> Told:
    """All that letters tell."""
    return frozenset(told(letter) for letter in letters)


def decoy(world: World) -> str:
    """The name of a decoy in the member account."""
    secrets = world.client("secretsmanager", MEMBER, HOME).list_secrets()["SecretList"]
    return next(str(secret["Name"]) for secret in secrets if secret["Name"].startswith(PHRASES[0]))


def touch(rehearsal: Rehearsal) -> None:
    """Read a decoy, try to stop the trail, make an access key: urgent, urgent, routine."""
    world = rehearsal.sandbox.world
    session = world.session(MEMBER)
    session.client("secretsmanager").get_secret_value(SecretId=decoy(world))
    with pytest.raises(ClientError):
        session.client("cloudtrail").stop_logging(Name=f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/orgmon")
    change_keys(rehearsal, MEMBER)


def change_keys(rehearsal: Rehearsal, account: str) -> None:
    """Make an access key in an account and remove it."""
    iam = rehearsal.sandbox.world.session(account).client("iam")
    key = iam.create_access_key(UserName=USER)["AccessKey"]["AccessKeyId"]
    iam.delete_access_key(UserName=USER, AccessKeyId=key)


def sign_in(rehearsal: Rehearsal, account: str, **wish: object) -> None:
    """Somebody signs in to the console of an account."""
    rehearsal.sandbox.world.controls["console-login"]({}, {"account": account, **wish})


ALERTS: Told = frozenset({(EVENT, DECOY), (EVENT, TAMPERING), (EVENT, ACCESS_KEY), (MEMBER_ALARM, TAMPERING)})
ALARMS: Told = frozenset(
    {(CENTRAL, DECOY), (CENTRAL, "decoy-decrypted"), (CENTRAL, TAMPERING), (CENTRAL, ACCESS_KEY)}
)


def invocations(rehearsal: Rehearsal) -> float:
    """How often the notifier has run."""
    now = rehearsal.sandbox.world.clock.now()
    points = rehearsal.sandbox.world.client("cloudwatch", SECURITY, HOME).get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": "orgmon-notifier"}],
        StartTime=now.replace(year=now.year - 1),
        EndTime=now.replace(year=now.year + 1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def dead_letters(rehearsal: Rehearsal) -> set[str]:
    """The dead-letter queues that hold something."""
    waiting = (arn.rsplit(":", 1)[1] for arn, _ in rehearsal.sandbox.signals.queues.waiting())
    return {name for name in waiting if name == "orgmon-edge" or name.endswith("-dead-letters")}
