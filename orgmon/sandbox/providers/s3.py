"""S3: buckets and their policies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from orgmon.sandbox.providers.properties import document, is_true, parsed, tag_list, tag_map
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides

_ACCESS_BLOCK = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def _encryption(value: Any) -> dict[str, Any]:
    """BucketEncryption in the words of PutBucketEncryption."""
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        entry = {"BucketKeyEnabled": is_true(rule.get("BucketKeyEnabled", False))}
        if "ServerSideEncryptionByDefault" in rule:
            entry["ApplyServerSideEncryptionByDefault"] = rule["ServerSideEncryptionByDefault"]
        rules.append(entry)
    return {"Rules": rules}


def _read_encryption(answer: dict[str, Any]) -> Any:
    rules = [
        {
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
            "ServerSideEncryptionByDefault": rule.get("ApplyServerSideEncryptionByDefault", {}),
        }
        for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]
    ]
    return {"ServerSideEncryptionConfiguration": rules}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """One lifecycle rule in the words of PutBucketLifecycleConfiguration."""
    entry: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        entry["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        entry["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "Transitions" in rule:
        entry["Transitions"] = [
            {"Days": int(each["TransitionInDays"]), "StorageClass": each["StorageClass"]}
            for each in rule["Transitions"]
        ]
    if "NoncurrentVersionExpiration" in rule:
        days = int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
        entry["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "AbortIncompleteMultipartUpload" in rule:
        days = int(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        entry["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return entry


def _read_lifecycle_rule(entry: dict[str, Any]) -> dict[str, Any]:
    rule = {"Status": entry["Status"]}
    if entry.get("Filter", {}).get("Prefix"):
        rule["Prefix"] = entry["Filter"]["Prefix"]
    if "ID" in entry:
        rule["Id"] = entry["ID"]
    if "Expiration" in entry and "Days" in entry["Expiration"]:
        rule["ExpirationInDays"] = entry["Expiration"]["Days"]
    if "Transitions" in entry:
        rule["Transitions"] = [
            {"TransitionInDays": each["Days"], "StorageClass": each["StorageClass"]}
            for each in entry["Transitions"]
        ]
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in entry:
            rule[name] = entry[name]
    return rule


def _lock(value: Any) -> dict[str, Any]:
    """ObjectLockConfiguration with its days or years as numbers."""
    retention = value.get("Rule", {}).get("DefaultRetention")
    if retention is None:
        return {"ObjectLockEnabled": value["ObjectLockEnabled"]}
    period = {unit: int(retention[unit]) for unit in ("Days", "Years") if unit in retention}
    rule = {"DefaultRetention": {"Mode": retention["Mode"], **period}}
    return {"ObjectLockEnabled": value["ObjectLockEnabled"], "Rule": rule}


@dataclass(frozen=True)
class _Part:
    """A part of a bucket with API calls of its own: property, API noun, and the translations both ways."""

    property: str
    noun: str
    member: str
    written: Callable[[Any], Any]
    read: Callable[[dict[str, Any]], Any]
    removal: str = ""

    def put(self, client: Any, bucket: str, value: Any) -> None:
        getattr(client, f"put_{self.noun}")(**{"Bucket": bucket, self.member: self.written(value)})

    def remove(self, client: Any, bucket: str) -> None:
        if self.property == "ObjectLockConfiguration":
            # S3 cannot take Object Lock from a bucket; what goes is the retention of new objects.
            client.put_object_lock_configuration(
                Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
            )
        elif self.property == "VersioningConfiguration":
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
        else:
            getattr(client, f"delete_{self.removal or self.noun}")(Bucket=bucket)

    def get(self, client: Any, bucket: str) -> Any:
        """The live value, None when the bucket has none."""
        try:
            answer = getattr(client, f"get_{self.noun}")(Bucket=bucket)
        except ClientError as problem:
            if problem.response["Error"]["Code"] == "NoSuchBucket":
                raise
            return None
        return self.read(answer)


_PARTS = (
    _Part(
        "VersioningConfiguration",
        "bucket_versioning",
        "VersioningConfiguration",
        lambda value: {"Status": value["Status"]},
        lambda answer: {"Status": answer["Status"]} if "Status" in answer else None,
    ),
    _Part(
        "BucketEncryption",
        "bucket_encryption",
        "ServerSideEncryptionConfiguration",
        _encryption,
        _read_encryption,
    ),
    _Part(
        "PublicAccessBlockConfiguration",
        "public_access_block",
        "PublicAccessBlockConfiguration",
        lambda value: {name: is_true(value.get(name, False)) for name in _ACCESS_BLOCK},
        lambda answer: answer["PublicAccessBlockConfiguration"],
    ),
    _Part(
        "OwnershipControls",
        "bucket_ownership_controls",
        "OwnershipControls",
        lambda value: {"Rules": value["Rules"]},
        lambda answer: {"Rules": answer["OwnershipControls"]["Rules"]},
    ),
    _Part(
        "LifecycleConfiguration",
        "bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        lambda value: {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]},
        lambda answer: {"Rules": [_read_lifecycle_rule(rule) for rule in answer["Rules"]]},
        removal="bucket_lifecycle",
    ),
    _Part(
        "ObjectLockConfiguration",
        "object_lock_configuration",
        "ObjectLockConfiguration",
        _lock,
        lambda answer: answer["ObjectLockConfiguration"],
    ),
    _Part(
        "Tags",
        "bucket_tagging",
        "Tagging",
        lambda value: {"TagSet": tag_list(tag_map(value))},
        lambda answer: answer["TagSet"],
    ),
)


@provides("AWS::S3::Bucket")
class Bucket(Provider):
    """Name, versioning, encryption, public access block, ownership, lifecycle, Object Lock, tags."""

    name_property = "BucketName"
    name_limit = 63
    overwrites = True
    supports = frozenset({"BucketName", "ObjectLockEnabled", *(part.property for part in _PARTS)})

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateBucket, then a call for each part."""
        given = wanted.get("BucketName")
        name = str(given) if given else place.invent(self.name_limit).lower()
        where = {} if place.region == "us-east-1" else _located(place.region)
        lock = {"ObjectLockEnabledForBucket": True} if is_true(wanted.get("ObjectLockEnabled", False)) else {}
        place.client("s3").create_bucket(Bucket=name, **where, **lock)
        self.update(place, place.claim(name), {}, wanted)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """A call for each part that differs."""
        client = place.client("s3")
        for part in _PARTS:
            value = wanted.get(part.property)
            if value is not None and value != old.get(part.property):
                part.put(client, physical_id, value)
            elif value is None and old.get(part.property) is not None:
                part.remove(client, physical_id)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteBucket; S3 refuses while it holds objects."""
        place.client("s3").delete_bucket(Bucket=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """All parts that the bucket has."""
        client = place.client("s3")
        client.head_bucket(Bucket=physical_id)
        properties = {part.property: part.get(client, physical_id) for part in _PARTS}
        if properties["ObjectLockConfiguration"]:
            properties["ObjectLockEnabled"] = True
        return {
            "BucketName": physical_id,
            **{name: value for name, value in properties.items() if value is not None},
        }

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """ARN and domain names."""
        return {
            "Arn": f"arn:{place.partition}:s3:::{physical_id}",
            "DomainName": f"{physical_id}.s3.amazonaws.com",
            "RegionalDomainName": f"{physical_id}.s3.{place.region}.amazonaws.com",
        }


def _located(region: str) -> dict[str, Any]:
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}


@provides("AWS::S3::BucketPolicy")
class BucketPolicy(Provider):
    """The policy of a bucket; its physical id is the bucket's name."""

    supports = frozenset({"Bucket", "PolicyDocument"})

    def create(self, place: Place, wanted: Properties) -> str:
        """PutBucketPolicy."""
        self.update(place, wanted["Bucket"], {}, wanted)
        return place.claim(str(wanted["Bucket"]))

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """PutBucketPolicy."""
        place.client("s3").put_bucket_policy(Bucket=physical_id, Policy=document(wanted["PolicyDocument"]))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteBucketPolicy."""
        place.client("s3").delete_bucket_policy(Bucket=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The policy that the bucket has."""
        answer = place.client("s3").get_bucket_policy(Bucket=physical_id)
        return {"Bucket": physical_id, "PolicyDocument": parsed(answer["Policy"])}
