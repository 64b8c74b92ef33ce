"""Amazon's own command line as a process against a served sandbox: what it verifies is not written by us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.calls import Call
from tests.sandbox.conftest import HOME, LOGS, MANAGEMENT, ORG, PROD
from tests.sandbox.services import BUCKET, TRAIL, TRAIL_ARN, allow, client, make_organization_trail

pytestmark = pytest.mark.slow

Aws = Callable[..., subprocess.CompletedProcess[str]]
LONGEST = 120.0


@pytest.fixture
def aws(sandbox: Sandbox, tmp_path: Path) -> Iterator[Aws]:
    """Runs ``aws`` as the management account's administrator; no profile and no other endpoint is in its reach."""
    key, secret = sandbox.world.admin_key(MANAGEMENT)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = {"ENDPOINT_URL": "", "ACCESS_KEY_ID": key, "SECRET_ACCESS_KEY": secret, "DEFAULT_REGION": HOME}
    with sandbox.world.serve() as server:
        settings["ENDPOINT_URL"] = server.url
        environment = {**kept, "HOME": str(tmp_path)} | {
            f"AWS_{name}": value for name, value in settings.items()
        }

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [str(Path(sys.executable).with_name("aws")), *arguments]
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST)

        yield run


def test_deploy_makes_a_stack(sandbox: Sandbox, aws: Aws, tmp_path: Path) -> None:
    # The command looks again after 5 and 30 seconds if what it waits for is not there at once.
    sandbox.world.after.append(lambda call: _finish(sandbox, call))
    template = tmp_path / "topic.json"
    template.write_text(json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}))
    done = aws("cloudformation", "deploy", "--template-file", str(template), "--stack-name", "one")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Successfully created/updated stack - one" in done.stdout
    stack = client(sandbox, "cloudformation", MANAGEMENT).describe_stacks(StackName="one")["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_validate_logs_believes_the_digests_and_sees_what_was_changed(sandbox: Sandbox, aws: Aws) -> None:
    begin = sandbox.world.clock.now()
    _let_the_management_account_read(sandbox)
    for name in ("a", "b"):
        client(sandbox, "sqs", PROD).create_queue(QueueName=name)
        sandbox.settle(3600)
    arguments = _validation(begin, sandbox.world.clock.now())
    untouched = aws(*arguments)
    assert (untouched.returncode, untouched.stderr) == (0, "")
    assert "2/2 digest files valid" in untouched.stdout
    assert "2/2 log files valid" in untouched.stdout
    s3 = client(sandbox, "s3", LOGS)
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"AWSLogs/{ORG}/{PROD}/CloudTrail/{HOME}/")["Contents"]
    s3.delete_object(Bucket=BUCKET, Key=listed[0]["Key"])
    s3.copy_object(Bucket=BUCKET, Key=listed[1]["Key"], CopySource=_other_log(sandbox))
    changed = aws(*arguments)
    assert changed.returncode == 1
    assert "0/2 log files valid, 2/2 log files INVALID" in changed.stdout
    assert "INVALID: not found" in changed.stderr
    assert "INVALID: hash value doesn't match" in changed.stderr


def test_validate_logs_misses_a_digest_that_was_deleted(sandbox: Sandbox, aws: Aws) -> None:
    begin = sandbox.world.clock.now()
    _let_the_management_account_read(sandbox)
    sandbox.settle(3 * 3600)
    s3 = client(sandbox, "s3", LOGS)
    folder = f"AWSLogs/{ORG}/{PROD}/CloudTrail-Digest/{HOME}/"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=folder)["Contents"]
    s3.delete_object(Bucket=BUCKET, Key=listed[1]["Key"])
    done = aws(*_validation(begin, sandbox.world.clock.now()))
    assert done.returncode == 1
    assert "2/3 digest files valid, 1/3 digest files INVALID" in done.stdout
    assert "INVALID: not found" in done.stderr


def _finish(sandbox: Sandbox, call: Call) -> None:
    if call.operation in ("CreateChangeSet", "ExecuteChangeSet"):
        sandbox.engine.background.wait()


def _validation(begin: datetime, end: datetime) -> tuple[str, ...]:
    times = ("--start-time", f"{begin:%Y-%m-%dT%H:%M:%SZ}", "--end-time", f"{end:%Y-%m-%dT%H:%M:%SZ}")
    return ("cloudtrail", "validate-logs", "--trail-arn", TRAIL_ARN, "--account-id", PROD, *times)


def _let_the_management_account_read(sandbox: Sandbox) -> None:
    """A trail with validation, whose bucket the other account may read."""
    make_organization_trail(sandbox)
    client(sandbox, "cloudtrail", MANAGEMENT).update_trail(Name=TRAIL, EnableLogFileValidation=True)
    s3, bucket = client(sandbox, "s3", LOGS), f"arn:aws:s3:::{BUCKET}"
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    reader = {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}
    policy["Statement"] += [
        allow(["s3:ListBucket", "s3:GetBucketLocation"], bucket, Principal=reader),
        allow("s3:GetObject", f"{bucket}/*", Principal=reader),
    ]
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))


def _other_log(sandbox: Sandbox) -> dict[str, str]:
    """A log file of another account."""
    listed = client(sandbox, "s3", LOGS).list_objects_v2(
        Bucket=BUCKET, Prefix=f"AWSLogs/{ORG}/{LOGS}/CloudTrail/"
    )
    return {"Bucket": BUCKET, "Key": listed["Contents"][0]["Key"]}
