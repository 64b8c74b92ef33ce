"""How fast AWS takes calls: a token bucket for each operation, account and Region, in sandbox time.

What is modelled. A bucket holds as many calls as ``burst`` says and gets ``rate`` of them back each second; a call that
finds it empty is refused and takes nothing. The time is that of the sandbox's clock, so that buckets of a clock that
stands still do not fill again, except for what CloudFormation does: the sandbox makes the resources of a stack one
after the other and in no time, and ``later`` says in which second AWS would have begun with one. Calls therefore do
not come in the order of their time, and each one is put where it belongs among those that came before.

Sources: CloudWatch quotas; CloudWatch Logs quotas (5 a second for operations on log groups and their filters; that
ten are taken at once is from public reports); KMS developer guide, "Request quotas"; SNS API reference. Where no burst
is told, it is what one second takes. EventBridge, IAM, Lambda and StackSets tell no rates and are not here.
"""

from __future__ import annotations

import bisect
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

KEPT_SECONDS = 600.0
"""Calls that are so much older than the newest one fill no bucket any more."""
_LATER: ContextVar[float] = ContextVar("later", default=0.0)


@dataclass(frozen=True)
class Rate:
    """Calls a second in the long run, and how many are taken at once."""

    rate: float
    burst: int


def _each(service: str, names: str, rate: int, burst: int = 0) -> dict[tuple[str, str], Rate]:
    return {(service, name): Rate(rate, burst or rate) for name in names.split()}


RATES: dict[tuple[str, str], Rate] = {
    **_each("logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy", 5, 10),
    **_each("logs", "PutMetricFilter DeleteMetricFilter DescribeMetricFilters", 5, 10),
    **_each("logs", "PutSubscriptionFilter DeleteSubscriptionFilter PutResourcePolicy", 5, 10),
    **_each("logs", "CreateLogStream", 50),
    **_each("cloudwatch", "PutMetricAlarm PutCompositeAlarm DeleteAlarms DescribeAlarmHistory", 3),
    **_each("cloudwatch", "DisableAlarmActions EnableAlarmActions SetAlarmState", 3),
    **_each("cloudwatch", "DescribeAlarms DescribeAlarmsForMetric", 9),
    **_each("kms", "CreateKey CreateAlias", 5),
    **_each("kms", "PutKeyPolicy EnableKeyRotation", 15),
    **_each("kms", "DescribeKey", 2000),
    **_each("sns", "TagResource", 10),
    **_each("sns", "ListTopics ListSubscriptions ListSubscriptionsByTopic", 30),
    **_each("sns", "Subscribe Unsubscribe", 100),
}


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """What this thread calls in here would come that many seconds after what the clock says."""
    former = _LATER.set(seconds)
    try:
        yield
    finally:
        _LATER.reset(former)


class Buckets:
    """The buckets of all accounts and Regions. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)

    def take(self, service: str, operation: str, account: str, region: str, time: datetime) -> bool:
        """True if there is room for a call of that time, which then is used up. Unknown operations have room."""
        rate = RATES.get((service, operation))
        if rate is None:
            return True
        moment = time.timestamp() + _LATER.get()
        with self._lock:
            taken = self._taken[service, operation, account, region]
            bisect.insort(taken, moment)
            if _holds(rate, taken):
                del taken[: bisect.bisect_left(taken, taken[-1] - KEPT_SECONDS)]
                return True
            taken.remove(moment)
            return False


def _holds(rate: Rate, moments: list[float]) -> bool:
    """True if a bucket is never empty when one of these calls comes."""
    tokens, last = float(rate.burst), moments[0]
    for moment in moments:
        tokens = min(rate.burst, tokens + (moment - last) * rate.rate) - 1
        last = moment
        if tokens < -1e-6:
            return False
    return True
