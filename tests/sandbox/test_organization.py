"""The organization: seeded exactly, paged as in AWS, changed through the API, and telling who listens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.organization import AccountState
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.seed import STACKSETS_PRINCIPAL, SeedAccount
from orgmon.sandbox.world import World

from .conftest import DEV, HOME, LOGS, MANAGEMENT, ORG, PROD, SECURITY, SEED


def organizations(world: World, account: str = MANAGEMENT) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return world.session(account).client("organizations", config=config)


def unit_id(world: World, path: str) -> str:
    return next(unit.id for unit in world.organization.units.values() if unit.path == path)


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def test_the_organization_is_the_seeds(world: World) -> None:
    client = organizations(world)
    told = client.describe_organization()["Organization"]
    assert (told["Id"], told["MasterAccountId"], told["FeatureSet"]) == (ORG, MANAGEMENT, "ALL")
    accounts = {account["Id"]: account for account in client.list_accounts()["Accounts"]}
    assert set(accounts) == {MANAGEMENT, SECURITY, LOGS, PROD, DEV}
    assert accounts[PROD]["Name"] == "shop-prod"
    assert accounts[PROD]["State"] == accounts[PROD]["Status"] == "ACTIVE"
    assert client.list_tags_for_resource(ResourceId=PROD)["Tags"] == [{"Key": "env", "Value": "prod"}]


def test_the_tree_can_be_walked(world: World) -> None:
    client = organizations(world)
    root = client.list_roots()["Roots"][0]
    below = client.list_organizational_units_for_parent(ParentId=root["Id"])["OrganizationalUnits"]
    assert sorted(unit["Name"] for unit in below) == ["Security", "Workloads"]
    assert [
        account["Id"] for account in client.list_accounts_for_parent(ParentId=root["Id"])["Accounts"]
    ] == [MANAGEMENT]
    prod = unit_id(world, "Root/Workloads/Prod")
    assert client.list_parents(ChildId=PROD)["Parents"] == [{"Id": prod, "Type": "ORGANIZATIONAL_UNIT"}]
    assert client.list_parents(ChildId=MANAGEMENT)["Parents"][0]["Type"] == "ROOT"
    assert client.list_children(ParentId=prod, ChildType="ACCOUNT")["Children"] == [
        {"Id": PROD, "Type": "ACCOUNT"}
    ]


def test_the_view_answers_the_other_rooms(world: World) -> None:
    view = world.organization
    assert view.path_of(PROD) == "Root/Workloads/Prod"
    assert view.members_under(unit_id(world, "Root/Workloads")) == {PROD, DEV}
    assert view.members_under(view.root_id) == {MANAGEMENT, SECURITY, LOGS, PROD, DEV}
    assert view.organization_of(PROD) == ORG
    assert view.organization_of("999999999999") is None
    assert view.snapshot().path_of(DEV) == "Root/Workloads/Dev"
    assert view.id_path_of(PROD).count("/") == 4


def test_accounts_come_in_pages_of_twenty() -> None:
    extra = tuple(SeedAccount(f"{n:012}", f"a{n}", f"a{n}@example.com") for n in range(600, 643))
    with World(replace(SEED, accounts=SEED.accounts + extra), clock=Clock(speed=0)) as world:
        pages = list(organizations(world).get_paginator("list_accounts").paginate())
        assert [len(page["Accounts"]) for page in pages] == [20, 20, 8]
        assert len({account["Id"] for page in pages for account in page["Accounts"]}) == 48
        with refused("InvalidInputException"):
            organizations(world).list_accounts(NextToken="bogus")


def test_members_may_only_ask_which_organization_they_are_in(world: World) -> None:
    member = organizations(world, PROD)
    assert member.describe_organization()["Organization"]["Id"] == ORG
    with refused("AccessDeniedException"):
        member.list_accounts()


def test_a_delegated_administrator_may_read(world: World) -> None:
    client = organizations(world)
    for principal in (STACKSETS_PRINCIPAL, "cloudtrail.amazonaws.com"):
        client.register_delegated_administrator(AccountId=SECURITY, ServicePrincipal=principal)
    with refused("AccountAlreadyRegisteredException"):
        client.register_delegated_administrator(AccountId=SECURITY, ServicePrincipal=STACKSETS_PRINCIPAL)
    administrators = client.list_delegated_administrators(ServicePrincipal=STACKSETS_PRINCIPAL)
    assert [account["Id"] for account in administrators["DelegatedAdministrators"]] == [SECURITY]
    services = client.list_delegated_services_for_account(AccountId=SECURITY)["DelegatedServices"]
    assert {service["ServicePrincipal"] for service in services} == {
        STACKSETS_PRINCIPAL,
        "cloudtrail.amazonaws.com",
    }
    delegate = organizations(world, SECURITY)
    assert len(delegate.list_accounts()["Accounts"]) == 5
    with refused("AccessDeniedException"):
        delegate.close_account(AccountId=DEV)
    client.deregister_delegated_administrator(AccountId=SECURITY, ServicePrincipal=STACKSETS_PRINCIPAL)
    assert (
        client.list_delegated_administrators(ServicePrincipal=STACKSETS_PRINCIPAL)["DelegatedAdministrators"]
        == []
    )


def test_who_cannot_be_a_delegated_administrator(world: World) -> None:
    client = organizations(world)
    world.trouble.suspend(DEV)
    for account in (MANAGEMENT, DEV):
        with refused("ConstraintViolationException"):
            client.register_delegated_administrator(AccountId=account, ServicePrincipal=STACKSETS_PRINCIPAL)
    with refused("InvalidInputException"):
        client.register_delegated_administrator(
            AccountId=SECURITY, ServicePrincipal="stacksets.cloudformation.amazonaws.com"
        )
    assert client.list_delegated_administrators()["DelegatedAdministrators"] == []


def test_trusted_access(world: World) -> None:
    client = organizations(world)

    def names() -> set[str]:
        listed = client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
        return {service["ServicePrincipal"] for service in listed}

    assert names() == {STACKSETS_PRINCIPAL, "cloudtrail.amazonaws.com"}
    client.disable_aws_service_access(ServicePrincipal=STACKSETS_PRINCIPAL)
    assert names() == {"cloudtrail.amazonaws.com"}
    client.enable_aws_service_access(ServicePrincipal=STACKSETS_PRINCIPAL)
    with refused("InvalidInputException"):
        client.enable_aws_service_access(ServicePrincipal="stacksets.cloudformation.amazonaws.com")
    assert names() == {STACKSETS_PRINCIPAL, "cloudtrail.amazonaws.com"}


def test_an_account_is_created_moved_closed_and_removed(world: World) -> None:
    told: list[tuple[str, str, str, str]] = []
    world.organization.on_account_changed(lambda *change: told.append(change))
    client = organizations(world)
    root, target = world.organization.root_id, unit_id(world, "Root/Workloads/Dev")
    request = client.create_account(Email="new@example.com", AccountName="new")["CreateAccountStatus"]
    assert request["State"] == "IN_PROGRESS"
    done = client.describe_create_account_status(CreateAccountRequestId=request["Id"])["CreateAccountStatus"]
    account = done["AccountId"]
    assert (done["State"], account) == ("SUCCEEDED", "555555555556")
    client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=target)
    assert world.organization.path_of(account) == "Root/Workloads/Dev"
    client.close_account(AccountId=account)
    assert client.describe_account(AccountId=account)["Account"]["State"] == AccountState.SUSPENDED
    client.remove_account_from_organization(AccountId=account)
    assert world.organization.organization_of(account) is None
    assert told == [
        ("CREATED", account, "", root),
        ("MOVED", account, root, target),
        ("SUSPENDED", account, target, target),
        ("REMOVED", account, target, ""),
    ]


def test_a_new_account_is_ready_to_be_entered(world: World) -> None:
    client = organizations(world)
    client.create_account(Email="new@example.com", AccountName="new")
    arn = "arn:aws:iam::555555555556:role/OrganizationAccountAccessRole"
    keys = world.session(MANAGEMENT).client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    assert keys["AssumedRoleUser"]["Arn"].startswith("arn:aws:sts::555555555556:")
    assert world.session("555555555556").client("sts").get_caller_identity()["Account"] == "555555555556"


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("describe_account", {"AccountId": "999999999999"}, "AccountNotFoundException"),
        ("close_account", {"AccountId": MANAGEMENT}, "ConstraintViolationException"),
        (
            "remove_account_from_organization",
            {"AccountId": MANAGEMENT},
            "MasterCannotLeaveOrganizationException",
        ),
        ("list_accounts_for_parent", {"ParentId": "ou-abcd-12345678"}, "ParentNotFoundException"),
        ("list_parents", {"ChildId": "999999999999"}, "ChildNotFoundException"),
        ("list_tags_for_resource", {"ResourceId": "999999999999"}, "TargetNotFoundException"),
        (
            "describe_organizational_unit",
            {"OrganizationalUnitId": "ou-abcd-12345678"},
            "OrganizationalUnitNotFoundException",
        ),
        ("list_delegated_services_for_account", {"AccountId": DEV}, "AccountNotRegisteredException"),
        (
            "create_account",
            {"Email": "shop-dev@example.com", "AccountName": "x"},
            "DuplicateAccountException",
        ),
        (
            "move_account",
            {"AccountId": DEV, "SourceParentId": "r-abcd", "DestinationParentId": "r-abcd"},
            "DestinationParentNotFoundException",
        ),
    ],
)
def test_refusals(world: World, method: str, arguments: dict[str, str], code: str) -> None:
    with refused(code):
        getattr(organizations(world), method)(**arguments)


def test_units_come_and_go(world: World) -> None:
    client = organizations(world)
    parent = unit_id(world, "Root/Workloads")
    unit = client.create_organizational_unit(ParentId=parent, Name="Test")["OrganizationalUnit"]
    with refused("DuplicateOrganizationalUnitException"):
        client.create_organizational_unit(ParentId=parent, Name="Test")
    client.update_organizational_unit(OrganizationalUnitId=parent, Name="Loads")
    assert world.organization.units[unit["Id"]].path == "Root/Loads/Test"
    assert world.organization.path_of(PROD) == "Root/Loads/Prod"
    with refused("OrganizationalUnitNotEmptyException"):
        client.delete_organizational_unit(OrganizationalUnitId=parent)
    client.delete_organizational_unit(OrganizationalUnitId=unit["Id"])
    assert unit["Id"] not in world.organization.units


def test_a_unit_s_name_may_have_a_slash_in_it(world: World) -> None:
    client = organizations(world)
    root, parent = world.organization.root_id, unit_id(world, "Root/Workloads")
    made = client.create_organizational_unit(ParentId=root, Name="Workloads/Dev")["OrganizationalUnit"]
    told = client.describe_organizational_unit(OrganizationalUnitId=made["Id"])["OrganizationalUnit"]
    assert told["Name"] == made["Name"] == "Workloads/Dev"
    below = client.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    assert "Workloads/Dev" in {unit["Name"] for unit in below}
    client.update_organizational_unit(OrganizationalUnitId=parent, Name="Loads")
    assert world.organization.tree.unit(made["Id"]).path == "Root/Workloads/Dev"
    assert world.organization.path_of(DEV) == "Root/Loads/Dev"
    client.update_organizational_unit(OrganizationalUnitId=made["Id"], Name="a/b")
    assert world.organization.tree.unit(made["Id"]).path == "Root/a/b"
    with refused("DuplicateOrganizationalUnitException"):
        client.update_organizational_unit(OrganizationalUnitId=made["Id"], Name="Loads")


def test_tags_are_set_and_taken_away(world: World) -> None:
    client = organizations(world)
    client.tag_resource(ResourceId=DEV, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceId=DEV, TagKeys=["a"])
    assert world.organization.snapshot().by_id[DEV].tags == (("b", "2"),)


def test_ids_are_the_same_in_every_run(world: World) -> None:
    units = tuple(world.organization.units)
    with World(SEED, clock=Clock(speed=0)) as again:
        assert tuple(again.organization.units) == units


def test_regions_of_an_account(world: World) -> None:
    account = world.session(PROD).client("account")
    assert account.get_region_opt_status(RegionName="me-south-1")["RegionOptStatus"] == "DISABLED"
    assert account.get_region_opt_status(RegionName=HOME)["RegionOptStatus"] == "ENABLED_BY_DEFAULT"
    with refused("AccessDeniedException"):
        account.list_regions(AccountId=DEV)
    ec2 = world.session(PROD).client("ec2")
    assert "me-south-1" not in {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    account.enable_region(RegionName="me-south-1")
    assert "me-south-1" in {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    listed = account.list_regions(MaxResults=50, RegionOptStatusContains=["ENABLED"])["Regions"]
    assert listed == [{"RegionName": "me-south-1", "RegionOptStatus": "ENABLED"}]
    with refused("ValidationException"):
        account.disable_region(RegionName=HOME)


def test_a_seed_may_start_with_trouble_and_extras() -> None:
    closed = SeedAccount("666666666666", "old", "old@example.com", "Root/Old", state=AccountState.SUSPENDED)
    opted = SeedAccount(
        "777777777777", "far", "far@example.com", "Root/Far", opted_in_regions=("me-south-1",)
    )
    seed = replace(SEED, accounts=(*SEED.accounts, closed, opted), trusted_access=())
    with World(seed, clock=Clock(speed=0)) as world:
        assert world.organization.is_suspended("666666666666")
        assert "me-south-1" in world.organization.settings.enabled_regions("777777777777")
        assert world.organization.settings.service_access == {}
