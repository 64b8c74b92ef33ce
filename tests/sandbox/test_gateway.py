"""The gateway: what it lets through, what it refuses and how, who hears of it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.calls import Call, Refusal, service_principal
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.server import Server
from orgmon.sandbox.world import World

from .conftest import DEV, HOME, MANAGEMENT, PROD, SEED


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def message_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Message"])


def once(world: World, service: str, account: str, region: str = HOME) -> Any:
    """A client of the account's administrator that does not try again."""
    config = Config(retries={"total_max_attempts": 1})
    return world.session(account, region=region).client(service, config=config)


class Listener:
    """An ``after`` hook that keeps the calls."""

    def __init__(self, world: World) -> None:
        self.calls: list[Call] = []
        world.after.append(self.calls.append)

    @property
    def names(self) -> list[str]:
        return [call.operation for call in self.calls]


def test_accounts_are_isolated(world: World) -> None:
    once(world, "sqs", PROD).create_queue(QueueName="q")
    assert once(world, "sqs", DEV).list_queues().get("QueueUrls") is None
    assert once(world, "sqs", PROD).list_queues()["QueueUrls"]


def test_regions_are_isolated(world: World) -> None:
    once(world, "logs", PROD).create_log_group(logGroupName="g")
    assert once(world, "logs", PROD, "us-east-1").describe_log_groups()["logGroups"] == []


def test_hooks_hear_of_every_call_with_its_answer(world: World) -> None:
    heard = Listener(world)
    once(world, "iam", PROD, "us-east-1").create_user(UserName="alice")
    call = heard.calls[0]
    assert (call.service, call.operation, call.region, call.account) == (
        "iam",
        "CreateUser",
        "us-east-1",
        PROD,
    )
    assert call.params == {"UserName": "alice"}
    assert call.response is not None
    assert call.response["User"]["UserName"] == "alice"
    assert call.principal.arn == f"arn:aws:iam::{PROD}:user/admin"
    assert call.resource == f"arn:aws:iam::{PROD}:user/alice"


def test_hooks_hear_of_failed_calls(world: World) -> None:
    heard = Listener(world)
    with pytest.raises(ClientError):
        once(world, "iam", PROD).get_role(RoleName="nobody")
    assert heard.calls[0].error is not None
    assert heard.calls[0].error.code == "NoSuchEntity"
    assert heard.calls[0].response is None


def test_the_caller_and_the_hooks_see_the_same_request_id(world: World) -> None:
    heard = Listener(world)
    answer = once(world, "logs", PROD).describe_log_groups()
    assert answer["ResponseMetadata"]["RequestId"] == heard.calls[0].request_id


def test_housekeeping_is_not_heard_of(world: World) -> None:
    heard = Listener(world)
    world.client("iam", PROD, HOME).list_roles()
    world.client("iam", PROD, HOME, invoked_by="cloudformation.amazonaws.com").list_users()
    assert heard.names == ["ListUsers"]
    assert heard.calls[0].invoked_by == heard.calls[0].source_address == "cloudformation.amazonaws.com"


def test_global_services_are_called_in_one_region(world: World) -> None:
    heard = Listener(world)
    with world.serve() as server:
        key, secret = world.admin_key(PROD)
        session = boto3.Session(key, secret, region_name=HOME)
        session.client("iam", endpoint_url=server.url).list_users()
    assert heard.calls[0].region == "us-east-1"


def test_a_hook_that_breaks_is_seen_but_breaks_nothing() -> None:
    def broken(call: Call) -> None:
        raise RuntimeError("the hook is broken")

    with World(SEED, clock=Clock(speed=0)) as world:
        world.after.append(broken)
        assert once(world, "sts", PROD).get_caller_identity()["Account"] == PROD
        assert [str(error) for error in world.hook_errors] == ["the hook is broken"]


def test_an_engine_that_breaks_is_an_internal_failure() -> None:
    def broken(call: Call) -> dict[str, Any]:
        raise RuntimeError("the engine is broken")

    with World(SEED, clock=Clock(speed=0)) as world:
        world.operations.register("sns", "ListTopics", broken)
        with pytest.raises(ClientError) as caught:
            once(world, "sns", PROD).list_topics()
        assert code_of(caught) == "InternalFailure"
        assert len(world.hook_errors) == 1


def test_a_hook_before_may_refuse(world: World) -> None:
    def refuse(call: Call) -> None:
        raise Refusal("NotToday", "come again")

    world.before.append(refuse)
    with pytest.raises(ClientError, match="NotToday"):
        once(world, "sns", PROD).list_topics()


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("cloudwatch", "put_composite_alarm", {"AlarmName": "a", "AlarmRule": "ALARM(b)"}),
        ("organizations", "list_handshakes_for_account", {}),
        ("chatbot", "describe_slack_channel_configurations", {}),
    ],
)
def test_what_is_not_there_says_so(
    world: World, service: str, method: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="sandbox does not have") as caught:
        getattr(once(world, service, MANAGEMENT), method)(**arguments)
    assert code_of(caught) == "NotImplemented"


@pytest.mark.parametrize(
    ("service", "method", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("iam", "list_users", "InvalidClientTokenId"),
        ("organizations", "list_roots", "UnrecognizedClientException"),
        ("lambda", "list_functions", "UnrecognizedClientException"),
        ("cloudwatch", "describe_alarms", "InvalidClientTokenId"),
        ("ec2", "describe_regions", "AuthFailure"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_unknown_keys_are_refused(server: Server, service: str, method: str, code: str) -> None:
    for key in ("AKIAIOSFODNN7EXAMPLE", PROD):
        client = boto3.client(
            service,
            region_name=HOME,
            endpoint_url=server.url,
            aws_access_key_id=key,
            aws_secret_access_key="x",
        )
        with pytest.raises(ClientError) as caught:
            getattr(client, method)()
        assert code_of(caught) == code


def test_unsigned_calls_are_refused(server: Server) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/bucket/key")
    assert caught.value.code == 403
    assert b"MissingAuthenticationToken" in caught.value.read()


def test_a_region_that_is_not_enabled_knows_nobody(world: World) -> None:
    client = once(world, "logs", PROD, "me-south-1")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        client.describe_log_groups()
    once(world, "account", MANAGEMENT).enable_region(AccountId=PROD, RegionName="me-south-1")
    assert client.describe_log_groups()["logGroups"] == []


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    with world.serve() as serving:
        yield serving


def test_any_client_can_speak_to_the_server(world: World, server: Server) -> None:
    key, secret = world.admin_key(PROD)
    session = boto3.Session(key, secret, region_name=HOME)
    s3 = session.client("s3", endpoint_url=server.url)
    s3.create_bucket(Bucket="some-bucket", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_object(Bucket="some-bucket", Key="a/b c", Body=b"body")
    assert s3.get_object(Bucket="some-bucket", Key="a/b c")["Body"].read() == b"body"
    assert (
        world.session(PROD).client("s3").head_object(Bucket="some-bucket", Key="a/b c")["ContentLength"] == 4
    )


def test_the_server_prints_nothing(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    with world.serve() as server:
        key, secret = world.admin_key(PROD)
        boto3.Session(key, secret, region_name=HOME).client(
            "sts", endpoint_url=server.url
        ).get_caller_identity()
    assert capfd.readouterr() == ("", "")


def controlled(server: Server, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{server.url}/_sandbox/{name}", data) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def test_controls_are_json_endpoints(world: World, server: Server) -> None:
    assert controlled(server, "health")["accounts"] == 5
    before = world.clock.now()
    controlled(server, "clock", {"advance": 90})
    assert (world.clock.now() - before).total_seconds() >= 90
    world.controls["echo"] = lambda query, body: {"query": query, "body": body}
    assert controlled(server, "echo?a=1", {"b": 2}) == {"query": {"a": "1"}, "body": {"b": 2}}


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [("nonsense", {}, 404), ("clock", {"advance": -1}, 400), ("trouble", {"kind": "flood"}, 400)],
)
def test_a_control_says_what_is_wrong(server: Server, name: str, body: dict[str, Any], status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        controlled(server, name, body)
    assert caught.value.code == status
    assert json.load(caught.value)["error"]


def test_many_threads_at_once(world: World) -> None:
    def work(number: int) -> int:
        sqs = world.client("sqs", (PROD, DEV)[number % 2], HOME)
        url = sqs.create_queue(QueueName=f"q{number}")["QueueUrl"]
        for part in range(5):
            sqs.send_message(QueueUrl=url, MessageBody=str(part))
        return len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(24))) == [5] * 24


def test_services_call_by_their_own_name(world: World) -> None:
    queue = once(world, "sqs", PROD).create_queue(QueueName="q")["QueueUrl"]
    events = service_principal("events.amazonaws.com", PROD)
    client = world.client("sqs", PROD, HOME, principal=events)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.send_message(QueueUrl=queue, MessageBody="m")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    once(world, "sqs", PROD).set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    assert client.send_message(QueueUrl=queue, MessageBody="m")["MessageId"]
