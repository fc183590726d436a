"""Support looks at the shop as a shopper does: with a reason, a bar, an end, and hands tied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts import sessions
from accounts.models import AuditEntry, User
from accounts.roles import StaffRole
from cart.models import CartItem
from orders.models import Order
from shop.clock import now
from shop.page_cache.page import make_key
from tests.admin_forms import sign_in
from tests.factories.accounts import SellerMemberFactory, StaffFactory, UserFactory
from tests.factories.catalog import BuyableProductFactory, VariantFactory
from tests.factories.orders import place_order

pytestmark = pytest.mark.django_db
STOP = "/admin/accounts/user/stop-looking/"


@pytest.fixture
def support() -> User:
    person = StaffFactory(email="sunniva@shop.example")
    person.groups.add(Group.objects.get(name=StaffRole.SUPPORT.value))
    return person


@pytest.fixture
def shopper() -> User:
    return UserFactory(email="ada@example.com", name="Ada Lovelace")


@pytest.fixture
def order(shopper: User) -> Order:
    return place_order(VariantFactory(stock=3), user=shopper)


def look(support: User, person: User, reason: str = "Cannot find the order") -> Client:
    browser = sign_in(support)
    browser.post(f"/admin/accounts/user/{person.pk}/look-as/", {"reason": reason})
    return browser


def test_support_sees_the_shoppers_orders_below_a_bar(
    support: User, shopper: User, order: Order
) -> None:
    browser = look(support, shopper)

    account = browser.get("/account/")
    home = browser.get("/")

    page = account.content.decode()
    assert order.number in page
    for answer in (account, home):
        assert "you see the shop as ada@example.com" in answer.content.decode()
        assert STOP in answer.content.decode()
        assert answer["Cache-Control"] == "private, no-store"
    assert "unsafe" not in account["Content-Security-Policy"]


def test_a_shared_page_stays_without_cookies_for_everybody_else(
    support: User, shopper: User
) -> None:
    look(support, shopper)

    answer = Client().get("/")

    assert not answer.cookies
    assert "you see the shop as" not in answer.content.decode()
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_what_the_page_cache_keeps_is_not_asked_for() -> None:
    plain: dict[str, Any] = {
        "PATH_INFO": "/", "HTTP_COOKIE": "sessionid=1", "wsgi.url_scheme": "https",
    }  # fmt: skip

    assert make_key(plain) is not None
    for name in ("looking", "__Host-looking"):
        assert make_key(plain | {"HTTP_COOKIE": f"sessionid=1; {name}=1"}) is None


def test_begin_and_end_are_in_the_trail_with_the_reason(support: User, shopper: User) -> None:
    browser = look(support, shopper, reason="Asked on the phone")

    answer = browser.post(STOP)

    assert answer["Location"] == f"/admin/accounts/user/{shopper.pk}/change/"
    begun, ended = AuditEntry.objects.filter(kind__startswith="look_as").order_by("pk")
    assert (begun.kind, begun.actor_id, begun.person_id, begun.reason) == (
        "look_as_begun", support.pk, shopper.pk, "Asked on the phone",
    )  # fmt: skip
    assert (ended.kind, ended.actor_id, ended.person_id) == (
        "look_as_ended",
        support.pk,
        shopper.pk,
    )
    page = browser.get("/account/").content.decode()
    assert "you see the shop as" not in page


def test_without_a_reason_nobody_looks(support: User, shopper: User) -> None:
    browser = look(support, shopper, reason="   ")

    assert "you see the shop as" not in browser.get("/account/").content.decode()
    assert not AuditEntry.objects.filter(kind="look_as_begun").exists()


def test_looking_changes_nothing_and_pays_nothing(
    support: User, shopper: User, order: Order
) -> None:
    variant = BuyableProductFactory().variants.get()
    browser = look(support, shopper)
    before = CartItem.objects.count()

    sent = [
        browser.post("/cart/add/", {"variant": variant.pk}),
        browser.post(f"/orders/{order.number}/pay/"),
        browser.post(f"/orders/{order.number}/cancel/"),
        browser.post("/accounts/email/", {"email": "mine@example.com", "action_add": ""}),
        browser.post("/accounts/logout/"),
        browser.post("/wishlists/"),
    ]

    assert {answer.status_code for answer in sent} == {403}
    assert "You are only looking" in sent[0].content.decode()
    order.refresh_from_db()
    assert order.status == "pending"
    assert CartItem.objects.count() == before


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/2fa/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/sessions/",
        "/accounts/3rdparty/",
        "/account/cards/",
        "/checkout/",
        "/de/accounts/email/",
        "/de/account/cards/",
        "/orders/ABCDEFGH/returned/",
    ],
)
def test_what_secures_an_account_and_what_pays_is_shut(
    support: User, shopper: User, path: str
) -> None:
    answer = look(support, shopper).get(path)

    assert answer.status_code == 403
    words = "siehst du den Shop als" if path.startswith("/de/") else "you see the shop as"
    assert f"{words} ada@example.com" in answer.content.decode()


def test_support_stays_who_they_are_in_the_admin_and_in_the_session(
    support: User, shopper: User
) -> None:
    browser = look(support, shopper)

    browser.get("/account/")

    assert browser.get("/admin/").status_code == 200
    assert browser.session["_auth_user_id"] == str(support.pk)
    assert not shopper.usersession_set.exists()
    shopper.refresh_from_db()
    assert shopper.last_login is None


def test_after_half_an_hour_it_is_over(
    support: User, shopper: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = look(support, shopper)
    later = now() + sessions.LONGEST + timedelta(seconds=1)
    monkeypatch.setattr(sessions, "now", lambda: later)

    page = browser.get("/account/").content.decode()

    assert "you see the shop as" not in page
    assert AuditEntry.objects.filter(kind="look_as_ended").count() == 1


def test_who_loses_the_right_stops_at_once(support: User, shopper: User) -> None:
    browser = look(support, shopper)
    support.groups.clear()

    assert "you see the shop as" not in browser.get("/account/").content.decode()


def test_who_gets_a_role_is_looked_at_no_more(support: User, shopper: User) -> None:
    browser = look(support, shopper)
    SellerMemberFactory(user=shopper, role="packer")

    assert "you see the shop as" not in browser.get("/account/").content.decode()


def test_nobody_looks_as_somebody_with_rights_or_without_the_right_to(
    support: User, shopper: User
) -> None:
    colleague = StaffFactory()
    boss = UserFactory(is_staff=True, is_superuser=True)
    packer = SellerMemberFactory(role="packer").user

    for person in (colleague, boss, packer, support):
        path = f"/admin/accounts/user/{person.pk}/look-as/"
        assert sign_in(support).post(path, {"reason": "curious"}).status_code == 403
    for nosy in (colleague, packer):
        path = f"/admin/accounts/user/{shopper.pk}/look-as/"
        assert sign_in(nosy).post(path, {"reason": "curious"}).status_code == 403


def test_the_cookie_alone_gives_nothing(shopper: User) -> None:
    stranger = Client()
    stranger.cookies[sessions.cookie_name()] = "1"

    assert stranger.get("/account/").status_code == 302
    assert stranger.get("/").status_code == 200


def test_the_persons_page_offers_it(support: User, shopper: User) -> None:
    page = sign_in(support).get(f"/admin/accounts/user/{shopper.pk}/change/").content.decode()

    assert "Look as this shopper" in page
    assert "Take second factors off" not in page
    assert "argon2" not in page
