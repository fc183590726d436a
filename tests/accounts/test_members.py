"""Who works for a seller: its owners say so, nobody climbs, and one owner always stays."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Seller, SellerMember, User
from shop.models import Mail
from tests.admin_forms import address, errors, sign_in, submit
from tests.factories.accounts import SellerFactory, SellerMemberFactory, UserFactory

pytestmark = pytest.mark.django_db
ADD = "/admin/accounts/sellermember/add/"
LIST = "/admin/accounts/sellermember/"


@pytest.fixture
def seller() -> Seller:
    return SellerFactory(name="Aster")


@pytest.fixture
def owner(seller: Seller) -> Client:
    return sign_in(SellerMemberFactory(seller=seller, role="owner").user)


def take_in(browser: Client, seller: Seller, email: str, role: str = "packer") -> HttpResponse:
    return submit(browser, ADD, seller=seller.pk, email=email, role=role)


def page_of(member: SellerMember, page: str = "change") -> str:
    return address("accounts_sellermember", page, member.pk)


@pytest.mark.parametrize("has_account", [True, False])
def test_an_owner_takes_somebody_in_by_email_and_learns_nothing_of_them(
    owner: Client, seller: Seller, has_account: bool
) -> None:
    if has_account:
        UserFactory(email="new@example.com", name="Nina Known")

    answer = take_in(owner, seller, "New@example.com")

    assert answer.status_code == 302, errors(answer)
    member = SellerMember.objects.get(user__email="new@example.com")
    assert (member.seller, member.role, member.user.is_staff) == (seller, "packer", True)
    assert member.user.has_usable_password() is has_account
    mail = Mail.objects.get(recipient="new@example.com")
    assert "Aster" in mail.subject
    shown = owner.get(LIST).content.decode() + owner.get(page_of(member)).content.decode()
    assert "new@example.com" in shown
    assert "Nina" not in shown


def test_nobody_is_taken_in_twice(owner: Client, seller: Seller) -> None:
    take_in(owner, seller, "new@example.com")

    take_in(owner, seller, "new@example.com", "owner")

    assert SellerMember.objects.get(user__email="new@example.com").role == "packer"


def test_an_owner_takes_nobody_in_elsewhere(owner: Client) -> None:
    answer = take_in(owner, SellerFactory(), "new@example.com")

    assert errors(answer)
    assert not User.objects.filter(email="new@example.com").exists()


@pytest.mark.parametrize("role", ["manager", "packer"])
def test_others_see_no_members_and_make_themselves_nothing(seller: Seller, role: str) -> None:
    member = SellerMemberFactory(seller=seller, role=role)
    browser = sign_in(member.user)

    assert browser.get(LIST).status_code == 403
    assert browser.get(ADD).status_code == 403
    assert browser.post(ADD, {"seller": seller.pk, "email": "me@x.example"}).status_code == 403
    assert browser.post(page_of(member), {"role": "owner"}).status_code == 403
    member.refresh_from_db()
    assert member.role == role


def test_the_last_owner_neither_goes_nor_steps_down(owner: Client, seller: Seller) -> None:
    last = SellerMember.objects.get(seller=seller, role="owner")

    submit(owner, page_of(last), role="packer")
    owner.post(page_of(last, "delete"), {"post": "yes"})
    sign_in().post(page_of(last, "delete"), {"post": "yes"})
    sign_in().post(address("accounts_user", "delete", last.user_id), {"post": "yes"})

    last.refresh_from_db()
    assert last.role == "owner"


def test_with_another_owner_one_goes_and_loses_the_door(owner: Client, seller: Seller) -> None:
    other = SellerMemberFactory(seller=seller, role="owner")

    answer = owner.post(page_of(other, "delete"), {"post": "yes"})

    assert answer.status_code == 302
    assert not SellerMember.objects.filter(pk=other.pk).exists()
    assert not User.objects.get(pk=other.user_id).is_staff


def test_a_role_is_changed_by_the_page(owner: Client, seller: Seller) -> None:
    member = SellerMemberFactory(seller=seller, role="packer")

    answer = submit(owner, page_of(member), role="manager")

    assert answer.status_code == 302, errors(answer)
    member.refresh_from_db()
    assert member.role == "manager"


def test_the_list_takes_as_many_statements_for_many_members_as_for_few(
    owner: Client, seller: Seller
) -> None:
    owner.get(LIST)
    with CaptureQueriesContext(connection) as few:
        owner.get(LIST)
    SellerMemberFactory.create_batch(5, seller=seller)

    with CaptureQueriesContext(connection) as many:
        owner.get(LIST)

    assert len(many) == len(few)
