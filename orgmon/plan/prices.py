"""What AWS charges, from one dated file: the shipped one has list prices of us-east-1, a user may have his own."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from orgmon.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What accounts do, which no template tells: events of an account and Region a month, and their size.

    ``metric_hours`` is in how many hours of a month a metric filter matches something.
    """

    recorded_events: float
    forwarded_events: float
    event_kb: float
    metric_hours: float


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Dollars: for an alarm, metric, key and secret a month, a GB of logs, a million events, 100,000 copies."""

    as_of: str
    region: str
    alarm: float
    metric: float
    log_gb: float
    million_events: float
    key: float
    secret: float
    copied_100k_events: float
    assumptions: Assumptions


def read(path: Path | None = None) -> Prices:
    """The prices in a file, or the shipped ones. Raises UsageError where the file is none of this kind."""
    if path is None:
        return _prices(json.loads(files("orgmon.plan").joinpath("prices.json").read_text(encoding="utf-8")))
    try:
        return _prices(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(
            f"{path} is no file of prices: {what}", "write it like orgmon/plan/prices.json of the package"
        ) from error


def _prices(content: Mapping[str, Any]) -> Prices:
    def usd(name: str) -> float:
        return _number(name, content["prices"][name]["usd"])

    assumed = content["assumptions"]
    return Prices(
        as_of=str(content["as_of"]),
        region=str(content["region"]),
        alarm=usd("alarm"),
        metric=usd("metric"),
        log_gb=usd("log_gb"),
        million_events=usd("million_events"),
        key=usd("key"),
        secret=usd("secret"),
        copied_100k_events=usd("copied_100k_events"),
        assumptions=Assumptions(
            **{field.name: _number(field.name, assumed[field.name]) for field in fields(Assumptions)}
        ),
    )


def _number(name: str, value: Any) -> float:
    """A price or an assumption. Raises ValueError for what is no number, endless or below nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {value!r}, which is no number")
    if not 0 <= float(value) < math.inf:
        raise ValueError(f"{name} is {value}, which nobody charges")
    return float(value)
