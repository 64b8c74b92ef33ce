"""Rehearsed trouble: what shall fail, be refused or be slow, and where. Safe to use from several threads."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from orgmon.sandbox.conditions import like
from orgmon.sandbox.models import service_model
from orgmon.sandbox.rates import Buckets
from orgmon.sandbox.trouble_rules import (
    DEFAULT_REASON,
    Action,
    Denial,
    Haste,
    Lateness,
    ResourceFailure,
    Rule,
    Shuffle,
    Throttle,
)

Thing = TypeVar("Thing")
ForeignStarter = Callable[[str, float], None]
Suspender = Callable[[str], None]
Expirer = Callable[[], None]


class Trouble:
    """The rules in force, and the troubles that other rooms carry out.

    ``on_suspend(account)``, ``on_expire()`` and ``on_foreign_operation(stack_set, seconds)`` are set by those rooms,
    and ``knows`` by whoever can say which accounts there are.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Rule, int] = {}
        self._buckets = Buckets()
        self.knows: Callable[[str], bool] = lambda account: True
        self.on_suspend: Suspender | None = None
        self.on_expire: Expirer | None = None
        self.on_foreign_operation: ForeignStarter | None = None

    def fail(
        self,
        account: str | None = None,
        region: str | None = None,
        logical_id: str | None = None,
        action: Action | None = None,
        reason: str = DEFAULT_REASON,
        times: int | None = None,
        stack_name: str | None = None,
    ) -> ResourceFailure:
        """Let resource actions fail from now on; what is not given matches everything."""
        rule = ResourceFailure(account, region, logical_id, action, stack_name, reason, times)
        self._add(rule)
        return rule

    def throttle(
        self, service: str, operation: str = "*", every_nth: int = 1, account: str | None = None
    ) -> Throttle:
        """Throttle every nth call of an operation from now on."""
        rule = Throttle(service, operation, every_nth, account)
        self._add(rule)
        return rule

    def haste(self, account: str | None = None) -> Haste:
        """Throttle what comes faster than AWS's documented rates from now on, with full buckets."""
        rule = Haste(account)
        self._buckets = Buckets()
        self._add(rule)
        return rule

    def deny(self, service: str, operation: str = "*", account: str | None = None) -> Denial:
        """Refuse an API from now on."""
        rule = Denial(service, operation, account)
        self._add(rule)
        return rule

    def late(self, seconds: float) -> Lateness:
        """Let new roles and users become visible to other services only after that many sandbox seconds."""
        rule = Lateness(seconds)
        self._add(rule)
        return rule

    def shuffle(self, seed: int = 0) -> Shuffle:
        """Let auto-deployment take the stack sets in shuffled order."""
        rule = Shuffle(seed)
        self._add(rule)
        return rule

    def suspend(self, account: str) -> None:
        """Suspend an account, as if it had been closed."""
        if self.on_suspend is None:
            raise LookupError("no organization is there to suspend an account of")
        self.on_suspend(account)

    def expire(self) -> None:
        """Let every temporary session that was issued so far expire, in the middle of what it does."""
        if self.on_expire is None:
            raise LookupError("nobody is there whose sessions could expire")
        self.on_expire()

    def foreign_operation(self, stack_set: str, seconds: float) -> None:
        """Start somebody else's operation on a stack set; it runs for that many seconds of real time.

        Raises LookupError if there is no such stack set.
        """
        if self.on_foreign_operation is None:
            raise LookupError("no StackSets engine is there to start an operation")
        self.on_foreign_operation(stack_set, seconds)

    def lift(self, rule: Rule | None = None) -> None:
        """End one rule, or all of them."""
        with self._lock:
            if rule is None:
                self._counts.clear()
            else:
                self._counts.pop(rule, None)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force, the oldest first."""
        with self._lock:
            return tuple(self._counts)

    def failure_for(
        self, account: str, region: str, stack_name: str, logical_id: str, action: str
    ) -> str | None:
        """The reason why this resource action must fail now, or None. Asking uses up one of the rule's times."""
        with self._lock:
            for rule, used in self._counts.items():
                if not isinstance(rule, ResourceFailure):
                    continue
                if rule.times is not None and used >= rule.times:
                    continue
                if rule.fits(account, region, stack_name, logical_id, action):
                    self._counts[rule] = used + 1
                    return rule.reason
        return None

    def is_throttled(self, service: str, operation: str, account: str) -> bool:
        """True if this call comes too fast. Asking counts as a call."""
        throttled = False
        with self._lock:
            for rule, seen in self._counts.items():
                if isinstance(rule, Throttle) and _fits(rule, service, operation, account):
                    self._counts[rule] = seen + 1
                    throttled = throttled or (seen + 1) % rule.every_nth == 0
        return throttled

    def is_too_fast(self, service: str, operation: str, account: str, region: str, time: datetime) -> bool:
        """True if this call comes faster than AWS documents, and that is rehearsed. Asking counts as a call."""
        is_rehearsed = any(isinstance(rule, Haste) and rule.account in (None, account) for rule in self.rules)
        return is_rehearsed and not self._buckets.take(service, operation, account, region, time)

    def is_denied(self, service: str, operation: str, account: str) -> bool:
        """True if the API is refused."""
        return any(
            isinstance(rule, Denial) and _fits(rule, service, operation, account) for rule in self.rules
        )

    @property
    def lateness(self) -> float:
        """After how many sandbox seconds new roles and users are visible to other services."""
        return max((rule.seconds for rule in self.rules if isinstance(rule, Lateness)), default=0.0)

    def shuffled(self, things: Sequence[Thing]) -> list[Thing]:
        """The things in the order in which auto-deployment takes them: as they are, unless that is shuffled.

        Asking again gives another order.
        """
        order = list(things)
        with self._lock:
            for rule, asked in self._counts.items():
                if isinstance(rule, Shuffle):
                    self._counts[rule] = asked + 1
                    random.Random(f"{rule.seed}-{asked}").shuffle(order)  # noqa: S311 - no secret
        return order

    def control(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        """The control endpoint. ``kind`` names the method: ``fail``, ``throttle``, ``lift`` and so on.

        The other members are its arguments; an empty body changes nothing. Returns the
        rules in force. Raises ValueError for what cannot be understood.
        """
        arguments = dict(body)
        kind = arguments.pop("kind", None)
        methods: dict[str, Callable[..., object]] = {
            "fail": self.fail,
            "throttle": self.throttle,
            "haste": self.haste,
            "deny": self.deny,
            "late": self.late,
            "suspend": self.suspend,
            "expire": self.expire,
            "shuffle": self.shuffle,
            "foreign_operation": self.foreign_operation,
            "lift": self.lift,
        }
        if kind is not None:
            if kind not in methods:
                raise ValueError(f"trouble of the kind {kind!r} is not known; known are {', '.join(methods)}")
            self._check(arguments)
            methods[kind](**arguments)
        return {"rules": [{"kind": type(rule).__name__, **asdict(rule)} for rule in self.rules]}

    def _check(self, arguments: dict[str, Any]) -> None:
        """Trouble for what is not there would never come. Raises ValueError."""
        account, service = arguments.get("account"), arguments.get("service")
        if account is not None and not self.knows(str(account)):
            raise ValueError(f"the organization has no account {account}")
        if service is None:
            return
        model = service_model(str(service))
        if model is None:
            raise ValueError(
                f"AWS has no service {service}; they are named as in the AWS CLI, for example s3"
            )
        operation = str(arguments.get("operation", "*"))
        if not any(like(name, operation) for name in model.operation_names):
            raise ValueError(f"{service} has no operation {operation}")

    def _add(self, rule: Rule) -> None:
        with self._lock:
            self._counts.pop(rule, None)
            self._counts[rule] = 0


def _fits(rule: Throttle | Denial, service: str, operation: str, account: str) -> bool:
    return rule.service == service and like(operation, rule.operation) and rule.account in (None, account)
