"""``orgmon sandbox`` as processes: what is served, who finds it, what can be rehearsed on it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError

from tests.whole.processes import LONGEST, Ended, end, orgmon, own_temporary_folder, small_config, start

MANAGEMENT = "310247698127"
PAYMENTS = "904417263085"
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
ONE_TRY = ClientConfig(retries={"total_max_attempts": 1, "mode": "standard"})


@dataclass
class Running:
    """A sandbox that another process serves, and the folder that its commands are run in."""

    folder: Path
    shell: dict[str, str]
    printed: str

    def sandbox(self, *arguments: str) -> Ended:
        """A command of ``orgmon sandbox`` in the same shell."""
        return orgmon("sandbox", *arguments, environment=self.shell, folder=self.folder)

    def trouble(self, *arguments: str) -> None:
        """Make trouble; it must be accepted."""
        assert self.sandbox("trouble", *arguments) == Ended(0, "done\n", "")

    @property
    def variables(self) -> dict[str, str]:
        """What was printed, as a shell would read it."""
        lines = [line.removeprefix("export ") for line in self.printed.splitlines() if "=" in line]
        return {key: value.strip("'") for key, _, value in (line.partition("=") for line in lines)}

    def client(self, service: str) -> Any:
        """A client of the management account's administrator."""
        variables = self.variables
        return boto3.client(
            service,
            region_name=variables["AWS_REGION"],
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            config=ONE_TRY,
        )

    def stack(self, name: str) -> tuple[str, str]:
        """Create a stack; its status at the end and the reason of what failed first."""
        client = self.client("cloudformation")
        client.create_stack(StackName=name, TemplateBody=TEMPLATE)
        until(lambda: not self._status(name).endswith("_IN_PROGRESS"))
        events = client.describe_stack_events(StackName=name)["StackEvents"]
        failed = [
            event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"
        ]
        return self._status(name), failed[-1] if failed else ""

    def _status(self, name: str) -> str:
        status = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        assert isinstance(status, str)
        return status


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that other processes do."""
    deadline = time.monotonic() + LONGEST
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def lines_of(process: subprocess.Popen[str], marker: str) -> str:
    """What a process prints until it says on stderr that it is ready; the process goes on."""
    assert process.stderr is not None
    assert process.stdout is not None
    for line in process.stderr:
        if marker in line:
            break
    else:
        raise AssertionError(f"it ended without saying {marker!r}: {process.wait()}")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "AWS_SHARED_CREDENTIALS_FILE" in line:
            break
    return "".join(lines)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A served sandbox; at the end it is told to stop, stops well and takes its note with it."""
    folder = tmp_path_factory.mktemp("served")
    small_config(folder)
    shell = own_temporary_folder(folder)
    process = start(("sandbox", "serve"), shell, folder)
    try:
        yield Running(folder, shell, lines_of(process, "serving on http://127.0.0.1:"))
        assert len(list((folder / "notes").iterdir())) == 1
        process.send_signal(signal.SIGTERM)
        ended = end(process)
        assert (ended.code, ended.err) == (0, "stopped\n")
        assert list((folder / "notes").iterdir()) == []
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def calm(running: Running) -> Iterator[Running]:
    """The same; what trouble a test makes ends with it."""
    yield running
    running.trouble("lift")


def test_serve_prints_an_environment_that_works_and_leaves_a_private_note(running: Running) -> None:
    assert running.client("sts").get_caller_identity()["Account"] == MANAGEMENT
    (note,) = (running.folder / "notes").iterdir()
    assert note.stat().st_mode & 0o777 == 0o600


def test_env_repeats_it_for_a_shell(running: Running) -> None:
    assert running.sandbox("env") == Ended(0, running.printed, "")
    script = f'eval "$({sys.executable} -m orgmon sandbox env)"; echo "$AWS_ENDPOINT_URL $AWS_CONFIG_FILE"'
    process = subprocess.run(
        ["sh", "-c", script],
        env=running.shell,
        cwd=running.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == f"{running.variables['AWS_ENDPOINT_URL']} {os.devnull}\n"


def test_run_joins_the_running_one_and_ends_with_the_commands_code(running: Running) -> None:
    ended = running.sandbox("run", "--", "sh", "-c", 'echo "$AWS_ENDPOINT_URL"; exit 7')
    assert ended == Ended(7, f"{running.variables['AWS_ENDPOINT_URL']}\n", "")


def test_run_needs_no_dashes_and_passes_the_commands_options_on(running: Running) -> None:
    assert running.sandbox("run", "expr", "3", "+", "4").out == "7\n"
    assert running.sandbox("run", "uname", "-s").code == 0


def test_run_says_what_cannot_be_run(running: Running) -> None:
    ended = running.sandbox("run", "--", "no-such-command-here")
    assert ended.code == 2
    assert "no-such-command-here cannot be run: No such file" in ended.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_run_passes_signals_on(running: Running, number: signal.Signals) -> None:
    word = number.name.removeprefix("SIG")
    script = f"trap 'echo caught; exit 9' {word}; echo ready; while :; do sleep 0.05; done"
    process = start(("sandbox", "run", "--", "sh", "-c", script), running.shell, running.folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    ended = end(process)
    assert (ended.code, ended.out) == (9, "caught\n")


def test_run_ends_like_a_shell_where_a_signal_ended_the_command(running: Running) -> None:
    assert running.sandbox("run", "--", "sh", "-c", "kill -TERM $$").code == 128 + signal.SIGTERM


def test_run_starts_its_own_where_none_runs_and_clears_what_leads_elsewhere(tmp_path: Path) -> None:
    small_config(tmp_path)
    shell = own_temporary_folder(tmp_path, AWS_PROFILE="production", AWS_SESSION_TOKEN="token")
    script = "import boto3, os; print(boto3.client('sts').get_caller_identity()['Account'], 'AWS_PROFILE' in os.environ)"
    ended = orgmon("sandbox", "run", "--", sys.executable, "-c", script, environment=shell, folder=tmp_path)
    assert ended == Ended(0, f"{MANAGEMENT} False\n", "")
    # It was for this command only.
    assert list((tmp_path / "notes").iterdir()) == []


def test_the_clock_is_turned(running: Running) -> None:
    first, second = (running.sandbox("clock", seconds).out.strip() for seconds in ("0", "7200"))
    assert second > first
    assert running.sandbox("clock", "--", "-1").code == 2


def test_the_mailbox_shows_what_arrives_in_the_routes_queues(running: Running) -> None:
    assert running.sandbox("mailbox") == Ended(0, "", "")
    script = (
        "import boto3; who = boto3.client('sts').assume_role(RoleSessionName='test',"
        " RoleArn='arn:aws:iam::482019375561:role/OrganizationAccountAccessRole')['Credentials'];"
        " sqs = boto3.client('sqs', aws_access_key_id=who['AccessKeyId'],"
        " aws_secret_access_key=who['SecretAccessKey'], aws_session_token=who['SessionToken']);"
        " sqs.send_message(QueueUrl=sqs.list_queues()['QueueUrls'][0], MessageBody='somebody was here')"
    )
    assert running.sandbox("run", "--", sys.executable, "-c", script).code == 0
    mailbox = running.sandbox("mailbox")
    assert mailbox.code == 0
    assert "arn:aws:sqs:us-east-1:482019375561:" in mailbox.out
    assert "somebody was here" in mailbox.out
    envelope = json.loads(running.sandbox("mailbox", "--json").out)
    assert envelope["kind"] == "mailbox"
    assert envelope["data"]["messages"][0]["text"] == "somebody was here"
    assert running.sandbox("mailbox", "--json", "--follow").code == 2


def test_trouble_fails_resources_with_a_reason_so_often(calm: Running) -> None:
    calm.trouble(
        "fail", "--reason", "quota reached", "--account", MANAGEMENT, "--resource", "Topic", "--times", "1"
    )
    status, reason = calm.stack("first")
    assert status == "ROLLBACK_COMPLETE"
    assert "quota reached" in reason
    assert calm.stack("second") == ("CREATE_COMPLETE", "")


def test_trouble_throttles_and_is_lifted(calm: Running) -> None:
    calm.trouble("throttle", "cloudformation", "ListStacks", "--every", "1")
    with pytest.raises(ClientError, match="Throttling"):
        calm.client("cloudformation").list_stacks()
    calm.trouble("lift")
    calm.client("cloudformation").list_stacks()


def test_trouble_refuses_haste(calm: Running) -> None:
    calm.trouble("haste", "--account", MANAGEMENT)
    alarms = calm.client("cloudwatch")

    def hurry() -> None:
        for _ in range(100):
            alarms.delete_alarms(AlarmNames=["absent"])

    with pytest.raises(ClientError, match="Rate exceeded"):
        hurry()


def test_trouble_denies(calm: Running) -> None:
    calm.trouble("deny", "sns", "*", "--account", MANAGEMENT)
    with pytest.raises(ClientError, match="explicit deny in a service control policy"):
        calm.client("sns").list_topics()


def test_trouble_lets_new_roles_be_late(calm: Running) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    calm.trouble("late", "--seconds", "3600")
    role = calm.client("iam").create_role(RoleName="new", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        calm.client("kms").create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    assert calm.sandbox("clock", "3601").code == 0
    calm.client("kms").create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)


def test_trouble_lets_sessions_expire_and_the_environment_s_key_live(calm: Running) -> None:
    keys = calm.client("sts").get_session_token()["Credentials"]
    session = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=calm.variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=ONE_TRY,
    )
    assert session.get_caller_identity()["Account"] == MANAGEMENT
    calm.trouble("expire")
    with pytest.raises(ClientError, match="ExpiredToken"):
        session.get_caller_identity()
    assert calm.client("sts").get_caller_identity()["Account"] == MANAGEMENT


def test_trouble_shuffles(calm: Running) -> None:
    calm.trouble("shuffle", "--seed", "3")
    url = calm.variables["AWS_ENDPOINT_URL"]
    with urllib.request.urlopen(f"{url}/_sandbox/trouble") as answer:
        assert json.load(answer)["rules"] == [{"kind": "Shuffle", "seed": 3}]


def test_trouble_suspends_an_account(calm: Running) -> None:
    calm.trouble("suspend", PAYMENTS)
    account = calm.client("organizations").describe_account(AccountId=PAYMENTS)["Account"]
    assert account["Status"] == "SUSPENDED"


def test_trouble_lets_somebody_elses_operation_run(calm: Running) -> None:
    client = calm.client("cloudformation")
    client.create_stack_set(StackSetName="theirs", TemplateBody=TEMPLATE, PermissionModel="SERVICE_MANAGED",
                            AutoDeployment={"Enabled": False})  # fmt: skip
    calm.trouble("operation", "theirs", "--seconds", "3600")
    (operation,) = client.list_stack_set_operations(StackSetName="theirs")["Summaries"]
    assert operation["Status"] == "RUNNING"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("suspend", "000000000001"), "the organization has no account 000000000001"),
        (("operation", "nobodys"), "nobodys"),
        (("fail", "--reason", "r", "--account", "12"), "the organization has no account 12"),
        (("throttle", "nosuch", "Foo"), "AWS has no service nosuch"),
        (("throttle", "s3", "Foo"), "s3 has no operation Foo"),
    ],
)
def test_trouble_with_what_is_not_there_is_refused(
    calm: Running, arguments: tuple[str, ...], said: str
) -> None:
    ended = calm.sandbox("trouble", *arguments)
    assert ended.code == 1
    assert ended.err.startswith("error: the sandbox refused: ")
    assert said in ended.err
    assert "{" not in ended.err


def test_trouble_has_three_actions(calm: Running) -> None:
    assert calm.sandbox("trouble", "fail", "--reason", "r", "--action", "EXPLODE").code == 2


@pytest.mark.parametrize(
    "arguments",
    [("env",), ("mailbox",), ("clock", "1"), ("trouble", "lift"), ("trouble", "suspend", PAYMENTS)],
)
@pytest.mark.parametrize("note", ["", "not JSON", '{"url": "http://127.0.0.1:1", "region": "us-east-1", '
                                                  '"access_key": "a", "secret_key": "s", "token": "t"}'])  # fmt: skip
def test_without_a_sandbox_each_says_how_to_start_one(
    arguments: tuple[str, ...], note: str, tmp_path: Path
) -> None:
    shell = own_temporary_folder(tmp_path)
    if note:
        digest = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]
        (tmp_path / "notes" / f"orgmon-sandbox-{os.getuid()}-{digest}.json").write_text(note)
    ended = orgmon("sandbox", *arguments, environment=shell, folder=tmp_path)
    assert ended.code == 1
    assert ended.err == (
        f"error: no sandbox is running at {tmp_path}\nstart one in another terminal: orgmon sandbox serve\n"
    )


def test_serve_without_a_config_leaves_no_note(tmp_path: Path) -> None:
    ended = orgmon("sandbox", "serve", environment=own_temporary_folder(tmp_path), folder=tmp_path)
    assert ended.code == 1
    assert "orgmon validate --sample" in ended.err
    assert list((tmp_path / "notes").iterdir()) == []


COMMANDS = (("env",), ("mailbox",), ("clock", "0"), ("trouble", "lift"))


def test_a_second_one_of_the_same_folder_is_refused_and_a_named_one_is_not(running: Running) -> None:
    ended = running.sandbox("serve")
    assert ended.code == 1
    assert f"a sandbox is served at {running.folder} already" in ended.err
    process = start(("sandbox", "--name", "blue", "serve"), running.shell, running.folder)
    try:
        url = lines_of(process, "serving on http://127.0.0.1:").partition("AWS_ENDPOINT_URL=")[2].split()[0]
        assert url != running.variables["AWS_ENDPOINT_URL"]
        assert url in running.sandbox("--name", "blue", "env").out
        assert running.sandbox("env").out == running.printed
        assert running.sandbox("--name", "blue", "trouble", "deny", "sns", "*").code == 0
        running.client("sns").list_topics()
    finally:
        process.send_signal(signal.SIGINT)
        assert end(process).code == 0


@pytest.mark.parametrize("arguments", COMMANDS)
def test_no_command_reaches_the_sandbox_of_another_folder(
    running: Running, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    ended = orgmon("sandbox", *arguments, environment=running.shell, folder=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert f"no sandbox is running at {tmp_path}" in ended.err


@pytest.mark.parametrize("arguments", COMMANDS)
def test_from_anywhere_the_address_in_the_environment_counts(
    running: Running, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    shell = {**running.shell, **running.variables}
    assert orgmon("sandbox", *arguments, environment=shell, folder=tmp_path).code == 0


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://sqs.us-east-1.amazonaws.com", "nonsense"])
def test_an_address_where_no_sandbox_is_says_so(url: str, tmp_path: Path) -> None:
    shell = own_temporary_folder(tmp_path, AWS_ENDPOINT_URL=url)
    ended = orgmon("sandbox", "mailbox", environment=shell, folder=tmp_path)
    assert ended.code == 1
    assert ended.err.startswith(f"error: AWS_ENDPOINT_URL is {url}, and no sandbox answers there\n")


def test_where_no_sandbox_has_a_name_it_is_said_how_to_start_it(tmp_path: Path) -> None:
    ended = orgmon(
        "sandbox", "--name", "blue", "env", environment=own_temporary_folder(tmp_path), folder=tmp_path
    )
    assert ended.code == 1
    assert ended.err.endswith("start one in another terminal: orgmon sandbox --name blue serve\n")


def test_inside_run_the_sandbox_that_it_started_is_found(tmp_path: Path) -> None:
    small_config(tmp_path)
    inside = " && ".join(
        f"{sys.executable} -m orgmon sandbox {words}"
        for words in ("mailbox", "clock 60", "trouble deny sns '*'", "run -- printenv AWS_ENDPOINT_URL")
    )
    ended = orgmon(
        "sandbox", "run", "--", "sh", "-c", f"{inside} && echo $AWS_ENDPOINT_URL",
        environment=own_temporary_folder(tmp_path), folder=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    clock, trouble, there, own = ended.out.splitlines()
    assert (trouble, there) == ("done", own)
    assert clock[:2] == "20"


def test_a_rollout_goes_on_where_nobody_can_read_how(tmp_path: Path) -> None:
    """One sandbox for both: the second config has one detection less, so that there is something to do."""
    content = yaml.safe_load(small_config(tmp_path).read_text(encoding="utf-8"))
    steps = []
    for unreadable, detection in (("2>&1 | head -1", ""), (">/dev/full 2>&-", "trail-tampering")):
        config = tmp_path / f"without-{detection}.yaml"
        section = content["detections"]
        disabled = [*section["disabled"], *([detection] if detection else [])]
        changed = {**content, "detections": {**section, "disabled": disabled}}
        config.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
        program = f"{sys.executable} -m orgmon"
        steps += [
            f"{program} deploy --yes --config {config} {unreadable}",
            f"{program} sandbox confirm",
            f"{program} plan --config {config}",
        ]
    ended = orgmon(
        "sandbox", "run", "--", "bash", "-c", "; ".join(steps),
        environment=own_temporary_folder(tmp_path), folder=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert ended.out.count("Nothing to do") == 2
    assert "bug" not in ended.err
