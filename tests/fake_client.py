"""A boto3 client with answers that are set beforehand, and sessions that hand it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from orgmon.aws.session import Sessions
from orgmon.stackset import CallAs, PermissionModel

MANAGEMENT, HOME = "100000000000", "eu-central-1"
Answer = dict[str, Any] | Exception


def refused(code: str, message: str = "no", operation: str = "Call") -> ClientError:
    """AWS's refusal, as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@cache
def _operations(service: str) -> dict[str, OperationModel]:
    """The operations of a service by boto3's names for them."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


def check(service: str, method: str, arguments: dict[str, Any]) -> None:
    """Fail for arguments that AWS's own model of the call does not know."""
    shape = _operations(service)[method].input_shape
    if shape is None:
        assert not arguments, f"{method} takes no arguments"
        return
    report = ParamValidator().validate(arguments, shape)
    assert not report.has_errors(), f"{method}: {report.generate_report()}"


class FakeClient:
    """A client of one service. For each method an answer, or answers in turn, of which the last one stays.

    A paginator's pages are the answers of its method, all of them. An answer can be an error.
    """

    def __init__(self, service: str, **answers: Answer | list[Answer]) -> None:
        self._service = service
        self._answers = {
            method: list(answer) if isinstance(answer, list) else [answer]
            for method, answer in answers.items()
        }
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def arguments(self, method: str) -> list[dict[str, Any]]:
        """What the calls of a method were made with."""
        return [arguments for name, arguments in self.calls if name == method]

    def get_paginator(self, method: str) -> _Paginator:
        """Pages of a method."""
        return _Paginator(lambda arguments: self._pages(method, arguments))

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method not in self._answers:
            raise AttributeError(method)
        return lambda **arguments: self._answer(method, arguments)

    def _answer(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._record(method, arguments)
        left = self._answers[method]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _pages(self, method: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        arguments.pop("PaginationConfig", None)
        self._record(method, arguments)
        for page in self._answers[method]:
            if isinstance(page, Exception):
                raise page
            yield page

    def _record(self, method: str, arguments: dict[str, Any]) -> None:
        check(self._service, method, arguments)
        self.calls.append((method, arguments))


class _Paginator:
    def __init__(self, pages: Callable[[dict[str, Any]], Iterator[dict[str, Any]]]) -> None:
        self._pages = pages

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        """The pages."""
        return self._pages(arguments)


class FakeSessions(Sessions):
    """The same client for everybody, in an organization whose home is in Frankfurt."""

    def __init__(self, client: Any, call_as: CallAs = CallAs.SELF) -> None:
        self._only = client
        self._call_as = call_as
        self.asked: list[tuple[str, str, str | None]] = []

    @property
    def home_region(self) -> str:
        """Frankfurt."""
        return HOME

    @property
    def management_account(self) -> str:
        """Always the same."""
        return MANAGEMENT

    def management(self, service: str, region: str | None = None) -> Any:
        """The client."""
        return self.member("management", service, region)

    def member(self, account: str, service: str, region: str | None = None) -> Any:
        """The client."""
        self.asked.append((account, service, region))
        return self._only

    def stack_sets(self, model: PermissionModel) -> tuple[Any, CallAs]:
        """The client, and as whom it calls."""
        return self._only, self._call_as if model is PermissionModel.SERVICE_MANAGED else CallAs.SELF
