"""Every page in a language that marks what went through gettext: nothing else may be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import CharField, TextField
from django.test import Client, RequestFactory
from django.utils import translation
from django.views.defaults import server_error

from orders.access import order_url
from orders.emails import render_order_mail
from orders.models import Order
from shop.models import Mail, Page
from tests import pseudo
from tests.factories.accounts import UserFactory
from tests.factories.catalog import (
    AttributeValueFactory,
    BuyableProductFactory,
    CategoryFactory,
    ProductImageFactory,
    VariantFactory,
)
from tests.factories.orders import TYPED, make_delivery, place_order
from tests.forms import read_form

pytestmark = pytest.mark.django_db

OUR_APPS = ("accounts", "cart", "catalog", "orders", "payments", "shop")


@pytest.fixture(autouse=True)
def _a_shop_in_the_pseudo_language() -> Iterator[None]:
    product = BuyableProductFactory(
        slug="dune-mug",
        title="Dune mug",
        seller__slug="havre",
        seller__tagline="Stoneware of two hands",
        category=CategoryFactory(slug="cups", name="Cups"),
        origin="Portugal",
        care="Dishwasher safe",
    )
    ProductImageFactory(product=product)
    AttributeValueFactory(product=product)
    VariantFactory(product__slug="gone", product__title="Gone bowl", stock=0)
    Page.objects.create(slug="about", title="About us", body="Made well", is_in_footer=True)
    make_delivery()
    with pseudo.spoken():
        yield


def known_data() -> set[str]:
    """Gather all texts of the database: names are data, not words of the shop."""
    known = {
        settings.SHOP_NAME, settings.SHOP_TAGLINE, settings.SHOP_EMAIL, settings.SHOP_ADDRESS,
        settings.SHOP_URL, "PayPal",
    }  # fmt: skip
    for app in OUR_APPS:
        for model in apps.get_app_config(app).get_models():
            fields = [
                field.name
                for field in model._meta.get_fields()
                if isinstance(field, CharField | TextField)
            ]
            for row in model._base_manager.values_list(*fields) if fields else []:
                known.update(text for text in row if text and len(text) > 1)
    return known


def codes_in(text: str) -> set[str]:
    """Find what is nobody's language: codes to type over."""
    return set(re.findall(r"\b[A-Z0-9]{3,}(?:-[A-Z0-9]{2,})?\b", text))


def assert_all_is_translated(page: Any) -> None:
    html = page.content.decode()

    assert pseudo.find_untranslated(html, known=known_data()) == []
    assert pseudo.root_of(html) == {"lang": pseudo.CODE, "dir": "rtl"}


def test_a_bare_word_is_found_wherever_it_is_read() -> None:
    with translation.override(pseudo.CODE):
        marked = translation.gettext("Your cart")
    html = (
        f'<html lang="ar" dir="rtl"><p title="bare title">{marked} Dune mug</p>'
        f'<a lang="de">Deutsch</a><script>let code</script><p>{marked}bare words</p></html>'
    )

    assert pseudo.find_untranslated(html, known={"Dune mug"}) == ["bare", "title", "bare", "words"]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/ar/", 200),
        ("/ar/categories/cups/", 200),
        ("/ar/categories/cups/?colour=moss&in_stock=1&price_min=5", 200),
        ("/ar/categories/cups/?price_min=5000", 200),
        ("/ar/products/dune-mug/", 200),
        ("/ar/products/gone/", 200),
        ("/ar/search/", 200),
        ("/ar/search/?q=mug", 200),
        ("/ar/search/?q=1234", 200),
        ("/ar/sellers/havre/", 200),
        ("/ar/pages/about/", 200),
        ("/ar/cart/", 200),
        ("/ar/accounts/login/", 200),
        ("/ar/accounts/signup/", 200),
        ("/ar/accounts/password/reset/", 200),
        ("/ar/nowhere/", 404),
    ],
)
def test_page_shows_no_word_that_cannot_be_translated(client, url: str, status: int) -> None:
    page = client.get(url)

    assert page.status_code == status
    assert_all_is_translated(page)


def test_cart_and_checkout_can_be_translated_with_all_their_errors(client) -> None:
    variant = VariantFactory(stock=2, product__title="Sand bowl")
    client.post("/ar/cart/add/", {"variant": variant.pk, "quantity": 1})
    checkout = client.get("/ar/checkout/")
    wrong = TYPED | {"email": "ada", "postcode": "1", "name": "", "phone": "1", "action": "place"}

    refused = client.post("/ar/checkout/", read_form(checkout, "/ar/checkout/") | wrong)

    assert_all_is_translated(client.get("/ar/cart/"))
    assert_all_is_translated(checkout)
    assert_all_is_translated(refused)
    assert Order.objects.count() == 0


def test_order_can_be_translated_on_its_page_and_in_its_mails() -> None:
    order = place_order(VariantFactory(price=Decimal("24.00"), product__title="Sand bowl"))
    Order.objects.filter(pk=order.pk).update(language=pseudo.CODE)
    order.refresh_from_db()
    url = urlsplit(order_url(order.number, language=pseudo.CODE))

    page = Client().get(f"{url.path}?{url.query}", follow=True)
    mail = render_order_mail(order, "cancelled")

    assert_all_is_translated(page)
    assert pseudo.find_untranslated(mail.html, known=known_data()) == []
    assert pseudo.root_of(mail.html) == {"lang": pseudo.CODE, "dir": "rtl"}
    text = mail.text.replace(url.geturl(), "")
    assert pseudo.find_untranslated(text, known=known_data()) == []


def test_page_for_our_own_failures_can_be_translated() -> None:
    with translation.override(pseudo.CODE):
        page = server_error(RequestFactory().get("/ar/"))

    assert_all_is_translated(page)


def test_mails_about_an_account_can_be_translated() -> None:
    def fill_in(url: str, **typed: str) -> None:
        stranger = Client()
        stranger.post(url, read_form(stranger.get(url), url) | typed)

    known = UserFactory(email="grace@example.com")
    for email in ("ada@example.com", known.email):
        fill_in("/ar/accounts/signup/", email=email, password1="difference engine 1842")
    fill_in("/ar/accounts/password/reset/", email="ada@example.com")
    fill_in("/ar/accounts/password/reset/", email="nobody@example.com")

    mails = Mail.objects.order_by("pk")
    assert [mail.kind.rpartition(".")[2] for mail in mails] == [
        "email_confirmation_signup", "account_already_exists", "password_reset_key", "unknown_account",
    ]  # fmt: skip
    for mail in mails:
        words = re.sub(r"https?://\S+", "", mail.text)
        assert pseudo.find_untranslated(words, known=known_data() | codes_in(words)) == []
        assert pseudo.find_untranslated(mail.html, known=known_data() | codes_in(mail.text)) == []
        assert pseudo.root_of(mail.html) == {"lang": pseudo.CODE, "dir": "rtl"}
        assert mail.subject.startswith(pseudo.BEGIN)
        assert mail.subject.endswith(" – Emporium")
