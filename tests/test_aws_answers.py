"""What is not AWS's answer: pages of proxies, cut and empty contents, over a real connection to a server of strangers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.session
import pytest

from orgmon.aws.answers import UnreadableAnswer
from orgmon.aws.clients import PAUSES, Caller, shared_client
from orgmon.aws.errors import NOT_AWS, translated
from orgmon.aws.rate import RateLimiter
from orgmon.errors import AwsError

PAGE = b"<html><head><title>Sign in</title></head><body><p>Welcome</p></body></html>"
SLOPPY = b"<!DOCTYPE html><html><head><meta charset=utf-8><body><br>Who are you &nbsp; ?"
NUMBERED = {"x-amzn-RequestId": "1", "x-amz-request-id": "1"}


@dataclass(frozen=True)
class Answer:
    """What a server says. It may promise more content than it gives."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0


class Strangers(ThreadingHTTPServer):
    """A server that gives the answers it was told to, in turn; the last one stays."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.asked = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Strangers
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self._read()
        self.server.asked += 1
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(answer.status)
        for name, value in (
            {"Content-Length": str(len(answer.body) + answer.missing)} | answer.headers
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else answer.body)
        self.close_connection = bool(answer.missing)

    def _read(self) -> None:
        """S3's contents come in chunks."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline(), 16):
            self.rfile.read(size + 2)
        self.rfile.readline()

    do_GET = do_PUT = do_HEAD = do_POST

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[Strangers]:
    """A server on this machine."""
    with Strangers() as strangers:
        thread = threading.Thread(target=lambda: strangers.serve_forever(poll_interval=0.01), daemon=True)
        thread.start()
        yield strangers
        strangers.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def clients(server: Strangers) -> Iterator[dict[str, Any]]:
    """Clients of three protocols whose AWS is the server; reads are repeated three times, without pausing."""
    session = botocore.session.Session()
    session.set_credentials("AKIA", "secret")
    session.set_config_variable("region", "us-east-1")
    session.get_component("config_store").set_config_variable("endpoint_url", server.url)
    caller = Caller("nobody", RateLimiter(per_second=100_000))
    by_name = {
        name: shared_client(session, name, "us-east-1", pauses=(0.0,) * len(PAUSES)).called_by(caller)
        for name in ("cloudformation", "organizations", "s3")
    }
    yield by_name
    for client in by_name.values():
        client.close()


Call = Callable[[dict[str, Any]], Any]
READS: dict[str, Call] = {
    "query": lambda clients: clients["cloudformation"].describe_stacks(),
    "query pages": lambda clients: list(clients["cloudformation"].get_paginator("list_stacks").paginate()),
    "json": lambda clients: clients["organizations"].describe_organization(),
    "json pages": lambda clients: list(clients["organizations"].get_paginator("list_accounts").paginate()),
    "rest-xml": lambda clients: clients["s3"].list_objects_v2(Bucket="bucket"),
    "stream": lambda clients: clients["s3"].get_object(Bucket="bucket", Key="key"),
}
WRITES: dict[str, Call] = {
    "query": lambda clients: clients["cloudformation"].delete_stack(StackName="stack"),
    "json": lambda clients: clients["organizations"].enable_aws_service_access(
        ServicePrincipal="x.amazonaws.com"
    ),
    "rest-xml": lambda clients: clients["s3"].put_object(Bucket="bucket", Key="key", Body=b"content"),
    "head": lambda clients: clients["s3"].head_object(Bucket="bucket", Key="key"),
}
STRANGE = {
    "a page": Answer(PAGE),
    "a page that is no XML": Answer(SLOPPY),
    "nothing": Answer(),
    "a refusal of somebody else's": Answer(PAGE, 403),
    "another refusal": Answer(SLOPPY, 407),
    "a place that is not there": Answer(PAGE, 404),
    "the way to a portal": Answer(PAGE, 302, {"Location": "http://portal.example"}),
    "the way to another portal": Answer(PAGE, 301, {"Location": "http://portal.example"}),
    "bytes": Answer(b"\x00\xff\xfe"),
    "an element": Answer(b"<a/>"),
}
GARBLED = {
    **{
        f"a page with AWS's numbers, {call}": (call, Answer(PAGE, headers=NUMBERED))
        for call in ("query", "json", "rest-xml")
    },
    "cut XML": (
        "query",
        Answer(b"<DescribeStacksResponse><DescribeStacksResult><Stacks><mem", headers=NUMBERED),
    ),
    "XML of another call": ("query", Answer(b"<ListUsersResponse/>", headers=NUMBERED)),
    "no XML": ("query", Answer(headers=NUMBERED)),
    "a time that is none": (
        "query pages",
        Answer(
            b"<ListStacksResponse><ListStacksResult><StackSummaries><member><CreationTime>soon</CreationTime>"
            b"</member></StackSummaries></ListStacksResult></ListStacksResponse>",
            headers=NUMBERED,
        ),
    ),
    "cut JSON": ("json", Answer(b'{"Organization": {"Id": "o-', headers=NUMBERED)),
    "a list": ("json", Answer(b"[1, 2]", headers=NUMBERED)),
    "a text": ("json pages", Answer(b'"Accounts"', headers=NUMBERED)),
    "a text in the place of a structure": ("json", Answer(b'{"Organization": "mine"}', headers=NUMBERED)),
    "no JSON": ("json", Answer(headers=NUMBERED)),
    "no listing": ("rest-xml", Answer(headers=NUMBERED)),
}


def refusal(server: Strangers, call: Call, clients: dict[str, Any], *answers: Answer) -> AwsError:
    """The error that a call ends with."""
    server.answers, server.asked = list(answers), 0
    with pytest.raises(AwsError) as caught, translated("call"):
        call(clients)
    return caught.value


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize("strange", STRANGE)
def test_a_read_that_strangers_answer_is_repeated_and_then_told(
    server: Strangers, clients: dict[str, Any], call: str, strange: str
) -> None:
    error = refusal(server, READS[call], clients, STRANGE[strange])
    assert (error.code, server.asked) == (NOT_AWS, 1 + len(PAUSES))
    assert "proxy" in error.remedy


@pytest.mark.parametrize("call", WRITES)
@pytest.mark.parametrize("strange", STRANGE)
def test_a_write_that_strangers_answer_is_not_repeated(
    server: Strangers, clients: dict[str, Any], call: str, strange: str
) -> None:
    error = refusal(server, WRITES[call], clients, STRANGE[strange])
    assert (error.code, server.asked) == (NOT_AWS, 1)


@pytest.mark.parametrize("garbled", GARBLED)
def test_a_garbled_answer_is_no_answer(server: Strangers, clients: dict[str, Any], garbled: str) -> None:
    call, answer = GARBLED[garbled]
    error = refusal(server, READS[call], clients, answer)
    assert (error.code, server.asked) == (NOT_AWS, 1 + len(PAUSES))


def test_a_page_is_shown_as_it_begins(server: Strangers, clients: dict[str, Any]) -> None:
    error = refusal(server, READS["json"], clients, Answer(PAGE, headers={"Content-Type": "text/html"}))
    assert "status 200, text/html, 75 bytes: '<html><head><title>Sign in" in error.message


GOOD = Answer(b'{"Organization": {"Id": "o-abcdefghij"}}', headers=NUMBERED)


@pytest.mark.parametrize("strange", STRANGE)
def test_a_read_goes_on_after_a_strange_answer(
    server: Strangers, clients: dict[str, Any], strange: str
) -> None:
    server.answers = [STRANGE[strange], GOOD]
    assert READS["json"](clients)["Organization"]["Id"] == "o-abcdefghij"


@pytest.mark.parametrize("first", [Answer(b'{"Org', missing=500, headers=NUMBERED), Answer(PAGE, 502)])
def test_what_breaks_off_and_the_pages_of_servers_in_trouble_are_repeated_by_the_sdk(
    server: Strangers, clients: dict[str, Any], first: Answer
) -> None:
    server.answers, server.asked = [first, GOOD], 0
    assert READS["json"](clients)["Organization"]["Id"] == "o-abcdefghij"
    assert server.asked == 2


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (READS["json pages"], Answer(b'{"Accounts": []}', headers=NUMBERED)),
        (WRITES["json"], Answer(headers=NUMBERED)),
        (WRITES["rest-xml"], Answer(headers=NUMBERED)),
        (WRITES["head"], Answer(headers=NUMBERED)),
        (READS["rest-xml"], Answer(b"<ListBucketResult/>", headers=NUMBERED)),
        (WRITES["query"], Answer(b"<DeleteStackResponse/>", headers=NUMBERED)),
    ],
)
def test_aws_may_answer_with_little(
    server: Strangers, clients: dict[str, Any], call: Call, answer: Answer
) -> None:
    server.answers, server.asked = [answer], 0
    call(clients)
    assert server.asked == 1


def test_what_an_object_holds_may_be_a_page(server: Strangers, clients: dict[str, Any]) -> None:
    server.answers, server.asked = [Answer(PAGE, headers=NUMBERED)], 0
    assert READS["stream"](clients)["Body"].read() == PAGE
    assert server.asked == 1


def test_a_refusal_of_aws_is_one_and_is_not_repeated(server: Strangers, clients: dict[str, Any]) -> None:
    said = b'{"__type": "AccessDeniedException", "Message": "no"}'
    error = refusal(server, READS["json"], clients, Answer(said, 400, NUMBERED))
    assert (error.code, error.message, server.asked) == ("AccessDeniedException", "no", 1)


def test_what_the_sdk_alone_stumbles_over_is_translated_too() -> None:
    with pytest.raises(AwsError) as caught, translated("call"):
        raise UnreadableAnswer("a page")
    assert (caught.value.code, caught.value.message) == (NOT_AWS, "a page")
