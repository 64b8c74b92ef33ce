"""Topics, subscriptions, queues and functions: what arrives, and what has to be granted for it."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox import actors
from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import DEV, HOME, PROD, SECURITY
from tests.sandbox.services import (
    allow,
    bodies,
    client,
    document,
    log_messages,
    make_key,
    make_organization_trail,
    make_queue,
    make_role,
    make_topic,
    messages,
    service,
)

INBOX = f"arn:aws:sqs:{HOME}:{SECURITY}:inbox"


def mailbox(sandbox: Sandbox) -> list[dict[str, str]]:
    """What humans got."""
    letters: list[dict[str, str]] = sandbox.world.controls["mailbox"]({}, {})["messages"]
    return letters


def test_a_message_is_wrapped_for_a_queue_and_noted_for_humans(sandbox: Sandbox) -> None:
    topic = make_topic(sandbox, "alerts", SECURITY)
    sns = client(sandbox, "sns", SECURITY)
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX)["SubscriptionArn"]
    assert arn.startswith(f"{topic}:")
    sns.publish(TopicArn=topic, Subject="[HIGH] look", Message="something happened")
    [letter] = mailbox(sandbox)
    assert (letter["to"], letter["topic"]) == (INBOX, topic)
    assert (letter["subject"], letter["text"]) == ("[HIGH] look", "something happened")
    [envelope] = bodies(sandbox, INBOX)
    assert (envelope["Type"], envelope["TopicArn"]) == ("Notification", topic)
    assert (envelope["Subject"], envelope["Message"]) == ("[HIGH] look", "something happened")
    assert len(mailbox(sandbox)) == 1


def test_raw_delivery_and_filter_policies(sandbox: Sandbox) -> None:
    topic = make_topic(sandbox, "alerts", SECURITY)
    sns = client(sandbox, "sns", SECURITY)
    attributes = {
        "RawMessageDelivery": "true",
        "FilterPolicyScope": "MessageBody",
        "FilterPolicy": json.dumps({"severity": ["high"]}),
    }
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX, Attributes=attributes)
    for severity in ("low", "high"):
        sns.publish(TopicArn=topic, Message=json.dumps({"severity": severity}))
    assert bodies(sandbox, INBOX) == [{"severity": "high"}]


def test_without_the_queue_s_policy_a_message_goes_to_the_subscription_s_dead_letters(
    sandbox: Sandbox,
) -> None:
    topic = make_topic(sandbox, "alerts", SECURITY)
    closed = make_queue(sandbox, "closed", SECURITY)
    dead = f"arn:aws:sqs:{HOME}:{SECURITY}:dead"
    make_queue(sandbox, "dead", SECURITY, document(allow("sqs:SendMessage", dead, Principal=service("sns"))))
    sns = client(sandbox, "sns", SECURITY)
    policy = json.dumps({"deadLetterTargetArn": dead})
    made = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=closed, Attributes={"RedrivePolicy": policy}
    )
    sns.publish(TopicArn=topic, Message="one")
    assert messages(sandbox, closed) == []
    assert [each["Message"] for each in bodies(sandbox, dead)] == ["one"]
    sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed)
    sns.publish(TopicArn=topic, Message="two")
    assert [(loss.target, loss.code) for loss in sandbox.signals.lost] == [(closed, "NO_PERMISSIONS")]


def test_a_queue_s_policy_names_the_topic(sandbox: Sandbox) -> None:
    arn = f"arn:aws:sqs:{HOME}:{SECURITY}:picky"
    good = f"arn:aws:sns:{HOME}:{SECURITY}:good"
    condition = {"ArnEquals": {"aws:SourceArn": good}}
    make_queue(
        sandbox,
        "picky",
        SECURITY,
        document(allow("sqs:SendMessage", arn, Principal=service("sns"), Condition=condition)),
    )
    sns = client(sandbox, "sns", SECURITY)
    for name in ("good", "bad"):
        topic = make_topic(sandbox, name, SECURITY)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        sns.publish(TopicArn=topic, Message=name)
    assert [each["Message"] for each in bodies(sandbox, arn)] == ["good"]


def test_a_publisher_needs_the_topic_s_key(sandbox: Sandbox) -> None:
    key = make_key(sandbox, SECURITY)
    topic = make_topic(sandbox, "alerts", SECURITY, KmsMasterKeyId=key)
    publish = allow("sns:Publish", topic)
    make_role(sandbox, "sayer", SECURITY, "lambda", publish)
    sns = client(sandbox, "sns", SECURITY)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX)
    speaker = sandbox.world.session(SECURITY, role_name="sayer").client("sns")
    with pytest.raises(ClientError, match="KMSAccessDenied"):
        speaker.publish(TopicArn=topic, Message="no")
    use = allow(["kms:GenerateDataKey", "kms:Decrypt"], f"arn:aws:kms:{HOME}:{SECURITY}:key/{key}")
    policy = document(publish, use)
    client(sandbox, "iam", SECURITY).put_role_policy(
        RoleName="sayer", PolicyName="may", PolicyDocument=policy
    )
    speaker.publish(TopicArn=topic, Message="yes")
    assert [each["Message"] for each in bodies(sandbox, INBOX)] == ["yes"]


@pytest.mark.parametrize("subject", ["", "x" * 101, "two\nlines", " leading"])
def test_subjects_that_sns_refuses(sandbox: Sandbox, subject: str) -> None:
    topic = make_topic(sandbox, "alerts", SECURITY)
    with pytest.raises(ClientError, match="InvalidParameter"):
        client(sandbox, "sns", SECURITY).publish(TopicArn=topic, Message="x", Subject=subject)


def test_publishing_to_a_topic_that_is_not_there(sandbox: Sandbox) -> None:
    arn = f"arn:aws:sns:{HOME}:{SECURITY}:nowhere"
    with pytest.raises(ClientError, match="NotFound"):
        client(sandbox, "sns", SECURITY).publish(TopicArn=arn, Message="x")


def test_mail_waits_for_its_confirmation_and_is_forgotten_after_two_days(sandbox: Sandbox) -> None:
    topic = make_topic(sandbox, "alerts", SECURITY)
    sns = client(sandbox, "sns", SECURITY)
    answers = [
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=f"{name}@example.com")
        for name in ("soc", "nobody")
    ]
    assert {each["SubscriptionArn"] for each in answers} == {"pending confirmation"}
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {each["SubscriptionArn"] for each in listed} == {"PendingConfirmation"}
    sns.publish(TopicArn=topic, Message="too early")
    assert [each["to"] for each in mailbox(sandbox)] == ["soc@example.com", "nobody@example.com"]
    token = re.search(r"\b[0-9a-f]{64}\b", mailbox(sandbox)[0]["text"])
    assert token is not None
    sns.confirm_subscription(TopicArn=topic, Token=token[0], AuthenticateOnUnsubscribe="true")
    sns.publish(TopicArn=topic, Message="heard")
    assert [(each["to"], each["text"]) for each in mailbox(sandbox)[2:]] == [("soc@example.com", "heard")]
    sandbox.settle(48 * 3600 + 1)
    [left] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert left["Endpoint"] == "soc@example.com"
    attributes = sns.get_subscription_attributes(SubscriptionArn=left["SubscriptionArn"])["Attributes"]
    assert attributes["ConfirmationWasAuthenticated"] == "true"


def test_a_wrong_token_confirms_nothing(sandbox: Sandbox) -> None:
    topic = make_topic(sandbox, "alerts", SECURITY)
    with pytest.raises(ClientError, match="Token"):
        client(sandbox, "sns", SECURITY).confirm_subscription(TopicArn=topic, Token="0" * 64)


CODE = """
import json, os, boto3

def handler(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        print("got", body["n"])
        if body.get("crash"):
            raise RuntimeError("crashed")
        if body.get("bad"):
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Message=str(body["n"]))
    return {"batchItemFailures": failed}

def whoami(event, context):
    arn = boto3.client("sts").get_caller_identity()["Arn"]
    return {"arn": arn, "region": os.environ["AWS_REGION"], "event": event,
            "function": context.invoked_function_arn}

def endless(event, context):
    while True:
        pass

def leave(event, context):
    os._exit(1)
"""


@dataclass(frozen=True)
class Pipeline:
    """A queue, a function that reads it, and the topic to which the function publishes what it got."""

    sandbox: Sandbox
    queue: str
    dead: str
    key: str

    def send(self, **body: Any) -> None:
        """Put a message into the queue and let it be read."""
        sqs = client(self.sandbox, "sqs", SECURITY)
        url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
        self.sandbox.settle(1)

    def heard(self) -> list[str]:
        """What the function published."""
        return [each["text"] for each in mailbox(self.sandbox)]

    def grant(self, *statements: dict[str, Any]) -> None:
        """Let the function's role do exactly this."""
        client(self.sandbox, "iam", SECURITY).put_role_policy(
            RoleName="worker", PolicyName="may", PolicyDocument=document(*statements)
        )


def zipped(code: str) -> bytes:
    """A zip with the code as ``app.py``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    return buffer.getvalue()


def grants(key: str) -> dict[str, dict[str, Any]]:
    """Everything that the function's role needs, by what it is for."""
    queue = f"arn:aws:sqs:{HOME}:{SECURITY}:work"
    logs = f"arn:aws:logs:{HOME}:{SECURITY}:log-group:/aws/lambda/work:*"
    return {
        "take": allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queue),
        "key": allow("kms:Decrypt", f"arn:aws:kms:{HOME}:{SECURITY}:key/{key}"),
        "say": allow("sns:Publish", f"arn:aws:sns:{HOME}:{SECURITY}:alerts"),
        "log": allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs),
    }


def make_function(sandbox: Sandbox, name: str, handler: str, role: str, **more: Any) -> None:
    """A function of the test's code."""
    client(sandbox, "lambda", SECURITY).create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler=f"app.{handler}",
        Role=role,
        Code={"ZipFile": zipped(CODE)},
        **{"Timeout": 10, **more},
    )


@pytest.fixture
def pipeline(sandbox: Sandbox) -> Pipeline:
    """Everything in place and granted."""
    topic = make_topic(sandbox, "alerts", SECURITY)
    client(sandbox, "sns", SECURITY).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX)
    key = make_key(sandbox, SECURITY)
    dead = make_queue(sandbox, "dead", SECURITY)
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    queue = make_queue(
        sandbox, "work", SECURITY, KmsMasterKeyId=key, RedrivePolicy=redrive, VisibilityTimeout="60"
    )
    role = make_role(sandbox, "worker", SECURITY, "lambda", *grants(key).values())
    client(sandbox, "logs", SECURITY).create_log_group(logGroupName="/aws/lambda/work")
    make_function(sandbox, "work", "handler", role, Environment={"Variables": {"TOPIC": topic}})
    client(sandbox, "lambda", SECURITY).create_event_source_mapping(
        FunctionName="work",
        EventSourceArn=queue,
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    return Pipeline(sandbox, queue, dead, key)


def metric(sandbox: Sandbox, name: str) -> float:
    """The sum of a metric of the function."""
    listed = sandbox.world.store("cloudwatch", SECURITY, HOME).metric_data
    values = [each.value for each in listed if (each.namespace, each.name) == ("AWS/Lambda", name)]
    return float(sum(values))


def test_a_function_s_own_code_reads_the_queue(pipeline: Pipeline) -> None:
    pipeline.send(n=1)
    pipeline.send(n=2)
    assert pipeline.heard() == ["1", "2"]
    assert messages(pipeline.sandbox, pipeline.queue) == []
    lines = log_messages(pipeline.sandbox, SECURITY, "/aws/lambda/work")
    assert [line.split(" RequestId")[0] for line in lines] == [
        *("START", "got 1", "END", "REPORT"),
        *("START", "got 2", "END", "REPORT"),
    ]
    assert lines[0].endswith(" Version: $LATEST")
    assert lines[3].split("\t")[3] == "Memory Size: 128 MB"
    assert (metric(pipeline.sandbox, "Invocations"), metric(pipeline.sandbox, "Errors")) == (2, 0)


def test_only_the_messages_that_failed_come_again_and_end_as_dead_letters(pipeline: Pipeline) -> None:
    pipeline.send(n=1, bad=True)
    pipeline.send(n=2)
    assert pipeline.heard() == ["2"]
    assert metric(pipeline.sandbox, "Invocations") == 2
    pipeline.sandbox.settle(61)
    assert metric(pipeline.sandbox, "Invocations") == 3
    assert messages(pipeline.sandbox, pipeline.dead) == []
    pipeline.sandbox.settle(61)
    assert metric(pipeline.sandbox, "Invocations") == 3
    assert [each["n"] for each in bodies(pipeline.sandbox, pipeline.dead)] == [1]


def test_a_crash_is_an_error_of_the_function_and_the_batch_comes_again(pipeline: Pipeline) -> None:
    pipeline.send(n=1, crash=True)
    assert metric(pipeline.sandbox, "Errors") == 1
    assert "RuntimeError: crashed" in log_messages(pipeline.sandbox, SECURITY, "/aws/lambda/work")
    pipeline.sandbox.settle(130)
    assert metric(pipeline.sandbox, "Errors") == 2
    assert [each["n"] for each in bodies(pipeline.sandbox, pipeline.dead)] == [1]


@pytest.mark.parametrize("missing", ["take", "key"])
def test_without_the_role_s_rights_the_queue_is_not_read(pipeline: Pipeline, missing: str) -> None:
    needed = grants(pipeline.key)
    pipeline.grant(*(each for name, each in needed.items() if name != missing))
    pipeline.send(n=1)
    assert pipeline.heard() == []
    assert metric(pipeline.sandbox, "Invocations") == 0
    assert pipeline.queue in {loss.source for loss in pipeline.sandbox.signals.lost}
    pipeline.grant(*needed.values())
    pipeline.sandbox.settle(61)
    assert pipeline.heard() == ["1"]


def test_without_the_right_to_publish_the_function_fails(pipeline: Pipeline) -> None:
    needed = grants(pipeline.key)
    pipeline.grant(*(each for name, each in needed.items() if name != "say"))
    pipeline.send(n=1)
    assert pipeline.heard() == []
    assert metric(pipeline.sandbox, "Errors") == 1


def test_without_the_right_to_log_the_function_works_and_its_lines_are_lost(pipeline: Pipeline) -> None:
    needed = grants(pipeline.key)
    pipeline.grant(*(each for name, each in needed.items() if name != "log"))
    pipeline.send(n=1)
    assert pipeline.heard() == ["1"]
    assert log_messages(pipeline.sandbox, SECURITY, "/aws/lambda/work") == []


@pytest.mark.parametrize("may_create", [True, False])
def test_a_function_makes_its_log_group_if_its_role_may(sandbox: Sandbox, may_create: bool) -> None:
    arn = f"arn:aws:logs:{HOME}:{SECURITY}:log-group:/aws/lambda/fresh:*"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents", *(["logs:CreateLogGroup"] if may_create else [])]
    role = make_role(sandbox, "worker", SECURITY, "lambda", allow(actions, arn))
    make_function(sandbox, "fresh", "whoami", role)
    answer = client(sandbox, "lambda", SECURITY).invoke(FunctionName="fresh", LogType="Tail")
    assert base64.b64decode(answer["LogResult"]).startswith(b"START RequestId: ")
    groups = client(sandbox, "logs", SECURITY).describe_log_groups(logGroupNamePrefix="/aws/lambda/fresh")
    assert [each["logGroupName"] for each in groups["logGroups"]] == ["/aws/lambda/fresh"][: int(may_create)]
    if may_create:
        kinds = [line.split(" ")[0] for line in log_messages(sandbox, SECURITY, "/aws/lambda/fresh")]
        assert kinds == ["START", "END", "REPORT"]
    else:
        assert [loss.target for loss in sandbox.signals.lost] == ["/aws/lambda/fresh"]


def test_a_disabled_mapping_reads_nothing_until_it_is_enabled(pipeline: Pipeline) -> None:
    functions = client(pipeline.sandbox, "lambda", SECURITY)
    [mapping] = functions.list_event_source_mappings(FunctionName="work")["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    pipeline.send(n=1)
    assert pipeline.heard() == []
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    pipeline.sandbox.settle(1)
    assert pipeline.heard() == ["1"]


def test_new_code_replaces_the_warm_one(pipeline: Pipeline) -> None:
    pipeline.send(n=1)
    code = CODE.replace('str(body["n"])', '"new " + str(body["n"])')
    client(pipeline.sandbox, "lambda", SECURITY).update_function_code(
        FunctionName="work", ZipFile=zipped(code)
    )
    pipeline.send(n=2)
    assert pipeline.heard() == ["1", "new 2"]


def test_invoke_runs_the_function_as_its_role(sandbox: Sandbox) -> None:
    role = make_role(sandbox, "worker", SECURITY, "lambda")
    make_function(sandbox, "whoami", "whoami", role)
    functions = client(sandbox, "lambda", SECURITY)
    answer = functions.invoke(FunctionName="whoami", Payload=json.dumps({"a": 1}))
    told = json.loads(answer["Payload"].read())
    assert told["arn"] == f"arn:aws:sts::{SECURITY}:assumed-role/worker/whoami"
    assert (told["region"], told["event"]) == (HOME, {"a": 1})
    assert told["function"] == f"arn:aws:lambda:{HOME}:{SECURITY}:function:whoami"
    assert "FunctionError" not in answer


def test_a_function_that_takes_too_long_is_stopped(sandbox: Sandbox) -> None:
    role = make_role(sandbox, "worker", SECURITY, "lambda")
    make_function(sandbox, "endless", "endless", role, Timeout=1)
    answer = client(sandbox, "lambda", SECURITY).invoke(FunctionName="endless")
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 1.00 seconds" in answer["Payload"].read().decode()


def test_code_that_ends_the_process_or_cannot_be_imported_is_an_error(sandbox: Sandbox) -> None:
    role = make_role(sandbox, "worker", SECURITY, "lambda")
    functions = client(sandbox, "lambda", SECURITY)
    for handler, problem in (("leave", "Runtime.ExitError"), ("missing", "AttributeError")):
        make_function(sandbox, handler, handler, role)
        for _ in range(2):
            answer = functions.invoke(FunctionName=handler)
            assert json.loads(answer["Payload"].read())["errorType"] == problem


def test_a_role_that_lambda_cannot_assume_stops_everything(sandbox: Sandbox) -> None:
    role = make_role(sandbox, "worker", SECURITY, "lambda")
    make_function(sandbox, "whoami", "whoami", role)
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service("ec2")})
    client(sandbox, "iam", SECURITY).update_assume_role_policy(RoleName="worker", PolicyDocument=trust)
    with pytest.raises(ClientError, match="cannot be assumed by lambda"):
        client(sandbox, "lambda", SECURITY).invoke(FunctionName="whoami")


def test_somebody_joins(sandbox: Sandbox) -> None:
    account = actors.join(sandbox, "newcomer", "Root/Workloads/Dev")
    assert sandbox.world.organization.path_of(account) == "Root/Workloads/Dev"
    with pytest.raises(LookupError):
        actors.join(sandbox, "lost", "Root/Nowhere")


def test_an_attack_leaves_the_traces_that_it_should(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    template = json.dumps({"Resources": {"LedgerKey": {"Type": "AWS::SecretsManager::Secret"}}})
    client(sandbox, "cloudformation", PROD).create_stack(
        StackName="StackSet-settings-0123", TemplateBody=template
    )
    sandbox.engine.background.wait()
    attack = actors.attack(sandbox, PROD, HOME)
    assert [action.error for action in attack.actions[-2:]] == ["", "NotOrganizationMasterAccountException"]
    assert any("LedgerKey-" in action.what for action in attack.actions)
    records = [*sandbox.trail.records(PROD, HOME), *sandbox.trail.records(PROD, "us-east-1")]
    by_attacker = [each for each in records if each["sourceIPAddress"] == actors.ATTACKER_ADDRESS]
    names = {each["eventName"] for each in by_attacker}
    assert {"GetSecretValue", "CreateAccessKey", "StopLogging"} <= names
    assert {each["userIdentity"]["userName"] for each in by_attacker} == {actors.ATTACKER}
    assert not any(each["eventName"] == "CreateUser" for each in sandbox.trail.records(PROD, "us-east-1"))
    assert sandbox.trail.records(DEV, HOME) == ()
