"""Roles: what each may do, who gives them, and that nobody climbs or locks the others out."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from accounts import roles
from accounts.errors import LastOwner
from accounts.models import SellerMember, User
from accounts.roles import EVERYTHING, SELLER_RIGHTS, STAFF_RIGHTS, Right, StaffRole
from accounts.services import staff
from tests.admin_forms import address, errors, sign_in, submit
from tests.architecture.test_docs import read_rows
from tests.factories.accounts import SellerMemberFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
APPS = ("shop", "accounts", "account", "auth", "catalog", "cart", "payments", "orders")


def make(role: StaffRole) -> User:
    person = StaffFactory()
    person.groups.add(Group.objects.get(name=role.value))
    return person


def page_of(person: User) -> str:
    return address("accounts_user", "change", person.pk)


# The roles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", StaffRole)
def test_migrate_has_laid_down_exactly_the_rights_of_each_role(role: StaffRole) -> None:
    laid_down = set(Group.objects.get(name=role.value).permissions.values_list("pk", flat=True))

    wanted: set[int] = set()
    for app in APPS:
        wanted |= set(roles.list_permissions(role, app).values_list("pk", flat=True))

    assert laid_down == wanted
    assert wanted


def test_every_right_that_is_named_exists() -> None:
    known = {
        f"{app}.{model} {codename.removesuffix(f'_{model}')}"
        for app, model, codename in Permission.objects.values_list(
            "content_type__app_label", "content_type__model", "codename"
        )
    }

    named = {
        f"{model} {action}"
        for rights in STAFF_RIGHTS.values()
        for model, actions in rights.items()
        if actions != EVERYTHING
        for action in actions.split()
    }

    assert named - known == set()


def test_what_somebody_took_from_a_role_by_hand_is_back_after_the_next_migrate() -> None:
    finance = Group.objects.get(name=StaffRole.FINANCE.value)
    before = set(finance.permissions.all())
    finance.permissions.remove(Permission.objects.get(codename="refund_order"))
    finance.permissions.add(Permission.objects.get(codename="delete_product"))

    for app in APPS:
        staff.lay_down_roles(app)

    assert set(finance.permissions.all()) == before


def test_the_page_about_roles_says_what_the_code_does() -> None:
    sellers = {row[0]: row[1:] for row in read_rows("roles.md", "Sellers' people")[1:]}
    shop = {row[0]: row[1:] for row in read_rows("roles.md", "Shop staff")[1:]}

    of_sellers = {
        f"`{right.value}`": [
            "yes" if right in SELLER_RIGHTS[role] else "–"
            for role in (
                SellerMember.Role.OWNER,
                SellerMember.Role.MANAGER,
                SellerMember.Role.PACKER,
            )
        ]
        for right in Right
    }
    models = dict.fromkeys(
        model
        for role, rights in STAFF_RIGHTS.items()
        if role != StaffRole.OWNER
        for model in rights
    )
    of_shop = {
        f"`{model}`": [
            STAFF_RIGHTS[role].get(model, "–")
            for role in (StaffRole.SUPPORT, StaffRole.CATALOGUE, StaffRole.FINANCE)
        ]
        for model in models
    }

    assert {row: cells[1:] for row, cells in sellers.items()} == of_sellers
    assert shop == of_shop


def test_only_support_and_owners_look_as_a_shopper_and_only_as_one() -> None:
    shopper, packer = UserFactory(), SellerMemberFactory(role="packer").user
    colleague = make(StaffRole.CATALOGUE)

    allowed = {role: roles.may_look_as(make(role), shopper) for role in StaffRole}

    assert allowed == {
        StaffRole.SUPPORT: True,
        StaffRole.OWNER: True,
        StaffRole.CATALOGUE: False,
        StaffRole.FINANCE: False,
    }
    for person in (packer, colleague, UserFactory(is_superuser=True), UserFactory(is_active=False)):
        assert not roles.may_look_as(make(StaffRole.OWNER), person)


def test_whoever_has_a_role_in_the_shop_acts_for_the_shop() -> None:
    person = make(StaffRole.OWNER)
    SellerMemberFactory(user=person, role="packer")

    assert roles.find_seller_roles(person) == {}
    assert sign_in(person).get(address("orders_order", "changelist")).status_code == 200


def test_a_right_alone_makes_nobody_of_a_sellers_people_shop_staff() -> None:
    person = SellerMemberFactory(role="owner").user
    person.user_permissions.set(Permission.objects.all())

    assert sign_in(person).get(address("accounts_user", "changelist")).status_code == 403
    assert sign_in(person).get(address("payments_refund", "changelist")).status_code == 403


# Nobody climbs ------------------------------------------------------------------------------------


def test_the_shops_owner_gives_a_role_and_the_door_to_the_admin_with_it() -> None:
    person = UserFactory()
    support = Group.objects.get(name=StaffRole.SUPPORT.value)

    answer = submit(sign_in(make(StaffRole.OWNER)), page_of(person), groups=[support.pk])

    assert answer.status_code == 302, errors(answer)
    person.refresh_from_db()
    assert list(person.groups.all()) == [support]
    assert person.is_staff


def test_who_loses_the_last_role_loses_the_door_too() -> None:
    person = make(StaffRole.SUPPORT)

    answer = submit(sign_in(make(StaffRole.OWNER)), page_of(person), groups=[])

    assert answer.status_code == 302, errors(answer)
    person.refresh_from_db()
    assert not person.is_staff


def test_the_shops_owner_makes_nobody_superuser_and_changes_none() -> None:
    owner, boss = sign_in(make(StaffRole.OWNER)), UserFactory(is_staff=True, is_superuser=True)
    person = UserFactory()

    submit(owner, page_of(person), is_superuser="on", is_staff="on",
           user_permissions=[Permission.objects.earliest("pk").pk])  # fmt: skip

    person.refresh_from_db()
    assert (person.is_superuser, person.is_staff) == (False, False)
    assert not person.user_permissions.exists()
    assert owner.get(page_of(boss)).status_code == 200
    assert owner.post(page_of(boss), {"email": "mine@example.com"}).status_code == 403
    assert owner.get(f"/admin/accounts/user/{boss.pk}/password/").status_code == 403
    assert (
        owner.post(address("accounts_user", "delete", boss.pk), {"post": "yes"}).status_code == 403
    )
    assert User.objects.filter(pk=boss.pk, email=boss.email).exists()


def test_nobody_gives_a_group_that_may_do_more_than_they_do() -> None:
    clerk = make(StaffRole.SUPPORT)
    clerk.user_permissions.add(Permission.objects.get(codename="change_user"))
    make(StaffRole.OWNER)  # Without one, nobody's roles are changed by anybody.
    shopper = UserFactory()
    owners = Group.objects.get(name=StaffRole.OWNER.value)
    support = Group.objects.get(name=StaffRole.SUPPORT.value)
    browser = sign_in(clerk)

    climbed = submit(browser, page_of(shopper), groups=[owners.pk])
    fine = submit(browser, page_of(shopper), groups=[support.pk])
    up = browser.post(page_of(make(StaffRole.FINANCE)), {"email": "mine@example.com"})

    assert errors(climbed)
    assert fine.status_code == 302, errors(fine)
    assert up.status_code == 403
    shopper.refresh_from_db()
    assert list(shopper.groups.all()) == [support]


def test_an_owner_who_is_barred_for_now_is_not_changed_from_below() -> None:
    clerk = make(StaffRole.SUPPORT)
    clerk.user_permissions.add(Permission.objects.get(codename="change_user"))
    sleeping = make(StaffRole.OWNER)
    User.objects.filter(pk=sleeping.pk).update(is_active=False)

    assert sign_in(clerk).post(page_of(sleeping), {"is_active": "on"}).status_code == 403


def test_the_shops_own_roles_are_changed_by_nobody() -> None:
    boss = sign_in()
    support = Group.objects.get(name=StaffRole.SUPPORT.value)
    page = address("auth_group", "change", support.pk)

    assert boss.get(page).status_code == 200
    assert boss.post(page, {"name": "Everything"}).status_code == 403
    assert sign_in(make(StaffRole.OWNER)).get("/admin/auth/group/add/").status_code == 403


# Nobody locks the others out ----------------------------------------------------------------------


def test_the_last_owner_of_the_shop_stays_one() -> None:
    owner = make(StaffRole.OWNER)
    browser = sign_in(owner)

    submit(browser, page_of(owner), groups=[])
    submit(browser, page_of(owner), is_active=None)
    browser.post(
        address("accounts_user", "changelist"),
        {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"},
    )

    owner.refresh_from_db()
    assert owner.is_active
    assert owner.is_staff
    assert owner.groups.get().name == StaffRole.OWNER.value


def test_with_another_owner_one_may_go() -> None:
    owner = make(StaffRole.OWNER)
    make(StaffRole.OWNER)

    answer = submit(sign_in(owner), page_of(owner), groups=[])

    assert answer.status_code == 302
    assert not owner.groups.exists()


def test_an_owner_who_is_barred_counts_for_none() -> None:
    barred = make(StaffRole.OWNER)
    User.objects.filter(pk=barred.pk).update(is_active=False)

    with transaction.atomic(), pytest.raises(LastOwner):
        staff.make_sure_somebody_owns_the_shop()


# Proof anew ---------------------------------------------------------------------------------------


def test_a_real_shop_asks_for_proof_anew_before_roles_and_money(settings: Any) -> None:
    owner, person = make(StaffRole.OWNER), UserFactory()
    with_passkey(owner)
    settings.ADMIN_SECOND_FACTOR = True
    browser = sign_in(owner)

    saved = browser.post(page_of(person), {"email": "other@example.com"})
    asked = browser.get(f"/admin/accounts/user/{person.pk}/password/")

    for answer in (saved, asked):
        assert answer.status_code == 302
        assert "reauthenticate" in answer["Location"]
    assert f"next=%2Fadmin%2Faccounts%2Fuser%2F{person.pk}%2Fpassword%2F" in asked["Location"]
    assert not User.objects.filter(email="other@example.com").exists()


def with_passkey(person: User) -> None:
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": "x"})
