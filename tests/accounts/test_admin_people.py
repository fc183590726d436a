from __future__ import annotations

import io

import pytest
from django.apps import apps
from django.core.management import call_command

from accounts.models import Seller, SellerMember, User
from tests.admin_forms import address, errors, sign_in, submit
from tests.factories.accounts import SellerFactory, SellerMemberFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_boss_adds_a_person_by_email() -> None:
    answer = submit(
        sign_in(),
        "/admin/accounts/user/add/",
        email="New.Person@Example.com",
        usable_password="true",
        password1="a long enough password",
        password2="a long enough password",
    )

    assert answer.status_code == 302, errors(answer)
    person = User.objects.get(email="new.person@example.com")
    assert person.check_password("a long enough password")
    assert not person.is_staff


def test_one_email_is_one_person_whatever_its_case() -> None:
    UserFactory(email="sam@example.com")

    answer = submit(
        sign_in(),
        "/admin/accounts/user/add/",
        email="SAM@example.com",
        usable_password="true",
        password1="a long enough password",
        password2="a long enough password",
    )

    assert errors(answer)
    assert User.objects.filter(email__iexact="sam@example.com").count() == 1


def test_owner_tells_the_sellers_story_but_cannot_lift_a_suspension() -> None:
    seller = SellerFactory(slug="havre", status=Seller.Status.SUSPENDED)
    owner = SellerMemberFactory(seller=seller, role=SellerMember.Role.OWNER).user
    other = SellerFactory()

    answer = submit(
        sign_in(owner),
        address("accounts_seller", "change", seller.pk),
        story="Five people and a kiln.",
        status="active",
        slug="mine",
    )
    foreign = sign_in(owner).get(address("accounts_seller", "change", other.pk))

    assert answer.status_code == 302, errors(answer)
    seller.refresh_from_db()
    assert (seller.story, seller.status, seller.slug) == (
        "Five people and a kiln.",
        Seller.Status.SUSPENDED,
        "havre",
    )
    assert foreign.status_code == 302


@pytest.mark.parametrize(
    "model", ["accounts_user", "auth_group", "account_emailaddress", "shop_page", "shop_mail"]
)
def test_sellers_people_do_not_see_the_shops_own_rooms(model: str) -> None:
    owner = SellerMemberFactory(role=SellerMember.Role.OWNER).user

    assert sign_in(owner).get(address(model, "changelist")).status_code == 403


def test_shopper_does_not_enter_the_admin() -> None:
    answer = sign_in(UserFactory()).get("/admin/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


ROOMS = (
    "accounts_user", "accounts_seller", "auth_group", "account_emailaddress", "catalog_product",
    "catalog_category", "catalog_attribute", "catalog_stocklevel", "catalog_imageasset",
    "shop_page", "shop_taxclass", "shop_taxrate", "shop_mail", "shop_outboxmessage",
    "cart_shippingzone", "cart_shippingmethod",
)  # fmt: skip


def test_boss_opens_every_list_and_row_of_a_full_shop() -> None:
    call_command("demo", stdout=io.StringIO())
    browser = sign_in()

    answers = {}
    for room in ROOMS:
        answers[room] = [browser.get(address(room, "changelist"), {"q": "a"}).status_code]
        row = apps.get_model(room.replace("_", ".", 1)).objects.first()
        if row is not None:
            answers[room].append(browser.get(address(room, "change", row.pk)).status_code)

    assert {code for codes in answers.values() for code in codes} == {200}, answers
