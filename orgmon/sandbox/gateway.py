"""The gateway: one WSGI application that sees every API call.

A call is parsed, its signer is identified and authorised, it is answered by an engine of ours or by moto, and then
everybody who hangs on the gateway hears of it. Signatures are not verified; a key id that exists is enough.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from moto.core.request import Request

from orgmon.sandbox import wording
from orgmon.sandbox.authorizer import Authorizer
from orgmon.sandbox.calls import Call, Hook, Operations, Refusal
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.dialect import as_moto_reads
from orgmon.sandbox.emulator import Emulator
from orgmon.sandbox.identity import Identity, KeyProblem, KeyRefused, Signer
from orgmon.sandbox.models import GLOBAL_SERVICES, services_signed_as
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.reply import HttpReply, answer, legible, read_answer, refuse
from orgmon.sandbox.strangers import is_stranger, likely_protocol, wanted_operation
from orgmon.sandbox.trouble import Trouble
from orgmon.sandbox.wire import UNKNOWN_OPERATION, WireCall, parse, protocol_of, read_request, scope_of

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Gateway:
    """Answers API calls. ``before`` and ``after`` hooks run around every call that could be parsed and identified.

    What an ``after`` hook raises does not break the call; it is collected in ``hook_errors``.
    """

    def __init__(
        self,
        clock: Clock,
        operations: Operations,
        trouble: Trouble,
        identity: Identity,
        organization: OrgView,
        authorizer: Authorizer,
    ) -> None:
        self._clock = clock
        self._operations = operations
        self._trouble = trouble
        self._identity = identity
        self._organization = organization
        self._authorizer = authorizer
        self._moto = Emulator()
        self.before: list[Hook] = []
        self.after: list[Hook] = []
        self.hook_errors: list[BaseException] = []

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        reply = self.handle(environ)
        headers = list(reply.headers)
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers.append(("Content-Length", str(len(reply.body))))
        start_response(f"{reply.status} {_phrase(reply.status)}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else reply.body]

    def handle(self, environ: dict[str, Any]) -> HttpReply:
        """Answer one request."""
        request = read_request(environ)
        request_id = str(uuid.uuid4())
        try:
            wire = parse(request)
            signer = self._identified(wire)
        except Refusal as refusal:
            return self._refuse_unparsed(request, refusal, request_id)
        call = self._call(wire, signer, request, request_id)
        reply = self._answered(call, wire, signer, environ)
        if not call.internal:
            self._tell(call)
        return reply

    def _identified(self, wire: WireCall) -> Signer:
        try:
            signer = self._identity.resolve(wire.scope)
            is_open = wire.scope.region in self._organization.settings.enabled_regions(
                signer.principal.account
            )
            if not is_open and not signer.trusted:
                raise KeyRefused(KeyProblem.UNKNOWN)
        except KeyRefused as refused:
            raise wording.bad_key(wire.service, wire.protocol, refused.problem) from refused
        return signer

    def _refuse_unparsed(self, request: Request, refusal: Refusal, request_id: str) -> HttpReply:
        name = scope_of(request).signing_name
        service = next(iter(services_signed_as(name)), "")
        protocol = protocol_of(request, service) or likely_protocol(request)
        if not name:
            refusal = wording.bad_key(service, protocol, KeyProblem.MISSING)
        elif is_stranger(request, refusal.code == UNKNOWN_OPERATION):
            protocol = likely_protocol(request)
            refusal = wording.not_there(name, wanted_operation(request))
        return refuse(protocol, service, refusal, request_id)

    def _call(self, wire: WireCall, signer: Signer, request: Request, request_id: str) -> Call:
        call = Call(
            service=wire.service,
            operation=wire.operation,
            region="us-east-1" if wire.service in GLOBAL_SERVICES else wire.scope.region,
            account=signer.principal.account,
            principal=signer.principal,
            params=wire.params,
            request_id=request_id,
            time=self._clock.now(),
            source_address=signer.invoked_by or request.remote_addr or "127.0.0.1",
            user_agent=signer.invoked_by or request.headers.get("user-agent", ""),
            invoked_by=signer.invoked_by,
            endpoint=request.host_url,
            internal=not signer.recorded,
            trusted=signer.trusted,
        )
        self._authorizer.address(call)
        return call

    def _answered(self, call: Call, wire: WireCall, signer: Signer, environ: dict[str, Any]) -> HttpReply:
        try:
            return self._understood(call, wire, environ)
        except Refusal as refusal:
            call.error, call.status = refusal, refusal.status
            return refuse(wire.protocol, wire.service, refusal, call.request_id, wire.model)

    def _understood(self, call: Call, wire: WireCall, environ: dict[str, Any]) -> HttpReply:
        """The answer, or a Refusal: what nobody foresaw is one, too."""
        try:
            too_fast = self._throttled(call, wire)
            if too_fast is not None:
                return too_fast
            self._admit(call, wire.protocol)
            return self._performed(call, wire, environ)
        except Refusal:
            raise
        except Exception as error:
            self.hook_errors.append(error)
            raise wording.broken(call.service, call.operation, error) from error

    def _throttled(self, call: Call, wire: WireCall) -> HttpReply | None:
        """The answer to a call that comes too fast, None for others. Raises Refusal where it fails as a whole."""
        what = (call.service, call.operation, call.account)
        if call.internal or not (
            self._trouble.is_throttled(*what) or self._trouble.is_too_fast(*what, call.region, call.time)
        ):
            return None
        output = wording.throttled_entries(call)
        if output is None:
            raise wording.throttled(call.service, wire.protocol)
        call.response = output
        return answer(wire, output, call.request_id)

    def _admit(self, call: Call, protocol: str) -> None:
        if call.internal:
            return
        if self._trouble.is_denied(call.service, call.operation, call.account):
            raise wording.access_denied(call, protocol, "with an explicit deny in a service control policy")
        why = None if call.trusted else self._authorizer.check(call)
        if why is not None:
            raise wording.access_denied(call, protocol, why)

    def _performed(self, call: Call, wire: WireCall, environ: dict[str, Any]) -> HttpReply:
        for hook in self.before:
            hook(call)
        handler = self._operations.find(call.service, call.operation)
        if handler is None:
            return self._asked_moto(call, wire, environ)
        output = handler(call)
        reply = answer(wire, output, call.request_id)
        call.response, call.status = output, reply.status
        return reply

    def _asked_moto(self, call: Call, wire: WireCall, environ: dict[str, Any]) -> HttpReply:
        try:
            spoken, asked = as_moto_reads(wire, environ)
            reply = legible(spoken, self._moto.ask(call.service, call.resource_account, asked))
            call.response, call.error = read_answer(spoken, reply)
            call.status = reply.status
            amended = self._amended(call)
        except NotImplementedError as error:
            raise wording.not_there(call.service, call.operation) from error
        if call.error is not None and spoken is not wire:
            raise call.error
        if call.response is not None and (amended or spoken is not wire):
            return answer(wire, call.response, call.request_id)
        return _with_id(reply, call.request_id)

    def _amended(self, call: Call) -> bool:
        """Put moto's answer right where somebody knows how; false where nobody does."""
        amendments = self._operations.amendments(call.service, call.operation)
        for amendment in amendments:
            if call.response is not None:
                call.response = amendment(call, call.response)
        return bool(amendments)

    def _tell(self, call: Call) -> None:
        for hook in self.after:
            try:
                hook(call)
            except Exception as error:
                self.hook_errors.append(error)


def _with_id(reply: HttpReply, request_id: str) -> HttpReply:
    dropped = ("x-amzn-requestid", "x-amz-request-id", "connection", "date", "server")
    kept = tuple((name, value) for name, value in reply.headers if name.lower() not in dropped)
    return HttpReply(reply.status, (*kept, ("x-amzn-RequestId", request_id)), reply.body)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
