"""What runs a Lambda function's code: a program of its own, with the code's folder first on its path.

``python lambda_runtime.py FOLDER MODULE.FUNCTION`` imports the handler and says so with an empty line. It then reads
invocations, a JSON line each, from standard input and answers each with a line: the result or the error, and what the
code printed. It imports nothing of this package.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
import time
import traceback
from typing import Any


class Context:
    """What a handler gets as its second argument. Source: Lambda developer guide, "context object in Python"."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.aws_request_id: str = given["aws_request_id"]
        self.invoked_function_arn: str = given["invoked_function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = time.monotonic() + given["seconds"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def load(handler: str) -> Any:
    """The function that ``MODULE.FUNCTION`` names; for one that cannot be imported, a function that says why."""
    module, _, name = handler.rpartition(".")
    try:
        return getattr(importlib.import_module(module.replace("/", ".")), name)
    except Exception as error:
        problem = error

        def fail(event: Any, context: Context) -> None:
            raise problem

        return fail


def answer(function: Any, invocation: dict[str, Any]) -> dict[str, Any]:
    """Call the handler once; its result, or the error as Lambda describes it, and what was printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            result = function(invocation["event"], Context(invocation["context"]))
            told = {"result": json.dumps(result)}
        except Exception as error:
            traceback.print_exc()
            told = {"error": type(error).__name__, "message": str(error)}
    return {**told, "log": printed.getvalue()}


def main(folder: str, handler: str) -> None:
    """Answer invocations until standard input ends."""
    sys.path.insert(0, folder)
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as out:
        with contextlib.redirect_stdout(io.StringIO()):
            function = load(handler)
        print(file=out, flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(function, json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
