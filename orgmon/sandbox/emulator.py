"""moto as a WSGI application a service, without the search for the right one that its own server does per call."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from moto.core import responses, utils
from moto.core.base_backend import BackendDict
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.server import create_backend_app

from orgmon.sandbox.reply import HttpReply

WsgiApp = Callable[..., Iterable[bytes]]

# moto's applications log every exception that they also raise, or turn into a page.
logging.getLogger("moto").setLevel(logging.CRITICAL)


def _neutral(*_: object) -> PermissionResult:
    return PermissionResult.NEUTRAL


# moto applies bucket policies without looking at their conditions; the gateway has decided before moto is asked.
FakeBucket.get_permission = _neutral

# moto lists the methods of a service's class by reflection at each call; the classes never change.
responses.method_names_from_class = cache(responses.method_names_from_class)

_unix_time = utils.unix_time


def _unix_time_at_once(moment: datetime | None = None) -> float:
    # moto builds three dates to say what time it is, and asks twice for every message of a queue.
    return time.time() if moment is None else _unix_time(moment)


utils.unix_time = _unix_time_at_once

_make_account = BackendDict._create_account_specific_backend


def _make_account_once(backends: Any, account: str) -> None:
    # moto copies all account ids at each access, under one lock for all services. To look first is safe: one that is
    # there was made under that lock, and only `reset` takes it away.
    if account not in backends:
        _make_account(backends, account)


BackendDict._create_account_specific_backend = _make_account_once


class Emulator:
    """Asks moto. Raises NotImplementedError for what moto does not have."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._apps: dict[str, WsgiApp] = {}

    def ask(self, service: str, account: str, environ: dict[str, Any]) -> HttpReply:
        """Let moto answer a request as if ``account`` had made it, whoever signed it."""
        reply = run_wsgi(self._app(service), {**environ, "HTTP_X_MOTO_ACCOUNT_ID": account})
        if reply.status >= 400 and reply.body.lstrip()[:9].lower() == b"<!doctype":
            raise NotImplementedError(f"moto has no such route in {service}")
        return reply

    def _app(self, service: str) -> WsgiApp:
        with self._lock:
            if service not in self._apps:
                self._apps[service] = _new_app(service)
            return self._apps[service]


def _new_app(service: str) -> WsgiApp:
    try:
        app = create_backend_app(service)
    except (ImportError, KeyError) as error:
        raise NotImplementedError(f"moto has no service {service}") from error
    # moto asks for Flask's debug mode, which costs time at each request; of that only the exceptions are wanted.
    app.debug = False
    app.config["PROPAGATE_EXCEPTIONS"] = True
    made: WsgiApp = app
    return made


def run_wsgi(app: WsgiApp, environ: dict[str, Any]) -> HttpReply:
    """Call a WSGI application and collect what it answers."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        begun.append((status, headers))

    body = b"".join(app(environ, start_response))
    status, headers = begun[-1]
    return HttpReply(int(status.split()[0]), tuple(headers), body)
