"""Questions to log groups: FilterLogEvents with filter patterns, and CloudWatch Logs Insights."""

from __future__ import annotations

from orgmon.sandbox.queries.filtering import Filtering
from orgmon.sandbox.queries.insights import Insights
from orgmon.sandbox.world import World


def install(world: World) -> None:
    """Answer FilterLogEvents and the four operations of Insights, which moto answers without reading the question."""
    Filtering(world).install()
    Insights(world).install()
