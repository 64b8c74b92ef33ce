"""What is known of AWS Regions and partitions without asking AWS.

Sources: the endpoint data that the AWS SDKs carry; "Where events appear" in the CloudTrail user guide; the
sign-in events page of the CloudTrail user guide (the Regions that IAM user sign-ins are recorded in).
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_REGIONS = frozenset(
    [
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    ]
)
OPT_IN_REGIONS = frozenset(
    [
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-south-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-west-1",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
    ]
)


@dataclass(frozen=True)
class Partition:
    """A separate part of AWS. ``unsupported`` is why orgmon does not run there; empty where it does."""

    name: str
    regions: frozenset[str]
    global_regions: tuple[str, ...]
    sign_in_regions: tuple[str, ...]
    unsupported: str = ""


COMMERCIAL = Partition(
    "aws",
    DEFAULT_REGIONS | OPT_IN_REGIONS,
    ("us-east-1",),
    ("us-east-1", "us-east-2", "eu-north-1", "ap-southeast-2"),
)
CHINA = Partition(
    "aws-cn",
    frozenset({"cn-north-1", "cn-northwest-1"}),
    ("cn-north-1",),
    ("cn-north-1",),
    "service principals and endpoints have other names there, and organization trails are not known to work",
)
GOV_CLOUD = Partition(
    "aws-us-gov",
    frozenset({"us-gov-east-1", "us-gov-west-1"}),
    ("us-gov-west-1",),
    ("us-gov-west-1",),
    "it is an organization of its own, in which orgmon's policies and services were never looked up",
)
PARTITIONS = (COMMERCIAL, CHINA, GOV_CLOUD)


def partition_of(region: str) -> Partition | None:
    """The partition that a Region belongs to, or None if no Region of that name is known."""
    return next((partition for partition in PARTITIONS if region in partition.regions), None)


def blind_without(region: str, partition: Partition) -> tuple[str, ...]:
    """What nobody would see if detections did not run in a Region; empty if nothing special."""
    unseen: list[str] = []
    if region in partition.global_regions:
        unseen.append("IAM, root use and Organizations, which are recorded only there")
    if region in partition.sign_in_regions:
        unseen.append("console sign-ins that AWS records there")
    return tuple(unseen)


def needed_regions(partition: Partition) -> tuple[str, ...]:
    """The Regions that global and sign-in detections need, whatever Regions are governed."""
    return tuple(dict.fromkeys((*partition.global_regions, *partition.sign_in_regions)))
