"""From many failed pairs to a few root causes, each with its remedy.

One failure above the tolerance cancels everything behind it; a list of pairs then mostly says "Cancelled since
failure tolerance has exceeded", which is not why anything failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orgmon.stackset import OperationResult, Pair, ResultStatus

# What differs between pairs that failed for the same reason.
VARIABLE = (
    # Ids first: the end of one can look like an account.
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b\d{12}\b"), "ACCOUNT"),
    (re.compile(r"\b[a-z]{2}(-gov|-iso[a-z]?)?-[a-z]+-\d\b"), "REGION"),
    (re.compile(r"stacksets-exec-[0-9a-f]+"), "stacksets-exec-ID"),
    (re.compile(r"RequestToken: [^,)]+"), "RequestToken: ID"),
    (re.compile(r"StackSet-[\w-]+-ID"), "STACK"),
)
# Every spelling of "too fast": as an error code, and in the texts of AWS and of stack instances. botocore's retries
# know most of them (retries/standard.py), and count LimitExceededException, which for CloudFormation and CloudWatch
# Logs is a quota that no waiting helps.
THROTTLING = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "Throttled",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequests",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "TransactionInProgressException",
    "EC2ThrottledException",
    "KMSThrottlingException",
    "Rate exceeded",
)
# What AWS refuses although all is right: calls that came too fast, and what was made a moment ago and is not seen
# everywhere yet (IAM user guide, troubleshoot_general: changes that I make are not always immediately visible).
PASSING = (
    *THROTTLING,
    "one or more invalid principals",
    "Invalid principal in policy",
    "PrincipalNotFound",
    "cannot be assumed by",
    "Check the trust relationships for your role",
    "DEFAULT_ROLE_CREATION_ERROR",
)
POLICY = "orgmon policy prints what a command's caller needs"
BUSY = "AWS was busy: run the same command again, it retries only what failed"
# What to do about the reasons that AWS gives, in the words of its StatusReason texts.
REMEDIES = (
    (
        "explicit deny in a service control policy",
        "let the stack set role through: exempt stacksets-exec-* in the service control policy",
    ),
    (
        "with trust relationship",
        "the execution role is missing or does not trust: activate trusted access for StackSets, or create the role",
    ),
    ("STS is not activated", "enable the Region in the account, or leave it out under accounts: regions"),
    (
        "ACCOUNT_SUSPENDED",
        "nothing can be deployed into a suspended account; it is skipped until it is closed",
    ),
    (
        "already exists",
        "something of that name is there already: remove it, or the stack that left it, and run again",
    ),
    (
        "is in use by another",
        "two stacks want the same name: remove the one that is not orgmon's and run again",
    ),
    (
        "can not be updated",
        "repair the stack in the account (continue or cancel its rollback), then run again",
    ),
    ("termination protection", "switch termination protection off on the member's stack, then run again"),
    *((spelling, BUSY) for spelling in THROTTLING),
    ("is not authorized", f"give the role named in the message the right it lacks, then run again; {POLICY}"),
)
DEFAULT_REMEDY = "remove the cause and run the same command again: only what is not CURRENT is retried"


@dataclass(frozen=True)
class RootCause:
    """A reason and the pairs that failed for it. ``reason`` is AWS's text for the first of them."""

    reason: str
    remedy: str
    failed: tuple[tuple[str, Pair], ...]

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts concerned, each once."""
        return tuple(dict.fromkeys(pair.account for _, pair in self.failed))


@dataclass(frozen=True)
class Failures:
    """The root causes, most pairs first, and how many pairs were only cancelled because of them."""

    causes: tuple[RootCause, ...]
    cancelled: tuple[tuple[str, Pair], ...]

    def __bool__(self) -> bool:
        return bool(self.causes or self.cancelled)


def same(reason: str) -> str:
    """A reason without what differs from pair to pair."""
    for pattern, word in VARIABLE:
        reason = pattern.sub(word, reason)
    return reason


def is_denial(message: str) -> bool:
    """Does a text of AWS's say that somebody may not do something? Services that call on behalf have no code for it."""
    return any(words in message for words in ("not authorized to perform", "AccessDenied", "Access Denied"))


def is_throttling(code: str, message: str = "") -> bool:
    """Does an error of AWS's say that calls come too fast?"""
    return code in THROTTLING or code == "429" or "Rate exceeded" in message


def is_passing(reason: str) -> bool:
    """Is this what passes by itself, so that the same may be asked for once more?"""
    return any(text in reason for text in PASSING)


def remedy_for(reason: str) -> str:
    """What to do about a reason, where it is known."""
    return next((remedy for text, remedy in REMEDIES if text in reason), DEFAULT_REMEDY)


def failures(results: Iterable[tuple[str, OperationResult]]) -> Failures:
    """Group (stack set, result) pairs by reason, apart from those that were only cancelled."""
    groups: dict[str, list[tuple[str, OperationResult]]] = {}
    cancelled: list[tuple[str, Pair]] = []
    for stack_set, result in results:
        if result.status is ResultStatus.CANCELLED:
            cancelled.append((stack_set, result.pair))
        elif result.status is ResultStatus.FAILED:
            groups.setdefault(same(result.reason), []).append((stack_set, result))
    ordered = sorted(groups.values(), key=lambda group: -len(group))
    return Failures(tuple(_cause(group) for group in ordered), tuple(cancelled))


def _cause(group: list[tuple[str, OperationResult]]) -> RootCause:
    reason = group[0][1].reason
    pairs = tuple((stack_set, result.pair) for stack_set, result in group)
    return RootCause(reason, remedy_for(reason), pairs)
