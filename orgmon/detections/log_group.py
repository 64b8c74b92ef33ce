"""What one log group can take."""

from __future__ import annotations

from collections.abc import Sequence

from orgmon.detections.codes import Code
from orgmon.detections.model import MetricFilter
from orgmon.errors import DetectionError
from orgmon.filterpattern import parse

MAX_FILTERS = 100
"""Metric filters on a log group; AWS does not raise this quota."""

MAX_REGEX_FILTERS = 5
"""Filters with regular expressions on a log group."""


def check_log_group(filters: Sequence[MetricFilter]) -> None:
    """Raise DetectionError where one log group cannot take all these filters (CloudWatch Logs quotas)."""
    if len(filters) > MAX_FILTERS:
        raise DetectionError(
            f"the detections need {len(filters)} metric filters on one log group, "
            f"and CloudWatch Logs allows {MAX_FILTERS} [{Code.GROUP_FULL}]",
            "switch some off (detections.disabled), or write flow: event in rules of your own",
        )
    with_regex = sorted({one.detection for one in filters if parse(one.pattern).body.regexes()})
    if len(with_regex) > MAX_REGEX_FILTERS:
        raise DetectionError(
            f"{', '.join(with_regex)} have regular expressions in their filters, and CloudWatch Logs allows "
            f"{MAX_REGEX_FILTERS} such filters on a log group [{Code.REGEX}]",
            "use startswith, endswith or contains",
        )
