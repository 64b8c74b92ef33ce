"""A warm process that runs one function's code."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNTIME = Path(__file__).with_name("lambda_runtime.py")
# Lambda gives imports this long, apart from the function's timeout.
INITIAL_SECONDS = 10.0


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended. ``error`` is empty, or an exception's name; ``payload`` is JSON text."""

    payload: str
    error: str = ""
    log: str = ""


class Worker:
    """Runs a zip's handler in a subprocess that stays. One invocation at a time."""

    def __init__(self, code: bytes, handler: str, environment: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-function-")
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            archive.extractall(self._folder.name)
        self._lock = threading.Lock()
        self._is_late = False
        self._process = subprocess.Popen(  # noqa: S603 - the function's own code, as at AWS
            [sys.executable, "-P", str(RUNTIME), self._folder.name, handler],
            cwd=self._folder.name,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        # It says with an empty line that the handler is imported.
        self._within(INITIAL_SECONDS, self._read)

    @property
    def is_alive(self) -> bool:
        """False once the process has ended: it was stopped, ran too long, or exited."""
        return self._process.poll() is None

    def invoke(self, event: Any, context: Mapping[str, Any], seconds: float) -> Outcome:
        """Call the handler; it is killed when it takes longer than ``seconds`` of real time."""
        line = json.dumps({"event": event, "context": {**context, "seconds": seconds}})
        with self._lock:
            answer = self._within(seconds, lambda: self._exchange(line))
        if not answer and self._is_late:
            return _failed("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
        if not answer:
            return _failed("Runtime.ExitError", "Runtime exited without providing a reason")
        told = json.loads(answer)
        if "error" in told:
            return _failed(told["error"], told["message"], told["log"])
        return Outcome(told["result"], log=told["log"])

    def stop(self) -> None:
        """End the process and remove its folder."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                # Closing flushes, and nobody reads what is left any more.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._folder.cleanup()

    def _within(self, seconds: float, action: Callable[[], str]) -> str:
        """Do something with the process, which is killed if that takes too long."""
        timer = threading.Timer(seconds, self._kill_late)
        timer.daemon = True
        timer.start()
        try:
            return action()
        finally:
            timer.cancel()

    def _kill_late(self) -> None:
        self._is_late = True
        self._process.kill()

    def _exchange(self, line: str) -> str:
        """The answer line; empty if the process ended before it gave one."""
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return ""
        return self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def _failed(error: str, message: str, log: str = "") -> Outcome:
    payload = json.dumps({"errorMessage": message, "errorType": error})
    return Outcome(payload, error, log or f"{message}\n")
