"""The admin is the shop's own site, with a content policy that its look needs and no page else."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from config.admin_site import EmporiumAdminSite
from tests.factories.accounts import SellerMemberFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_only_the_admin_allows_what_its_scripts_need() -> None:
    client = Client()
    client.force_login(
        UserFactory(is_staff=True, is_superuser=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    in_the_admin = client.get("/admin/").headers["Content-Security-Policy"]
    in_the_shop = client.get("/").headers["Content-Security-Policy"]

    assert isinstance(admin.site, EmporiumAdminSite)
    assert "script-src 'self' 'unsafe-eval'" in in_the_admin
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
