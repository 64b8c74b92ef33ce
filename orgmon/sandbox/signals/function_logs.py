"""What Lambda writes to a function's log group, as the function's role and only as far as that may.

Sources: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs" (the role's rights; the group is made
at the first invocation); Lambda operator guide, "How CloudWatch structures logs" (START, END and REPORT).
"""

from __future__ import annotations

import math
from typing import Any

from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.grants import Grants, Sender
from orgmon.sandbox.signals.log_groups import LogGroups
from orgmon.sandbox.signals.losses import Losses, Undeliverable
from orgmon.sandbox.signals.worker import Outcome


class FunctionLogs:
    """Writes the lines of an invocation; lost where the role may not."""

    def __init__(self, grants: Grants, log_groups: LogGroups, lost: Losses) -> None:
        self._grants = grants
        self._log_groups = log_groups
        self._lost = lost

    def write(self, function: Any, sender: Sender, stream: str, log: str) -> None:
        """Append the lines to the stream of the function's log group, which is made if the role may do that."""
        where, group = Arn.parse(function.function_arn), group_of(function)
        lines = [line for line in log.splitlines() if line]
        try:
            self._require(function, sender, stream)
            self._log_groups.write(where.account, where.region, group, stream, lines)
        except Undeliverable as problem:
            self._lost.note(function.function_arn, group, problem)

    def _require(self, function: Any, sender: Sender, stream: str) -> None:
        where = Arn.parse(function.function_arn)
        group = f"arn:aws:logs:{where.region}:{where.account}:log-group:{group_of(function)}"
        if not self._log_groups.exists(where.account, where.region, group_of(function)):
            self._grants.require_role(sender, "logs:CreateLogGroup", f"{group}:*")
            self._log_groups.create(where.account, where.region, group_of(function))
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            self._grants.require_role(sender, action, f"{group}:log-stream:{stream}")


def group_of(function: Any) -> str:
    """The name of a function's log group."""
    return f"/aws/lambda/{function.function_name}"


def told(function: Any, request_id: str, outcome: Outcome, seconds: float) -> str:
    """The lines of an invocation that took so long: the function's own between those of Lambda."""
    milliseconds = seconds * 1000
    report = (
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {math.ceil(milliseconds)} ms",
        f"Memory Size: {function.memory_size} MB",
    )
    return "\n".join(
        (
            f"START RequestId: {request_id} Version: $LATEST",
            outcome.log.rstrip("\n"),
            f"END RequestId: {request_id}",
            "\t".join((f"REPORT RequestId: {request_id}", *report)) + "\n",
        )
    )
