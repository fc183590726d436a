"""The admin is the shop's own site, with a content policy that its look needs and no page else."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from accounts import demo
from accounts.models import User
from config.admin_site import EmporiumAdminSite
from tests.factories.accounts import SellerMemberFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_only_the_admin_allows_style_attributes_and_nobody_runs_text_as_code() -> None:
    client = Client()
    client.force_login(
        UserFactory(is_staff=True, is_superuser=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    in_the_admin = client.get("/admin/").headers["Content-Security-Policy"]
    in_the_shop = client.get("/").headers["Content-Security-Policy"]

    assert isinstance(admin.site, EmporiumAdminSite)
    assert "script-src 'self';" in in_the_admin
    assert "style-src-attr 'unsafe-inline'" in in_the_admin
    assert "unsafe" not in in_the_shop


def test_the_menu_shows_each_person_what_they_may_see() -> None:
    client = Client()
    client.force_login(
        SellerMemberFactory().user, backend="django.contrib.auth.backends.ModelBackend"
    )

    page = client.get("/admin/").content.decode()

    assert "/admin/orders/sellerorder/" in page
    assert "/admin/orders/order/" not in page
    assert "/admin/payments/" not in page
    assert "/admin/accounts/user/" not in page


def test_the_demo_login_leads_into_the_admin() -> None:
    demo.make_logins([])
    client = Client()

    asked = client.get("/admin/", follow=True)
    answer = client.post(
        asked.redirect_chain[-1][0],
        {"login": "admin@emporium.example", "password": "emporium-demo"},
        follow=True,
    )

    assert [address for address, _status in asked.redirect_chain] == [
        "/admin/login/?next=/admin/",
        "/accounts/login/?next=%2Fadmin%2F",
    ]
    assert (answer.status_code, answer.redirect_chain) == (200, [("/admin/", 302)])


def test_a_boss_made_on_the_command_line_signs_in_without_waiting_for_a_mail() -> None:
    User.objects.create_superuser("Boss@Shop.example", "a long enough password")

    answer = Client().post(
        "/accounts/login/?next=/admin/",
        {"login": "boss@shop.example", "password": "a long enough password"},
    )

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_nobody_guesses_passwords_at_the_admins_own_door() -> None:
    User.objects.create_superuser("boss@shop.example", "a long enough password")
    stranger = Client()
    right = {"username": "boss@shop.example", "password": "a long enough password"}

    answer = stranger.post("/admin/login/", right)

    assert answer["Location"].startswith("/accounts/login/")
    assert stranger.get("/admin/").status_code == 302
    guesses = {
        stranger.post("/accounts/login/", {"login": right["username"], "password": str(n)})
        .content.decode()
        .count("Too many failed")
        for n in range(12)
    }
    assert guesses == {0, 1}


def test_a_shopper_who_is_signed_in_is_told_that_the_admin_is_not_for_them() -> None:
    shopper = Client()
    shopper.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")

    assert shopper.get("/admin/", follow=True).status_code == 403


def test_behind_a_proxy_each_visitor_has_their_own_limit_on_tries(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def sign_in_from(address: str, person: int) -> int:
        return (
            Client(REMOTE_ADDR="172.18.0.9", HTTP_X_FORWARDED_FOR=f"10.9.8.7, {address}")
            .post("/accounts/login/", {"login": f"p{person}@example.com", "password": "x"})
            .status_code
        )

    many = [sign_in_from(f"203.0.113.{number}", number) for number in range(40)]
    one = [sign_in_from("203.0.113.200", number) for number in range(40)]

    assert set(many) == {200}
    assert one[-1] == 429
