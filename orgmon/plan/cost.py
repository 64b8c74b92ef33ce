"""What a State costs a month: alarms, metrics, events, logs, keys and secrets at the prices of one dated file.

A State is either what should be or what is, so that the difference of two is what a plan changes. Not counted: what
is a few cents (queues, functions, topics, the table, storage of files).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orgmon.plan.bill import Bill, bill
from orgmon.plan.prices import Prices
from orgmon.stackset import MANAGEMENT_SUFFIX, Stack, StackSet, State

HOURS = 730
"""Hours of a month, as AWS counts them."""

ALARMS = "alarms"
WORTH_A_WORD = 100.0
"""Dollars a month from which on a cheaper form of the members' alarms is proposed."""


@dataclass(frozen=True)
class Item:
    """One thing that a stack is charged for. ``accounts`` is in how many accounts it is."""

    stack: str
    what: str
    number: float
    usd: float
    accounts: int = 1


@dataclass(frozen=True)
class Cost:
    """What a State costs a month, in dollars. ``copies`` is what comes on top where accounts have a trail already."""

    items: tuple[Item, ...] = ()
    copies: float = 0.0

    @property
    def usd(self) -> float:
        """All together, without copies."""
        return sum(item.usd for item in self.items)

    @property
    def by_stack(self) -> dict[str, float]:
        """The sum of each stack that costs something."""
        sums: dict[str, float] = {}
        for item in self.items:
            sums[item.stack] = sums.get(item.stack, 0.0) + item.usd
        return sums

    @property
    def member_alarms(self) -> float:
        """What alarms cost that are in more than one account."""
        return sum(item.usd for item in self.items if item.what == ALARMS and item.accounts > 1)

    @property
    def is_mostly_member_alarms(self) -> bool:
        """True where the members' alarms are the biggest part, and a good deal of money."""
        others = max(
            (item.usd for item in self.items if item.what != ALARMS or item.accounts == 1), default=0.0
        )
        return self.member_alarms > max(others, WORTH_A_WORD)


@dataclass(frozen=True)
class Saving:
    """A cheaper form: what to write into accounts.yaml, and how many dollars a month less it costs."""

    change: str
    usd: float


@dataclass(frozen=True)
class Estimate:
    """What it costs a month now and then, at which prices, and how it would cost less."""

    now: Cost
    then: Cost
    prices: Prices
    saving: Saving | None = None


def cost(state: State, prices: Prices) -> Cost:
    """What a State costs a month. A stack set of the management account counts as part of the members'."""
    counted: dict[str, list[_Counted]] = {stack.name: [_of_stack(stack)] for stack in state.stacks}
    for stack_set in state.stack_sets:
        counted.setdefault(stack_set.name.removesuffix(MANAGEMENT_SUFFIX), []).extend(_of_set(stack_set))
    # Where rules forward is what is monitored: each of these pairs records and sends events.
    pairs = sum(len(one.accounts) * one.bill.forwards for bills in counted.values() for one in bills)
    items = (_items(name, bills, pairs, prices) for name, bills in counted.items())
    trails = sum(one.bill.records for bills in counted.values() for one in bills)
    copied = trails * pairs * prices.assumptions.recorded_events / 1e5
    return Cost(tuple(item for made in items for item in made), copied * prices.copied_100k_events)


@dataclass(frozen=True)
class _Counted:
    """What the stacks of one Region are charged for each, and the accounts that have them."""

    bill: Bill
    accounts: frozenset[str]


def _of_stack(stack: Stack) -> _Counted:
    return _Counted(bill(stack.template, stack.parameters, stack.region), frozenset({stack.account}))


def _of_set(stack_set: StackSet) -> Iterator[_Counted]:
    by_region: dict[str, set[str]] = {}
    for instance in stack_set.instances:
        by_region.setdefault(instance.region, set()).add(instance.account)
    for region, accounts in by_region.items():
        yield _Counted(bill(stack_set.template, stack_set.parameters, region), frozenset(accounts))


def _items(name: str, counted: list[_Counted], pairs: int, prices: Prices) -> Iterator[Item]:
    def total(what: str) -> int:
        return sum(getattr(one.bill, what) * len(one.accounts) for one in counted)

    assumed = prices.assumptions
    events = total("forwards") * assumed.forwarded_events
    kept = events + total("records") * pairs * assumed.recorded_events
    gigabytes = kept * assumed.event_kb / 1e6
    metrics = total("metrics") * assumed.metric_hours / HOURS + total("busy_metrics")
    accounts = len(frozenset().union(*(one.accounts for one in counted)))
    for what, number, usd in (
        (ALARMS, total("alarms"), total("alarms") * prices.alarm),
        ("metrics", total("metrics") + total("busy_metrics"), metrics * prices.metric),
        ("events", events, events / 1e6 * prices.million_events),
        ("GB of logs", gigabytes, gigabytes * prices.log_gb),
        ("keys", total("keys"), total("keys") * prices.key),
        ("secrets", total("secrets"), total("secrets") * prices.secret),
    ):
        if number:
            yield Item(name, what, number, usd, accounts)
