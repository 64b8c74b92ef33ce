"""CloudTrail: what an API call leaves behind, who sees it, and how it is delivered."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.trail.vocabulary import event_name, is_data_event, is_read_only, source_of
from tests.sandbox.conftest import DEV, HOME, LOGS, MANAGEMENT, ORG, PROD, SECURITY
from tests.sandbox.services import (
    BUCKET,
    LOG_GROUP,
    TRAIL,
    TRAIL_ARN,
    TRAIL_ROLE,
    allow,
    client,
    document,
    log_messages,
    make_organization_trail,
)


def last(sandbox: Sandbox, account: str, region: str, name: str) -> dict[str, Any]:
    """The newest record of an event."""
    return [each for each in sandbox.trail.records(account, region) if each["eventName"] == name][-1]


def refused(call: Any, **members: Any) -> str:
    """The error code of a call that must fail."""
    with pytest.raises(ClientError) as problem:
        call(**members)
    return str(problem.value.response["Error"]["Code"])


def test_a_user_s_call_has_the_record_that_cloudtrail_documents(sandbox: Sandbox) -> None:
    client(sandbox, "iam", PROD).create_access_key(UserName="admin")
    record = last(sandbox, PROD, "us-east-1", "CreateAccessKey")
    identity = record["userIdentity"]
    assert (identity["type"], identity["userName"], identity["accountId"]) == ("IAMUser", "admin", PROD)
    assert identity["arn"] == f"arn:aws:iam::{PROD}:user/admin"
    assert identity["accessKeyId"].startswith("AKIA")
    assert record["eventSource"] == "iam.amazonaws.com"
    assert record["requestParameters"] == {"userName": "admin"}
    assert record["responseElements"]["accessKey"]["userName"] == "admin"
    assert "secretAccessKey" not in record["responseElements"]["accessKey"]
    assert (record["eventVersion"], record["readOnly"], record["eventType"]) == ("1.11", False, "AwsApiCall")
    assert record["managementEvent"] is True
    assert record["recipientAccountId"] == PROD


def test_a_role_s_session_names_its_issuer(sandbox: Sandbox) -> None:
    session = sandbox.world.session(DEV, role_name="OrganizationAccountAccessRole")
    session.client("ec2", region_name="eu-north-1").describe_vpcs()
    record = last(sandbox, DEV, "eu-north-1", "DescribeVpcs")
    issuer = record["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert record["userIdentity"]["type"] == "AssumedRole"
    assert issuer["userName"] == "OrganizationAccountAccessRole"
    assert issuer["arn"].startswith(f"arn:aws:iam::{DEV}:role/")
    assert record["readOnly"] is True
    assert record["responseElements"] is None


def test_what_cloudformation_does_is_invoked_by_it(sandbox: Sandbox) -> None:
    body = json.dumps({"Resources": {"Inbox": {"Type": "AWS::SQS::Queue"}}})
    client(sandbox, "cloudformation", PROD).create_stack(StackName="queues", TemplateBody=body)
    sandbox.engine.background.wait()
    record = last(sandbox, PROD, HOME, "CreateQueue")
    assert record["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"
    assert record["sourceIPAddress"] == "cloudformation.amazonaws.com"
    stack = last(sandbox, PROD, HOME, "CreateStack")["requestParameters"]
    assert stack["stackName"] == "queues"
    assert "templateBody" not in stack


def test_secrets_do_not_get_into_the_record(sandbox: Sandbox) -> None:
    client(sandbox, "secretsmanager", PROD).create_secret(Name="db", SecretString="hunter2")
    client(sandbox, "ssm", PROD).put_parameter(Name="/db", Value="hunter2", Type="SecureString")
    for name in ("CreateSecret", "PutParameter"):
        record = last(sandbox, PROD, HOME, name)
        assert record["requestParameters"]["name"]
        assert "hunter2" not in json.dumps(record)


def test_a_denied_secret_read_loses_its_parameters_but_not_the_name_as_typed(sandbox: Sandbox) -> None:
    client(sandbox, "secretsmanager", PROD).create_secret(Name="prod/db", SecretString="x")
    reader = weak_session(sandbox, PROD)
    refused(reader.client("secretsmanager").get_secret_value, SecretId="prod/db")
    record = last(sandbox, PROD, HOME, "GetSecretValue")
    assert record["errorCode"] == "AccessDenied"
    assert record["requestParameters"] is None
    assert "on resource: prod/db because no identity-based policy" in record["errorMessage"]


def test_a_denied_ec2_call_keeps_its_parameters(sandbox: Sandbox) -> None:
    refused(weak_session(sandbox, PROD).client("ec2").stop_instances, InstanceIds=["i-0123456789abcdef0"])
    record = last(sandbox, PROD, HOME, "StopInstances")
    assert record["errorCode"] == "Client.UnauthorizedOperation"
    assert "i-0123456789abcdef0" in json.dumps(record["requestParameters"])


def weak_session(sandbox: Sandbox, account: str) -> Any:
    """A session of a user who may do nothing."""
    iam = client(sandbox, "iam", account)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    return sandbox.world.session_with(key["AccessKeyId"], key["SecretAccessKey"])


def test_data_events_leave_nothing(sandbox: Sandbox) -> None:
    sqs = client(sandbox, "sqs", PROD)
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.receive_message(QueueUrl=url)
    client(sandbox, "cloudwatch", PROD).put_metric_data(
        Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}]
    )
    client(sandbox, "events", PROD).put_events(
        Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}"}]
    )
    assert [each["eventName"] for each in sandbox.trail.records(PROD, HOME)] == ["CreateQueue"]


@pytest.mark.parametrize(
    ("service", "operation", "is_data"),
    [
        ("s3", "PutObject", True),
        ("s3", "ListObjectsV2", True),
        ("s3", "CreateMultipartUpload", True),
        ("s3", "ListBuckets", False),
        ("s3", "PutBucketPolicy", False),
        ("s3", "PutObjectLockConfiguration", False),
        ("dynamodb", "PutItem", True),
        ("dynamodb", "CreateTable", False),
        ("lambda", "Invoke", True),
        ("secretsmanager", "GetSecretValue", False),
    ],
)
def test_which_calls_are_data_events(service: str, operation: str, is_data: bool) -> None:
    assert is_data_event(service, operation) is is_data


def test_cloudtrail_s_own_spelling() -> None:
    assert source_of("cloudwatch") == "monitoring.amazonaws.com"
    assert source_of("resourcegroupstaggingapi") == "tagging.amazonaws.com"
    assert event_name("lambda", "UpdateFunctionCode") == "UpdateFunctionCode20150331v2"
    assert event_name("s3", "PutPublicAccessBlock") == "PutBucketPublicAccessBlock"
    assert is_read_only("kms", "Decrypt")
    assert not is_read_only("sts", "GetFederationToken")


def test_a_call_across_accounts_is_recorded_in_both(sandbox: Sandbox) -> None:
    sts = client(sandbox, "sts", MANAGEMENT)
    role = f"arn:aws:iam::{PROD}:role/OrganizationAccountAccessRole"
    sts.assume_role(RoleArn=role, RoleSessionName="audit")
    own = last(sandbox, MANAGEMENT, HOME, "AssumeRole")
    copy = last(sandbox, PROD, HOME, "AssumeRole")
    assert own["sharedEventID"] == copy["sharedEventID"]
    assert own["eventID"] != copy["eventID"]
    assert copy["recipientAccountId"] == PROD
    assert copy["userIdentity"] == {**copy["userIdentity"], "type": "AWSAccount", "accountId": MANAGEMENT}
    assert own["resources"][0]["ARN"] == role


def test_a_secret_read_is_followed_by_a_decrypt_of_another_key(sandbox: Sandbox) -> None:
    secrets = client(sandbox, "secretsmanager", PROD)
    arn = secrets.create_secret(Name="db", SecretString="x")["ARN"]
    secrets.get_secret_value(SecretId="db")
    read = last(sandbox, PROD, HOME, "GetSecretValue")
    decrypt = last(sandbox, PROD, HOME, "Decrypt")
    assert read["requestParameters"] == {"secretId": "db"}
    assert "resources" not in read
    assert decrypt["userIdentity"]["invokedBy"] == "secretsmanager.amazonaws.com"
    assert decrypt["requestParameters"]["encryptionContext"]["SecretARN"] == arn
    assert decrypt["userIdentity"]["accessKeyId"] != read["userIdentity"]["accessKeyId"]


def test_lookup_events_pages_and_filters_and_forgets_after_90_days(sandbox: Sandbox) -> None:
    cloudtrail = client(sandbox, "cloudtrail", PROD)
    for number in range(3):
        client(sandbox, "sqs", PROD).create_queue(QueueName=f"queue-{number}")
    attribute = [{"AttributeKey": "EventName", "AttributeValue": "CreateQueue"}]
    first = cloudtrail.lookup_events(LookupAttributes=attribute, MaxResults=2)
    rest = cloudtrail.lookup_events(LookupAttributes=attribute, MaxResults=2, NextToken=first["NextToken"])
    assert [len(first["Events"]), len(rest["Events"]), "NextToken" in rest] == [2, 1, False]
    record = json.loads(first["Events"][0]["CloudTrailEvent"])
    assert record["requestParameters"]["queueName"] == "queue-2"
    assert first["Events"][0]["Username"] == "admin"
    sandbox.settle(timedelta(days=91).total_seconds())
    assert cloudtrail.lookup_events(LookupAttributes=attribute)["Events"] == []


def test_members_see_the_organization_s_trail_and_cannot_touch_it(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    member = client(sandbox, "cloudtrail", PROD)
    assert [each["TrailARN"] for each in member.describe_trails()["trailList"]] == [TRAIL_ARN]
    assert member.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert [each["TrailARN"] for each in member.list_trails()["Trails"]] == [TRAIL_ARN]
    assert member.get_trail_status(Name=TRAIL_ARN)["IsLogging"] is True
    assert refused(member.get_trail_status, Name=TRAIL) == "TrailNotFoundException"
    denied = "NotOrganizationMasterAccountException"
    assert refused(member.stop_logging, Name=TRAIL_ARN) == denied
    assert refused(member.delete_trail, Name=TRAIL_ARN) == denied
    assert refused(member.update_trail, Name=TRAIL_ARN, IsMultiRegionTrail=False) == denied
    assert last(sandbox, PROD, HOME, "StopLogging")["errorCode"] == denied
    assert last(sandbox, PROD, HOME, "StopLogging")["requestParameters"] == {"name": TRAIL_ARN}


def test_the_organization_s_trail_leaves_with_the_account(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    client(sandbox, "organizations", MANAGEMENT).remove_account_from_organization(AccountId=DEV)
    assert client(sandbox, "cloudtrail", DEV).describe_trails()["trailList"] == []
    assert len(client(sandbox, "cloudtrail", PROD).describe_trails()["trailList"]) == 1


def test_a_trail_is_changed_in_its_home_region_only(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    elsewhere = client(sandbox, "cloudtrail", MANAGEMENT, "us-east-1")
    assert refused(elsewhere.stop_logging, Name=TRAIL_ARN) == "InvalidHomeRegionException"


def files(sandbox: Sandbox) -> list[str]:
    """The keys in the trail's bucket."""
    listed = sandbox.world.client("s3", LOGS, HOME).list_objects_v2(Bucket=BUCKET)
    return [each["Key"] for each in listed.get("Contents", [])]


def test_records_of_all_accounts_are_delivered_to_the_bucket(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    client(sandbox, "iam", PROD).create_user(UserName="eve")
    sandbox.settle(400)
    now = sandbox.world.clock.now()
    folder = f"AWSLogs/{ORG}/{PROD}/CloudTrail/us-east-1/{now:%Y/%m/%d}/"
    key = next(each for each in files(sandbox) if each.startswith(folder))
    delivered = sandbox.world.client("s3", LOGS, HOME).get_object(Bucket=BUCKET, Key=key)
    records = json.loads(gzip.decompress(delivered["Body"].read()))["Records"]
    assert [each["eventName"] for each in records] == ["CreateUser"]
    assert delivered["ServerSideEncryption"] == "aws:kms"
    assert "LatestDeliveryError" not in status(sandbox)


def status(sandbox: Sandbox) -> dict[str, Any]:
    """The trail's status."""
    answer: dict[str, Any] = client(sandbox, "cloudtrail", MANAGEMENT).get_trail_status(Name=TRAIL)
    return answer


def test_without_the_bucket_policy_no_file_arrives_and_the_status_says_so(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    client(sandbox, "s3", LOGS).delete_bucket_policy(Bucket=BUCKET)
    client(sandbox, "iam", PROD).create_user(UserName="eve")
    sandbox.settle(400)
    assert files(sandbox) == []
    assert status(sandbox)["LatestDeliveryError"] == "AccessDenied"


def test_without_the_key_no_file_arrives_and_the_status_says_so(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    kms = client(sandbox, "kms", LOGS)
    kms.disable_key(KeyId=kms.list_keys()["Keys"][0]["KeyId"])
    client(sandbox, "iam", PROD).create_user(UserName="eve")
    sandbox.settle(400)
    assert files(sandbox) == []
    assert status(sandbox)["LatestDeliveryError"] == "AccessDenied"


def test_records_get_into_the_log_group_after_the_latency(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    client(sandbox, "iam", PROD).create_user(UserName="eve")
    sandbox.settle(sandbox.trail.latency - 10)
    assert not created(sandbox)
    sandbox.settle(20)
    assert [each["recipientAccountId"] for each in created(sandbox)] == [PROD]
    streams = sandbox.world.client("logs", MANAGEMENT, HOME).describe_log_streams(logGroupName=LOG_GROUP)
    names = {each["logStreamName"] for each in streams["logStreams"]}
    assert f"{ORG}_{PROD}_CloudTrail_{HOME}" in names


def created(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The CreateUser records in the trail's log group."""
    records = [json.loads(each) for each in log_messages(sandbox, MANAGEMENT, LOG_GROUP)]
    return [each for each in records if each["eventName"] == "CreateUser"]


def test_a_role_without_the_organization_s_streams_writes_nothing_of_members(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    group = f"arn:aws:logs:{HOME}:{MANAGEMENT}:log-group:{LOG_GROUP}"
    narrow = allow("logs:*", f"{group}:log-stream:{MANAGEMENT}_CloudTrail_{HOME}*")
    iam = client(sandbox, "iam", MANAGEMENT)
    iam.put_role_policy(RoleName=TRAIL_ROLE, PolicyName="may", PolicyDocument=document(narrow))
    client(sandbox, "iam", PROD).create_user(UserName="eve")
    sandbox.settle(400)
    assert created(sandbox) == []
    assert "not authorized" in status(sandbox)["LatestCloudWatchLogsDeliveryError"]


def test_a_stopped_trail_gets_the_stop_and_nothing_after_it(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    client(sandbox, "cloudtrail", MANAGEMENT).stop_logging(Name=TRAIL)
    client(sandbox, "iam", PROD).create_user(UserName="eve")
    sandbox.settle(400)
    names = {json.loads(each)["eventName"] for each in log_messages(sandbox, MANAGEMENT, LOG_GROUP)}
    assert "StopLogging" in names
    assert "CreateUser" not in names
    assert last(sandbox, PROD, "us-east-1", "CreateUser")


def test_selectors_decide_what_a_trail_gets(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    client(sandbox, "cloudtrail", MANAGEMENT).put_event_selectors(
        TrailName=TRAIL, EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    )
    client(sandbox, "iam", PROD).list_users()
    client(sandbox, "iam", PROD).create_user(UserName="eve")
    sandbox.settle(400)
    of_prod = [json.loads(each) for each in log_messages(sandbox, MANAGEMENT, LOG_GROUP)]
    names = {each["eventName"] for each in of_prod if each["recipientAccountId"] == PROD}
    assert names == {"CreateUser"}


def test_console_sign_ins(sandbox: Sandbox) -> None:
    sign_in = sandbox.world.controls["console-login"]
    sign_in({}, {"account": PROD, "user": "root", "mfa": False, "region": "eu-north-1"})
    sign_in({}, {"account": PROD, "user": "admin", "mfa": True, "region": "eu-north-1"})
    sign_in({}, {"account": PROD, "user": "typo", "success": False, "source": "203.0.113.9"})
    root, failed = sandbox.trail.records(PROD, "us-east-1")
    user = last(sandbox, PROD, "eu-north-1", "ConsoleLogin")
    assert root["userIdentity"]["type"] == "Root"
    assert root["additionalEventData"]["MFAUsed"] == "No"
    assert user["additionalEventData"]["MFAUsed"] == "Yes"
    assert user["eventType"] == "AwsConsoleSignIn"
    assert user["responseElements"] == {"ConsoleLogin": "Success"}
    assert failed["errorMessage"] == "Failed authentication"
    assert failed["userIdentity"]["userName"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert failed["sourceIPAddress"] == "203.0.113.9"
    with pytest.raises(LookupError):
        sign_in({}, {"account": "999999999999"})


def test_own_trails_stay_an_account_s_own(sandbox: Sandbox) -> None:
    assert client(sandbox, "cloudtrail", SECURITY).describe_trails()["trailList"] == []
