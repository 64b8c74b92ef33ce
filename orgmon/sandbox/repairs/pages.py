"""The sizes of the pages of lists that moto gives as a whole.

Sources: the ``limit``, ``Limit``, ``MaxRecords`` and ``MaxItems`` of each operation in the services' API references
(``DescribeMetricFilters``: up to 50 where nothing is asked for; ``ListFunctions``: 50 whatever is asked for).
"""

from __future__ import annotations

from dataclasses import replace

from orgmon.sandbox.paging import Pages
from orgmon.sandbox.world import World

_LOGS = Pages(
    "metricFilters",
    "limit",
    50,
    "nextToken",
    "nextToken",
    ("InvalidParameterException", "The specified nextToken is invalid."),
)
_EVENTS = Pages(
    "Archives", "Limit", 50, "NextToken", "NextToken", ("ValidationException", "The token is not valid.")
)
_KMS = Pages(
    "Keys", "Limit", 100, "Marker", "NextMarker", ("InvalidMarkerException", "Could not deserialize marker")
)
_LAMBDA = Pages(
    "Functions",
    "MaxItems",
    50,
    "Marker",
    "NextMarker",
    ("InvalidParameterValueException", "Invalid marker."),
    most=50,
)
_PAGES: dict[str, dict[str, Pages]] = {
    "logs": {
        "DescribeMetricFilters": _LOGS,
        "DescribeSubscriptionFilters": replace(_LOGS, member="subscriptionFilters"),
        "DescribeResourcePolicies": replace(_LOGS, member="resourcePolicies"),
        "DescribeExportTasks": replace(_LOGS, member="exportTasks"),
    },
    "events": {"ListArchives": _EVENTS},
    "kms": {
        "ListKeys": _KMS,
        "ListAliases": replace(_KMS, member="Aliases", default=50),
        "ListGrants": replace(_KMS, member="Grants", default=50),
        "ListResourceTags": replace(_KMS, member="Tags", default=50),
    },
    "lambda": {
        "ListFunctions": _LAMBDA,
        "ListVersionsByFunction": replace(_LAMBDA, member="Versions"),
        "ListAliases": replace(_LAMBDA, member="Aliases"),
    },
}


def install(world: World) -> None:
    """Cut the lists into pages. To be done after the amendments that sort and fill them."""
    for service, operations in _PAGES.items():
        for operation, pages in operations.items():
            world.operations.amend(service, operation, pages)
