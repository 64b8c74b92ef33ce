"""Secrets: what a placeholder declares secret is in nothing that people of member accounts can read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from troposphere import Output, Sub, Template, logs

from orgmon.alerting import Severity
from orgmon.desired.inputs import notifier
from orgmon.desired.rules import placeholders_of
from orgmon.detections.codec import to_json
from orgmon.detections.compile_filter import MEMBER_PREFIX, metric_filters
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.condition import All, Condition, Finds, Glob, Matches, Not, Placeholder
from orgmon.detections.forwarding import forwarding
from orgmon.detections.meaning import resolve
from orgmon.detections.model import Detection, Runbook, Scope, Threshold
from orgmon.detections.secrecy import OPEN, Filling, Sealed, filling, sealed, told
from orgmon.errors import DetectionError, TemplateError
from orgmon.honeytokens import KINDS, Decoy, KindName
from orgmon.stacks import detection, hub, trail
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.table import STACKS
from tests import sample

PHRASE = "PartnerVaultKey-"
SECRET_ID = "requestParameters.secretId"
IN_MEMBERS = [definition for definition in STACKS if definition.placement.is_in_members]
GIVEN = sample.stack_inputs()
FEW = tuple(rule for rule in GIVEN.detections if rule.id in ("trail-tampering", "decoy-touched"))


def critical(*parts: Condition, threshold: Threshold | None = None) -> Detection:
    return Detection(
        "vault-touched",
        "A vault was touched",
        "",
        Severity.CRITICAL,
        All(parts),
        Scope.REGIONAL,
        Runbook("Somebody looks for credentials."),
        threshold=threshold,
    )


def call(name: str) -> Condition:
    host = Matches("eventSource", Glob(("secretsmanager.amazonaws.com",)))
    return All((host, Matches("eventName", Glob((name,)))))


def filled(unfilled: Detection, values: Filling) -> Detection:
    resolved = resolve(unfilled, [values])
    assert resolved is not None
    return resolved


def texts(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from (key, *texts(value))
    elif isinstance(content, list):
        for value in content:
            yield from texts(value)
    elif isinstance(content, str):
        yield content


VAULT = critical(call("GetSecretValue"), Placeholder(SECRET_ID, ("",), "vaults", ("", "")))


def test_a_second_secret_placeholder_reaches_no_member_account() -> None:
    inputs = replace(GIVEN, detections=(*GIVEN.detections, filled(VAULT, filling("vaults", (PHRASE,)))))
    assert detection.STACK in IN_MEMBERS
    for definition in IN_MEMBERS:
        assert PHRASE not in definition.body(inputs).text
    for definition in (hub.STACK, trail.STACK):
        assert PHRASE in definition.body(inputs).text
    known = filled(VAULT, Filling("vaults", (PHRASE,), is_secret=False))
    assert PHRASE in detection.STACK.body(replace(GIVEN, detections=(known,))).text


def test_secrecy_goes_from_the_placeholder_through_every_form() -> None:
    secret = filled(VAULT, filling("vaults", (PHRASE,)))
    known = filled(VAULT, Filling("vaults", (PHRASE,), is_secret=False))
    assert secret.secrets == {PHRASE}
    assert known.secrets == frozenset()
    for vault, is_sealed in ((secret, True), (known, False)):
        assert vault.is_secret is is_sealed
        [metric], [rule] = metric_filters(vault, MEMBER_PREFIX), event_rules(vault)
        assert isinstance(metric.pattern, Sealed) is is_sealed
        assert bool([*told(rule.pattern, ())]) is is_sealed
        assert not [*told([rule.pattern for rule in forwarding((vault,))], ())]
    assert VAULT.is_secret  # nobody knows yet with what it will be filled


def test_only_what_is_declared_open_is_no_secret() -> None:
    config = sample.config()
    declared = {placeholder.name: placeholder.is_secret for placeholder in placeholders_of(config)}
    assert {name for name, is_secret in declared.items() if not is_secret} == OPEN
    assert {kind.placeholder for kind in KINDS.values()} <= declared.keys() - OPEN


def test_a_secret_is_not_in_the_code_of_functions() -> None:
    """A rule that takes more has its condition in the function's code, which the whole organization can read."""
    open_one = replace(VAULT, condition=All((VAULT.condition, Finds("userAgent", "a+"))))
    with pytest.raises(DetectionError, match="E-CW-REGEX"):
        event_rules(filled(open_one, filling("vaults", (PHRASE,))))
    assert event_rules(filled(open_one, Filling("vaults", (PHRASE,), is_secret=False)))[0].recheck
    with pytest.raises(ValueError, match="secret"):
        to_json(filled(VAULT, filling("vaults", (PHRASE,))).condition)


def test_what_is_forwarded_is_wider_rather_than_secret() -> None:
    host = Matches("eventSource", Glob(("kms.amazonaws.com",)))
    hosted = critical(host, Placeholder("eventName", ("",), "calls", ("",)))
    assert "GoSecretly" not in json.dumps(
        [rule.pattern for rule in forwarding((filled(hosted, filling("calls", ("GoSecretly",))),))]
    )
    alone = critical(Placeholder("eventName", ("",), "calls", ("",)))
    with pytest.raises(DetectionError, match="E-FORWARD"):
        forwarding((filled(alone, filling("calls", ("GoSecretly",))),))


def test_what_tells_a_secret_is_named_by_its_place() -> None:
    content = {"A": ["x", {"B": f"of {PHRASE}1"}], PHRASE: {"C": PHRASE}, "D": sealed(("y",))}
    assert [*told(content, {PHRASE, "*"})] == ["A.1.B", "key 1", "D.0"]
    assert [*told({"A": "of Partner, the Key-"}, {"Partner*Key-"})] == ["A"]


def careless(build: Callable[[Template, Inputs], object], who: Who = Who.MEMBERS) -> StackDefinition:
    def made(inputs: Inputs) -> Template:
        template = new_template("Careless")
        build(template, inputs)
        return template

    return StackDefinition("orgmon-careless", Placement(who, Where.HOME), "", made, lambda _: {})


def group(**properties: Any) -> logs.LogGroup:
    return logs.LogGroup("Group", **properties)


CARELESS: dict[str, Callable[[Template, Inputs], object]] = {
    "description": lambda template, _: template.set_description(f"Watches {PHRASE}*"),
    "property": lambda template, _: template.add_resource(group(LogGroupName=f"/x/{PHRASE}")),
    "function": lambda template, _: template.add_resource(group(LogGroupName=Sub("${AWS::Region}" + PHRASE))),
    "key": lambda template, _: template.set_metadata({PHRASE: True}),
    "output": lambda template, _: template.add_output(Output("Out", Value=PHRASE)),
    "filter": lambda template, inputs: template.set_metadata(
        {"pattern": metric_filters(inputs.detections[-1])[0].pattern}
    ),
    "rule": lambda template, inputs: template.set_metadata(
        {"pattern": event_rules(inputs.detections[-1])[0].pattern}
    ),
    "decoy": lambda template, inputs: template.set_metadata({"phrase": inputs.decoys[0].phrase}),
}


@pytest.mark.parametrize("name", CARELESS)
def test_a_template_in_members_that_tells_a_secret_is_not_rendered(name: str) -> None:
    # The pieces are written otherwise in a filter: what is sealed is found whatever became of it.
    escaped = critical(call("Go"), Placeholder(SECRET_ID, ("a", ""), "vaults", ("", "b-", "")))
    inputs = replace(GIVEN, detections=(filled(escaped, filling("vaults", (PHRASE,))),))
    for who in (Who.MEMBERS, Who.CHOSEN_MEMBERS):
        with pytest.raises(TemplateError, match="orgmon-careless") as caught:
            careless(CARELESS[name], who).body(inputs)
        assert PHRASE not in str(caught.value)
    assert careless(CARELESS[name], Who.SECURITY).body(inputs).text


def test_a_parameter_in_members_that_tells_a_secret_is_refused() -> None:
    inputs = replace(GIVEN, detections=(filled(VAULT, filling("vaults", (PHRASE,))),))
    telling = replace(detection.STACK, values=lambda _: {"HomeRegion": f"x{PHRASE}"})
    with pytest.raises(TemplateError, match="HomeRegion"):
        telling.parameters(inputs)


names = st.text("abcdecoysfghi_", min_size=1, max_size=8).filter(lambda name: name not in OPEN)
values = st.text('ABCabc019-_.:/"\\%*$ {}é', min_size=1, max_size=12)
fields = st.sampled_from(
    [
        "eventName",
        "eventSource",
        "userIdentity.type",
        SECRET_ID,
        "errorMessage",
        "readOnly",
        "sourceIPAddress",
    ]
)


@st.composite
def conditions(draw: st.DrawFn, name: str) -> Condition:
    pieces = st.sampled_from([("",), ("", ""), ("a",), ("a", "b")])
    test = Placeholder(draw(fields), draw(pieces), name, draw(pieces))
    asked: Condition = Not(test) if draw(st.booleans()) else test
    return All((call("GetSecretValue"), asked)) if draw(st.booleans()) else asked


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), names, st.lists(values, min_size=1, max_size=3))
def test_no_template_in_members_ever_tells_a_secret(
    data: st.DataObject, name: str, secrets: list[str]
) -> None:
    limit = data.draw(st.sampled_from([None, Threshold(3, 300)]))
    touched = resolve(critical(data.draw(conditions(name)), threshold=limit), [filling(name, tuple(secrets))])
    assume(touched is not None and touched.secrets)
    assert touched is not None
    inputs = replace(GIVEN, detections=(*FEW, touched))
    for definition in IN_MEMBERS:
        try:
            written = [*texts(definition.body(inputs).content)]
        except DetectionError:
            continue  # refused: nothing of it is placed anywhere
        except TemplateError:
            plain = definition.body(replace(GIVEN, detections=FEW)).content
            assert [*told(plain, secrets)]  # an ordinary word, that was in the template before
            continue
        assert not [secret for secret in secrets for text in written if secret.strip("*") and secret in text]
    try:
        code = notifier(sample.config(), sample.organization(), (touched,)).body
    except DetectionError:
        return
    assert (
        code
        == notifier(sample.config(), sample.organization(), (replace(touched, condition=call("Go")),)).body
    )


def test_every_kind_of_decoy_has_its_names_in_no_template_but_its_own() -> None:
    assert set(KINDS) == set(get_args(KindName))
    for kind in KINDS.values():
        decoy = Decoy(kind, sealed("LedgerExportLogin"))
        touched = filled(VAULT, Filling("vaults", (decoy.prefix,), is_secret=True))
        inputs = replace(GIVEN, detections=(touched,), decoys=(decoy,))
        telling = {
            definition.name for definition in STACKS if "LedgerExportLogin" in definition.body(inputs).text
        }
        assert telling == {"orgmon-hub", "orgmon-trail", "decoys"}
