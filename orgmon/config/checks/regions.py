"""Regions: known ones, one partition, and what goes blind where one is missing."""

from __future__ import annotations

from collections.abc import Iterator

from orgmon.config.checks.subject import Subject, nearest, repeated
from orgmon.errors import Problem
from orgmon.positions import Where
from orgmon.regions import (
    OPT_IN_REGIONS,
    PARTITIONS,
    Partition,
    blind_without,
    needed_regions,
    partition_of,
)


def check(subject: Subject) -> Iterator[Problem]:
    """Unknown and repeated Regions, several partitions, needed ones that are missing, ones that do not belong."""
    named = list(_named(subject))
    unknown = [(where, region) for where, region in named if partition_of(region) is None]
    known = sorted(region for partition in PARTITIONS for region in partition.regions)
    for where, region in unknown:
        hint = nearest(region, known, "use a Region's code, such as eu-west-1")
        yield subject.problem(where, f"Region {region} is not known", hint)
    yield from _repeats(subject)
    if unknown:
        return
    partition = partition_of(subject.config.organization.home_region)
    assert partition is not None
    yield from _partition(subject, named, partition)
    yield from _home(subject)
    yield from _needed(subject, partition)
    yield from _inside(subject)


def _named(subject: Subject) -> Iterator[tuple[Where, str]]:
    """Every Region that the file names, with its path."""
    config = subject.config
    yield ("organization", "home_region"), config.organization.home_region
    for key, regions in (
        ("governed", config.regions.governed),
        ("detection", config.regions.detection or ()),
    ):
        for number, region in enumerate(regions):
            yield ("regions", key, number), region
    for number, item in enumerate(config.regions.left_out):
        yield ("regions", "left_out", number, "region"), item.region
    for place, entry in enumerate(config.accounts):
        for number, region in enumerate(entry.regions or ()):
            yield ("accounts", place, "regions", number), region
    for number, region in enumerate(config.decoys.regions if config.decoys else ()):
        yield ("decoys", "regions", number), region


def _repeats(subject: Subject) -> Iterator[Problem]:
    section = subject.config.regions
    for key, regions in (("governed", section.governed), ("detection", section.detection or ())):
        for number in repeated(regions):
            yield subject.problem(
                ("regions", key, number), f"Region {regions[number]} is there twice", "keep one"
            )


def _partition(subject: Subject, named: list[tuple[Where, str]], home: Partition) -> Iterator[Problem]:
    for where, region in named:
        other = partition_of(region)
        if other is not None and other != home:
            yield subject.problem(
                where,
                f"Region {region} is in partition {other.name}, the home Region in {home.name}",
                "an organization is in one partition: use a config of its own for the other",
            )
    if home.unsupported:
        yield subject.problem(
            ("organization", "home_region"),
            f"orgmon does not run in partition {home.name}: {home.unsupported}",
            "use it for an organization of the commercial partition (aws)",
        )


def _home(subject: Subject) -> Iterator[Problem]:
    home = subject.config.organization.home_region
    if home in OPT_IN_REGIONS:
        yield subject.problem(
            ("organization", "home_region"),
            f"{home} has to be switched on in every account, and where it is not, nothing is recorded",
            "use a Region that is always enabled, such as us-east-1 or eu-west-1",
        )
    if home not in subject.config.regions.detection_regions:
        yield subject.problem(
            ("organization", "home_region"),
            f"{home} is not among the detection Regions",
            "add it to regions.governed: hub and trail are there",
        )


def _needed(subject: Subject, partition: Partition) -> Iterator[Problem]:
    section = subject.config.regions
    running = section.detection_regions
    left_out = {item.region for item in section.left_out}
    key = "detection" if section.detection is not None else "governed"
    for region in needed_regions(partition):
        if region not in running and region not in left_out:
            unseen = "; ".join(blind_without(region, partition))
            yield subject.problem(
                ("regions", key),
                f"{region} is missing, and without it nobody sees {unseen}",
                f"add {region}, or name it under regions.left_out with a reason",
                at_key=True,
            )
    for number, item in enumerate(section.left_out):
        where: Where = ("regions", "left_out", number, "region")
        if item.region in running:
            yield subject.problem(
                where, f"{item.region} is left out and used", "remove it from one of the two"
            )
        elif item.region not in needed_regions(partition):
            yield subject.problem(where, f"no detection needs {item.region}", "remove the entry")


def _inside(subject: Subject) -> Iterator[Problem]:
    """Governed Regions, accounts' own and those of decoys are among the detection Regions."""
    config = subject.config
    running = config.regions.detection_regions
    for where, region in _named(subject):
        is_user = where[0] in ("accounts", "decoys") or where[:2] == ("regions", "governed")
        if is_user and region not in running:
            yield subject.problem(
                where, f"{region} is not among the detection Regions", "add it to regions.detection"
            )
