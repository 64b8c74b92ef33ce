"""What a State costs: arithmetic that was done by hand, at list prices of us-east-1, against what templates come to."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from orgmon.actions.plan import estimate
from orgmon.console import cost_view
from orgmon.desired.state import desired_state
from orgmon.errors import UsageError
from orgmon.organization import Account, AccountState, Organization
from orgmon.plan import prices
from orgmon.plan.bill import bill
from orgmon.plan.cost import Cost, Estimate, Item, cost
from orgmon.stacks import detection, logs
from orgmon.stackset import Stack, StackInstance, StackSet, State, TemplateBody
from orgmon.workspace import Workspace
from tests import sample

PRICES = prices.read()
ALARM = {"Type": "AWS::CloudWatch::Alarm"}
MILLION = 1_000_000


def assuming(**changes: float) -> prices.Prices:
    """The shipped prices with other assumptions."""
    return replace(PRICES, assumptions=replace(PRICES.assumptions, **changes))


def template(**resources: Any) -> TemplateBody:
    """A template of these resources."""
    return TemplateBody.of({"Resources": resources})


def metric(name: str, **transformation: Any) -> dict[str, Any]:
    """A metric filter."""
    made = {"MetricName": name, "MetricNamespace": "space", "MetricValue": "1", **transformation}
    return {"Type": "AWS::Logs::MetricFilter", "Properties": {"MetricTransformations": [made]}}


def in_members(body: TemplateBody, accounts: int, regions: int) -> State:
    """A stack set of that many accounts and Regions."""
    instances = (
        StackInstance(f"{account:012}", f"region-{number}")
        for account in range(accounts)
        for number in range(regions)
    )
    return State(stack_sets=(StackSet("members", body, instances=tuple(instances)),))


def central(**resources: Any) -> State:
    """A plain stack."""
    return State((Stack("trail", "1", "us-east-1", template(**resources)),))


def usd(state: State, at: prices.Prices = PRICES) -> float:
    """The sum, in whole cents."""
    return round(cost(state, at).usd, 2)


def test_an_alarm_for_each_of_twenty_detections_in_100_accounts_and_17_regions() -> None:
    body = template(**{f"A{number}": ALARM for number in range(20)})
    assert usd(in_members(body, 100, 17)) == 3_400


def test_filters_with_a_default_value_have_data_in_every_hour() -> None:
    busy = template(**{f"F{number}": metric(f"m{number}", DefaultValue=0) for number in range(20)})
    assert usd(in_members(busy, 100, 17)) == 10_200
    quiet = template(**{f"F{number}": metric(f"m{number}") for number in range(20)})
    assert usd(in_members(quiet, 100, 17), assuming(metric_hours=730)) == 10_200
    assert usd(in_members(quiet, 100, 17), assuming(metric_hours=7.3)) == 102


def test_one_alarm_for_all_detections_of_a_member() -> None:
    assert usd(in_members(template(A=ALARM), 100, 17)) == 170


def test_twenty_central_alarms_and_their_metrics() -> None:
    parts = {f"A{number}": ALARM for number in range(20)}
    parts |= {f"F{number}": metric(f"m{number}", DefaultValue=0) for number in range(20)}
    assert usd(central(**parts)) == 8


def test_several_filters_of_one_metric_are_one_metric() -> None:
    assert usd(central(One=metric("m", DefaultValue=0), Two=metric("m"))) == 0.30


FORWARDING = {
    "Type": "AWS::Events::Rule",
    "Properties": {
        "Targets": [
            {"Arn": {"Fn::Sub": "arn:aws:events:r:1:event-bus/hub"}},
            {"Arn": {"Fn::Sub": "arn:aws:logs:r:1:log-group:/aws/events/local"}},
        ]
    },
}
TRAIL = {"Type": "AWS::CloudTrail::Trail", "Properties": {"CloudWatchLogsLogGroupArn": "arn"}}


def test_a_million_forwarded_events_and_what_log_groups_take() -> None:
    forwarding = in_members(template(Rule=FORWARDING), 10, 10)
    events, kept = cost(forwarding, assuming(forwarded_events=10_000, event_kb=1)).items
    assert (events.what, events.number, events.usd) == ("events", MILLION, 1.0)
    assert (kept.what, kept.number, kept.usd) == ("GB of logs", 1.0, 0.5)


def test_500_gigabytes_of_the_trail_and_its_second_copies() -> None:
    state = replace(in_members(template(Rule=FORWARDING), 10, 10), stacks=central(Trail=TRAIL).stacks)
    at = assuming(recorded_events=5 * MILLION, forwarded_events=0, event_kb=1)
    told = cost(state, at)
    assert told.by_stack == {"trail": 250.0}
    # 500 million events, at $2.00 for each 100,000; only where accounts have another trail, so not in the sum.
    assert told.copies == 10_000.0
    without = cost(replace(state, stacks=central(A=ALARM).stacks), at)
    assert without.copies == 0


def test_keys_and_secrets_have_a_price_a_month() -> None:
    parts = {"Key": {"Type": "AWS::KMS::Key"}, "Secret": {"Type": "AWS::SecretsManager::Secret"}}
    assert usd(central(**parts)) == 1.40


# -- what orgmon deploys


def large(accounts: int) -> Organization:
    """The sample's organization with more accounts in one of its units."""
    known = sample.organization()
    unit = known.accounts[-1].unit_id
    more = tuple(
        Account(f"{number:012}", f"a{number}", "", AccountState.ACTIVE, unit)
        for number in range(1, accounts - len(known.accounts) + 1)
    )
    return replace(known, accounts=(*known.accounts, *more))


class Known(Workspace):
    """A workspace that knows its organization without asking."""

    size = 12

    @cached_property
    def organization(self) -> Organization:
        """The sample's, or a larger one."""
        return large(self.size)


class Large(Known):
    """A thousand accounts."""

    size = 1000


@cache
def of_a_thousand() -> Estimate:
    """What the shipped config costs with so many accounts."""
    return estimate(Large(sample.PATH), State(), PRICES)


def test_alarms_of_a_thousand_members_in_17_regions_are_ten_thousand_dollars() -> None:
    regions = tuple(f"region-{number}" for number in range(17))
    given = replace(sample.stack_inputs(), governed_regions=regions, detection_regions=regions)
    instances = tuple(
        StackInstance(f"{account:012}", region) for account in range(1000) for region in regions
    )
    state = State(
        stack_sets=(StackSet("orgmon-detection", detection.STACK.body(given), instances=instances),)
    )
    told = cost(state, PRICES)
    assert round(told.member_alarms, 2) == 10_200
    assert told.is_mostly_member_alarms


def test_alarms_count_where_their_condition_holds() -> None:
    given = replace(
        sample.stack_inputs(), detection_regions=("us-east-1", "eu-west-1"), governed_regions=("eu-west-1",)
    )
    body = detection.STACK.body(given)
    assert bill(body, (), "eu-west-1").alarms == bill(body, (), "eu-west-1").metrics == 6
    outside = bill(body, (), "us-east-1")
    assert (outside.alarms, outside.metrics, outside.forwards) == (0, 0, 1)


def test_a_key_counts_where_it_is_made() -> None:
    body = logs.STACK.body(sample.stack_inputs())
    assert bill(body, (("KeyArn", ""),), "us-east-1").keys == 1
    assert bill(body, (("KeyArn", "arn:aws:kms:x"),), "us-east-1").keys == 0


@pytest.mark.parametrize(
    "condition", [{"Fn::Not": [{"Condition": "x"}]}, {"Fn::Equals": [{"Ref": "x"}, "y"]}]
)
def test_what_is_not_understood_counts(condition: dict[str, Any]) -> None:
    body = TemplateBody.of({"Conditions": {"C": condition}, "Resources": {"A": {**ALARM, "Condition": "C"}}})
    assert bill(body, (), "us-east-1").alarms == 1


def test_what_is_no_template_of_ours_costs_nothing() -> None:
    assert bill(TemplateBody("Resources: {}"), (), "us-east-1") == bill(template(), (), "us-east-1")


def test_the_members_alarms_are_those_of_the_readme_and_the_management_account_is_one_of_them() -> None:
    state = desired_state(sample.config(), sample.organization(), sample.detections())
    told = cost(state, PRICES)
    assert round(told.member_alarms, 2) == 21.60
    assert not told.is_mostly_member_alarms
    assert not [name for name in told.by_stack if name.endswith("-management")]


@pytest.mark.slow
def test_where_members_alarms_are_what_costs_the_cheaper_form_is_proposed() -> None:
    told = of_a_thousand()
    assert round(told.then.member_alarms, 2) == 1_800
    assert told.saving is not None
    assert told.saving.change == "detections.member_alarms: false"
    assert told.saving.usd == pytest.approx(5 / 6 * 1_800, rel=0.05)
    assert estimate(Known(sample.PATH), State(), PRICES).saving is None


def test_where_that_is_done_fewer_regions_are_proposed(tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    text = sample.PATH.read_text(encoding="utf-8")
    path.write_text(text.replace("member_alarms: true", "member_alarms: false"), encoding="utf-8")
    told = estimate(Large(path), State(), PRICES)
    assert told.saving is not None
    assert (told.saving.change, round(told.saving.usd)) == ("each Region less under regions.governed", 100)


def test_without_alarms_of_members_what_nobody_else_counts_stays() -> None:
    content = detection.STACK.body(replace(sample.stack_inputs(), member_alarms=False)).content["Resources"]
    assert isinstance(content, dict)
    alarms = [part["Properties"]["AlarmName"] for part in content.values() if part["Type"] == ALARM["Type"]]
    assert alarms == ["orgmon-member-secret-bulk-read"]


def test_what_is_there_is_what_it_costs_now() -> None:
    workspace = Known(sample.PATH)
    there = estimate(workspace, workspace.desired, PRICES)
    assert there.now == there.then
    gone = estimate(workspace, workspace.desired, PRICES, destroy=True)
    assert (gone.then, gone.now) == (Cost(), there.now)


# -- prices


def test_every_price_says_where_it_is_from() -> None:
    path = Path(prices.__file__).with_name("prices.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["as_of"] > "2026"
    assert all(one["source"].startswith("https://aws.amazon.com/") for one in content["prices"].values())
    assert all(one["unit"] for one in content["prices"].values())


def test_a_user_has_prices_of_his_own(tmp_path: Path) -> None:
    content = json.loads(Path(prices.__file__).with_name("prices.json").read_text(encoding="utf-8"))
    content["prices"]["alarm"]["usd"] = 0.2
    own = tmp_path / "prices.json"
    own.write_text(json.dumps(content), encoding="utf-8")
    told = estimate(Known(sample.PATH), State(), prices.read(own))
    assert round(told.then.member_alarms, 2) == 43.20


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"prices": {}, "assumptions": {}, "as_of": "x", "region": "y"}']
)
def test_what_is_no_file_of_prices_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"no file of prices.*"):
        prices.read(path)


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity", "true", '"0.1"', "1" + "0" * 400])
def test_what_nobody_charges_is_refused(tmp_path: Path, price: str) -> None:
    text = Path(prices.__file__).with_name("prices.json").read_text(encoding="utf-8")
    content = json.loads(text)
    content["prices"]["alarm"]["usd"] = "PRICE"
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(content).replace('"PRICE"', price), encoding="utf-8")
    with pytest.raises(UsageError, match=r"no file of prices.*"):
        prices.read(path)


# -- what is printed


def printed(told: Estimate, *, every: bool = False) -> str:
    """What a person reads."""
    text = StringIO()
    cost_view.show(Console(file=text, width=300), told, every=every)
    return text.getvalue()


ITEM = Item("orgmon-detection", "alarms", 102_000, 10_200.0, 1000)


@pytest.mark.slow
def test_the_sum_the_difference_and_the_parts_are_told() -> None:
    text = printed(of_a_thousand())
    assert "Cost a month at prices of us-east-1 as of 2026-02-28: about $1," in text
    assert "now $0.00 (+$1," in text
    assert "18,000 alarms $1,800.00" in text
    assert "assumed of each account and Region: 50,000 events recorded, 2,000 forwarded, 1.5 KB each" in text
    assert "second copies of events: trail.existing" in text
    assert "detections.member_alarms: false" in text
    assert len(text.splitlines()) < 14


def test_where_nothing_changes_the_sum_is_enough() -> None:
    same = Estimate(Cost((ITEM,)), Cost((ITEM,)), PRICES)
    assert printed(same).splitlines() == [
        "Cost a month at prices of us-east-1 as of 2026-02-28: about $10,200.00",
        "",
    ]
    assert "102,000 alarms" in printed(same, every=True)


def test_what_is_removed_costs_less_and_what_is_kept_is_named() -> None:
    text = printed(Estimate(Cost((ITEM,)), Cost(), PRICES))
    assert "about $0.00, now $10,200.00 (-$10,200.00)" in text
    assert "go on costing" in text
    assert "assumed" not in text


def test_json_has_sums_in_whole_cents() -> None:
    told = cost_view.data(Estimate(Cost(), Cost((replace(ITEM, usd=1.23456),)), PRICES))
    assert told["change_usd"] == 1.23
    assert told["then"] == {
        "usd": 1.23,
        "second_copies_usd": 0.0,
        "by_stack": {"orgmon-detection": 1.23},
        "items": [replace(ITEM, usd=1.23)],
    }
