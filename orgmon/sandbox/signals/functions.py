"""Lambda functions: their real code, run with the credentials of their role against the sandbox itself.

Sources: Lambda developer guide, "Defining Lambda function permissions with an execution role", "Using Lambda
environment variables", "Types of metrics for Lambda functions".
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from orgmon.sandbox.server import Server
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.function_logs import FunctionLogs, group_of, told
from orgmon.sandbox.signals.grants import Grants, Sender
from orgmon.sandbox.signals.log_groups import LogGroups
from orgmon.sandbox.signals.losses import NO_RESOURCE, Losses, Undeliverable
from orgmon.sandbox.signals.metrics import Metrics
from orgmon.sandbox.signals.worker import Outcome, Worker
from orgmon.sandbox.world import World

_SESSION_HOURS = 12
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "SSL_CERT_FILE", "VIRTUAL_ENV")


@dataclass(frozen=True)
class _Warm:
    """A worker with what it was started for, the stream it logs to, and until when its credentials are good."""

    worker: Worker
    made_for: tuple[object, ...]
    stream: str
    expires: datetime


class Functions:
    """Invokes functions. The sandbox is served on a free port when the first one runs."""

    def __init__(
        self, world: World, grants: Grants, log_groups: LogGroups, metrics: Metrics, lost: Losses
    ) -> None:
        self._world = world
        self._grants = grants
        self._logs = FunctionLogs(grants, log_groups, lost)
        self._metrics = metrics
        self._lost = lost
        self._lock = threading.RLock()
        self._warm: dict[str, _Warm] = {}
        self._server: Server | None = None

    def find(self, arn: str) -> Any:
        """moto's function of that ARN (a version at its end is ignored). Raises Undeliverable if there is none."""
        function = self._world.stores.function(arn)
        if function is None:
            raise Undeliverable(NO_RESOURCE, f"The function {arn} does not exist.")
        return function

    def role_of(self, function: Any) -> Sender:
        """A session of the function's role. Raises Undeliverable if Lambda cannot assume it."""
        account = Arn.parse(function.function_arn).account
        service = self._grants.service("lambda", function.function_arn, account)
        return self._grants.assume(str(function.role), service, function.function_name)

    def invoke(self, arn: str, event: Any) -> Outcome:
        """Run a function and wait for it. Raises Undeliverable if it is missing or its role cannot be assumed."""
        function = self.find(arn)
        sender = self.role_of(function)
        with self._lock:
            warm = self._warmed(function, sender)
        request_id = str(uuid.uuid4())
        context = {"aws_request_id": request_id, "invoked_function_arn": function.function_arn}
        begun = time.monotonic()
        outcome = warm.worker.invoke(event, context, float(function.timeout))
        log = told(function, request_id, outcome, time.monotonic() - begun)
        self._count(function, outcome)
        self._logs.write(function, sender, warm.stream, log)
        return replace(outcome, log=log)

    def invoke_later(self, arn: str, event: Any, sender: Sender) -> None:
        """Hand an event over, as services do that do not wait for the result.

        Raises Undeliverable if the function is missing or its policy refuses the sender.
        """
        function = self.find(arn)
        self._grants.require(sender, "lambda:InvokeFunction", function.function_arn)
        self._world.clock.after(0, lambda: self._try(function.function_arn, event))

    def stop(self) -> None:
        """End all processes and the server."""
        with self._lock:
            for warm in self._warm.values():
                warm.worker.stop()
            self._warm.clear()
            if self._server is not None:
                self._server.stop()
                self._server = None

    def _try(self, arn: str, event: Any) -> None:
        try:
            self.invoke(arn, event)
        except Undeliverable as problem:
            self._lost.note("lambda", arn, problem)

    def _warmed(self, function: Any, sender: Sender) -> _Warm:
        made_for = (
            function.code_sha_256,
            function.handler,
            function.role,
            tuple(sorted((function.environment_vars or {}).items())),
        )
        warm = self._warm.get(function.function_arn)
        if warm is not None:
            is_fresh = warm.made_for == made_for and warm.expires > self._world.clock.now()
            if is_fresh and warm.worker.is_alive:
                return warm
            warm.worker.stop()
        fresh = self._start(function, sender, made_for)
        self._warm[function.function_arn] = fresh
        return fresh

    def _start(self, function: Any, sender: Sender, made_for: tuple[object, ...]) -> _Warm:
        now = self._world.clock.now()
        stream = f"{now:%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        environment = self._environment(function, sender, stream)
        worker = Worker(function.code_bytes, str(function.handler), environment)
        return _Warm(worker, made_for, stream, now + timedelta(hours=_SESSION_HOURS - 1))

    def _environment(self, function: Any, sender: Sender, stream: str) -> dict[str, str]:
        region = Arn.parse(function.function_arn).region
        keys = self._world.identity.issue(sender.principal, _SESSION_HOURS * 3600)
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            **(function.environment_vars or {}),
            "AWS_ENDPOINT_URL": self._url(),
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": group_of(function),
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "PYTHONDONTWRITEBYTECODE": "1",
            "TZ": ":UTC",
        }

    def _url(self) -> str:
        if self._server is None:
            self._server = self._world.serve()
        return self._server.url

    def _count(self, function: Any, outcome: Outcome) -> None:
        where = Arn.parse(function.function_arn)
        dimensions = {"FunctionName": function.function_name}
        values = (("Invocations", 1.0), ("Errors", 1.0 if outcome.error else 0.0))
        for name, value in values:
            self._metrics.publish(where.account, where.region, "AWS/Lambda", name, value, dimensions, "Count")
