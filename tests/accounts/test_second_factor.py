"""What is stored of a second factor, and who has to have one."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from accounts.second_factor import SecondFactorAdapter, UnreadableSecret
from tests.factories.accounts import StaffFactory

pytestmark = pytest.mark.django_db


def test_a_secret_is_read_with_the_key_of_the_shop_and_with_former_ones(settings: Any) -> None:
    adapter = SecondFactorAdapter()
    stored = adapter.encrypt("JBSWY3DPEHPK3PXP")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, of forty letters and a few"

    assert "JBSWY3DPEHPK3PXP" not in stored
    assert adapter.decrypt(stored) == "JBSWY3DPEHPK3PXP"

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(UnreadableSecret, match="SECRET_KEY_FALLBACKS"):
        adapter.decrypt(stored)


def test_staff_of_a_real_shop_add_a_second_factor_before_they_work(
    client: Client, settings: Any
) -> None:
    settings.ADMIN_SECOND_FACTOR = True
    member = StaffFactory()
    client.force_login(member)

    refused = client.get("/admin/", follow=True)
    TOTP.activate(member, generate_totp_secret())

    assert refused.redirect_chain == [("/accounts/2fa/", 302)]
    assert "Whoever works in the shop needs a second factor." in refused.content.decode()
    assert client.get("/admin/").status_code == 200


def test_recovery_codes_alone_are_none_and_signing_out_stays_open(settings: Any) -> None:
    client = Client()
    settings.ADMIN_SECOND_FACTOR = True
    member = StaffFactory()
    Authenticator.objects.create(user=member, type="recovery_codes", data={})
    client.force_login(member)

    assert client.get("/admin/").status_code == 302
    client.post("/admin/logout/")
    assert "_auth_user_id" not in client.session


def test_a_trial_offers_it_only(client: Client) -> None:
    client.force_login(StaffFactory())

    assert client.get("/admin/").status_code == 200
