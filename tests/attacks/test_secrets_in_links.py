"""A link that opens something carries at least 128 bits that nobody can guess (OWASP ASVS 11.5.1)."""

from __future__ import annotations

import math

import pytest
from django.test import Client

from catalog.models import Wishlist
from orders.access import is_key, make_key
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory

pytestmark = pytest.mark.django_db

BITS_OF_A_LETTER = math.log2(64)


def test_the_key_of_an_order_is_an_hmac_of_256_bits() -> None:
    keys = {make_key(f"NUMBER{number}") for number in range(50)}

    assert len(keys) == 50
    assert min(map(len, keys)) * BITS_OF_A_LETTER >= 256
    assert not any(is_key("NUMBER99", key) for key in keys)


def test_the_key_of_a_shared_wishlist_is_drawn_anew_each_time() -> None:
    browser = Client()
    browser.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    browser.post("/wishlists/save/", {"variant": VariantFactory().pk})
    wishlist = Wishlist.objects.get()
    keys = set()

    for _time in range(3):
        browser.post(f"/wishlists/{wishlist.pk}/sharing/", {"action": "share", "share": "1"})
        wishlist.refresh_from_db()
        keys.add(wishlist.share_key)
        browser.post(f"/wishlists/{wishlist.pk}/sharing/", {"action": "stop", "share": "0"})

    assert len(keys) == 3
    assert min(map(len, keys)) * BITS_OF_A_LETTER >= 128
