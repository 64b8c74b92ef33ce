"""Three services asked in 1,000 accounts x 17 Regions, against a plain boto3 loop, one call after the other.

The stub answers after as long as AWS takes for a small call. The loop is measured on a few accounts and scaled: all of
it would take more than half an hour. It makes its clients from one session, which is the quickest that boto3 alone can.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Figure, in_own_process, peak_memory

LATENCY = 0.03
SERVICES = {"cloudtrail": "describe_trails", "events": "list_rules", "sns": "list_topics"}
SAMPLE = 4
MEMORY_AIM, CLIENT_AIM, TIME_AIM = 300.0, 5.0, 0.1


def measured() -> Iterator[Figure]:
    """Time against the loop, time for a client, peak memory."""
    ours = in_own_process(__spec__.name, "ours")
    plain = in_own_process(__spec__.name, "plain")
    yield Figure("everywhere", "answers", ours["answers"])
    yield Figure("everywhere", "API calls, roles included", ours["calls"])
    yield Figure("everywhere", "all of it", ours["seconds"], "s")
    yield Figure("everywhere", f"a plain boto3 loop, from {SAMPLE} accounts", plain["seconds"], "s")
    yield Figure("everywhere", "time to that of the loop", ours["seconds"] / plain["seconds"], "x", TIME_AIM)
    yield Figure("everywhere", "the first client", ours["first"] * 1000, "ms")
    yield Figure("everywhere", "each client after it", ours["client"] * 1000, "ms", CLIENT_AIM)
    yield Figure("everywhere", "peak memory", ours["memory"], "MB", MEMORY_AIM)


def plain() -> dict[str, Any]:
    """Assume the role in a few accounts and ask, call by call; the seconds that all accounts would take."""
    from benchmarks import stub

    service = stub.Stub(LATENCY)
    session = service.session()
    sts = session.client("sts")
    for name in SERVICES:  # what is read once is no part of the comparison
        session.client(name)
    begun = time.perf_counter()
    for account in stub.members()[:SAMPLE]:
        role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        keys = sts.assume_role(RoleArn=role, RoleSessionName="plain")["Credentials"]
        for region in stub.REGIONS:
            for name, method in SERVICES.items():
                client = session.client(
                    name,
                    region_name=region,
                    aws_access_key_id=keys["AccessKeyId"],
                    aws_secret_access_key=keys["SecretAccessKey"],
                    aws_session_token=keys["SessionToken"],
                )
                getattr(client, method)()
    seconds = time.perf_counter() - begun
    return {"seconds": seconds * stub.ACCOUNTS / SAMPLE}


def ours() -> dict[str, Any]:
    """Ask all pairs as the commands do, and count the answers."""
    from benchmarks import stub
    from orgmon.aws.everywhere import everywhere
    from orgmon.aws.session import Sessions
    from orgmon.errors import AwsError
    from orgmon.stackset import Pair
    from tests import sample

    service = stub.Stub(LATENCY)
    sessions = Sessions(sample.config().organization, lambda profile: service.session())
    first, client = _clients(sessions)

    def ask(pair: Pair) -> int:
        members = {name: sessions.member(pair.account, name, pair.region) for name in SERVICES}
        return sum(bool(getattr(members[name], method)()) for name, method in SERVICES.items())

    pairs = (Pair(account, region) for account in stub.members() for region in stub.REGIONS)
    answers = 0
    begun = time.perf_counter()
    for _, result in everywhere(pairs, ask):
        assert not isinstance(result, AwsError), result
        answers += result
    seconds = time.perf_counter() - begun
    assert answers == stub.ACCOUNTS * len(stub.REGIONS) * len(SERVICES)
    return {
        "answers": answers,
        "calls": service.calls.total(),
        "seconds": seconds,
        "first": first,
        "client": client,
        "memory": peak_memory(),
    }


def _clients(sessions: Any) -> tuple[float, float]:
    """Seconds for the first client of all, and for each of those of 20 accounts after it."""
    from benchmarks import stub

    times = []
    for account in stub.members()[:20]:
        for region in stub.REGIONS:
            for name in SERVICES:
                begun = time.perf_counter()
                sessions.member(account, name, region)
                times.append(time.perf_counter() - begun)
    return times[0], sum(times[1:]) / len(times[1:])


if __name__ == "__main__":
    print(json.dumps({"ours": ours, "plain": plain}[sys.argv[1]]()))
