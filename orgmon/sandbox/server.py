"""The embedded AWS over HTTP, for the AWS CLI and any other client."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from moto.server import MotoRequestHandler
from werkzeug.serving import make_server

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.gateway import Gateway, StartResponse

Control = Callable[[dict[str, str], dict[str, Any]], dict[str, Any]]
CONTROL_PATH = "/_sandbox/"


class ControlledGateway:
    """The gateway with the control endpoints beside it: JSON at ``/_sandbox/NAME``.

    A control gets the query parameters and the body, and its Refusal, ValueError, LookupError or TypeError is a 400.
    """

    def __init__(self, gateway: Gateway, controls: dict[str, Control]) -> None:
        self._gateway = gateway
        self._controls = controls

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(CONTROL_PATH):
            return self._gateway(environ, start_response)
        status, answer = self._controlled(path.removeprefix(CONTROL_PATH), environ)
        body = json.dumps(answer, default=str).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _controlled(self, name: str, environ: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        control = self._controls.get(name)
        if control is None:
            known = ", ".join(sorted(self._controls))
            return "404 Not Found", {"error": f"no control is called {name!r}; there are {known}"}
        try:
            query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = json.loads(environ["wsgi.input"].read(length) or b"{}") if length else {}
            return "200 OK", control(query, body)
        except Refusal as refusal:
            return "400 Bad Request", {"error": refusal.message}
        except (ValueError, LookupError, TypeError) as error:
            return "400 Bad Request", {"error": str(error)}


class _QuietHandler(MotoRequestHandler):  # type: ignore[misc]
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the command that runs the server owns the terminal."""


class Server:
    """A running HTTP server. ``url`` is its address; ``stop`` ends it and its thread."""

    def __init__(self, app: Callable[..., Iterable[bytes]], host: str, port: int) -> None:
        self._server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler)
        self._server.daemon_threads = True
        self.host = host
        self.port = int(self._server.server_port)
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._listen, name="sandbox-server", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        """Stop listening. Calls that are being answered are cut off."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
