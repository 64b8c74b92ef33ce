"""The filters that auditors' tools look for: word for word, and what they mean beside our own detections."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from orgmon import filterpattern
from orgmon.detections import catalogue
from orgmon.detections.cis import FILTERS, CisFilter
from orgmon.detections.condition import Matches
from orgmon.detections.condition import tests_of as literals_of
from orgmon.detections.meaning import matches
from orgmon.detections.model import Detection
from orgmon.filterpattern import JsonSelectors

SHIPPED = {detection.id: detection for detection in catalogue.resolved(catalogue.shipped(), ())}
every_filter = pytest.mark.parametrize("control", FILTERS, ids=lambda control: control.id)


def names_of(control: CisFilter, detection: Detection) -> set[str]:
    """The event names that either of the two speaks of."""
    body = filterpattern.parse(control.pattern).body
    assert isinstance(body, JsonSelectors)
    names = {
        leaf.glob.literal
        for leaf in literals_of(detection.condition)
        if isinstance(leaf, Matches) and leaf.field == "eventName" and leaf.glob.literal
    }
    names |= {
        word
        for word in control.pattern.replace(")", " ").replace("=", " ").replace('"', " ").split()
        if word[0].isupper()
    }
    return names or {"StopLogging"}


def records(control: CisFilter, detection: Detection) -> Iterator[dict[str, Any]]:
    """Every name from the right source and another, allowed and refused, by a person and by a rollout."""
    sources = {
        leaf.glob.literal
        for leaf in literals_of(detection.condition)
        if isinstance(leaf, Matches) and leaf.field == "eventSource"
    } | {"autoscaling.amazonaws.com"}
    for name in sorted(names_of(control, detection)):
        for source in sorted(filter(None, sources)):
            for error in ({}, {"errorCode": "AccessDenied"}, {"errorCode": "ThrottlingException"}):
                for who in (
                    {},
                    {"invokedBy": "config.amazonaws.com"},
                    {"sessionContext": {"sessionIssuer": {"userName": "stacksets-exec-1"}}},
                ):
                    yield {
                        "eventName": name,
                        "eventSource": source,
                        "eventType": "AwsApiCall",
                        "userIdentity": {"type": "IAMUser", **who},
                        **error,
                    }
    for example in detection.examples:
        yield dict(example.record)
    for kind in ({}, {"eventType": "AwsApiCall"}, {"eventType": "AwsServiceEvent"}):
        for who in ({}, {"invokedBy": "support.amazonaws.com"}):
            yield {
                "eventName": "StopLogging",
                "eventSource": "x.amazonaws.com",
                "userIdentity": {"type": "Root", **who},
                **kind,
            }
    for mfa in ({}, {"MFAUsed": "Yes"}, {"MFAUsed": "No"}):
        for outcome, message, source in (
            ("Success", None, "signin.amazonaws.com"),
            ("Failure", "Failed authentication", "signin.amazonaws.com"),
            ("Failure", "Failed authentication", "sso.amazonaws.com"),
        ):
            yield {
                "eventName": "ConsoleLogin",
                "eventSource": source,
                "userIdentity": {"type": "IAMUser"},
                "responseElements": {"ConsoleLogin": outcome},
                "additionalEventData": mfa,
                "errorMessage": message,
            }


@every_filter
def test_text_and_detection_differ_just_as_is_said(control: CisFilter) -> None:
    detection = SHIPPED[control.detection]
    pattern = filterpattern.parse(control.pattern)
    missed, extra = [], []
    for record in records(control, detection):
        by_text, by_us = pattern.matches(json.dumps(record)), matches(detection, record)
        if by_us and not by_text:
            missed.append(record)
        if by_text and not by_us:
            extra.append(record)
    assert bool(control.narrower) == bool(missed), missed
    assert bool(control.wider) == bool(extra), extra


@every_filter
def test_each_control_has_its_number_in_the_detection(control: CisFilter) -> None:
    controls = dict(SHIPPED[control.detection].controls)
    assert control.number in controls["cis-aws-v1.4-v5.0"]
    assert control.number.replace("4.", "5.", 1) in controls["cis-aws-v6-v7"]


def test_all_fifteen_are_there_once() -> None:
    assert [control.number for control in FILTERS] == [f"4.{number}" for number in range(1, 16)]
    assert len({control.id for control in FILTERS}) == 15


def test_the_texts_that_a_tool_compares_are_word_for_word() -> None:
    texts = {control.number: control.pattern for control in FILTERS}
    assert texts["4.1"] == '{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}'
    assert texts["4.7"] == (
        "{($.eventSource=kms.amazonaws.com) && (($.eventName=DisableKey) || ($.eventName=ScheduleKeyDeletion))}"
    )
    assert texts["4.5"] == (
        "{($.eventName=CreateTrail) || ($.eventName=UpdateTrail) || ($.eventName=DeleteTrail) || "
        "($.eventName=StartLogging) || ($.eventName=StopLogging)}"
    )


def test_a_filter_that_always_holds_is_not_among_them() -> None:
    for control in FILTERS:
        body = filterpattern.parse(control.pattern).body
        assert isinstance(body, JsonSelectors)
        assert not filterpattern.parse(control.pattern).matches(json.dumps({"eventName": "DescribeRegions"}))


def test_the_list_of_organizations_calls_is_the_whole_one() -> None:
    """Prowler 5.46 compares with these 21 names."""
    [control] = [control for control in FILTERS if control.number == "4.15"]
    names = re.findall(r"eventName = \"(\w+)\"", control.pattern)
    assert len(names) == len(set(names)) == 21
    assert {"CancelHandshake", "CreateOrganization", "EnableAllFeatures"} <= set(names)
