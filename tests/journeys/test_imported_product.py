"""A product that came in with another shop's export is bought like any other."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from catalog.models import Product, StockLevel
from orders.models import Order
from payments.simulator.running import Simulator
from tests.catalog.importing import run_import
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import TaxClassFactory
from tests.factories.orders import make_delivery
from tests.forms import submit
from tests.journeys.shopper import Shopper, pay, words_of
from tests.outbox import deliver_outbox
from tests.shared import shared

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["home-and-garden", "apparel"])
def test_an_imported_product_is_found_put_in_the_cart_and_paid(
    simulator: Simulator, settings: Any, name: str
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    TaxClassFactory()
    make_delivery()
    SellerFactory()
    run_import(shared(f"data/catalogues/shopify/{name}.csv"), no_images=True)
    product = Product.objects.filter(status="active", is_available=True).earliest("id")
    shopper = Shopper()

    page = shopper.client.get(f"/products/{product.slug}/")
    added = submit(shopper.client, page, "/cart/add/", {"quantity": "1"})
    cart = shopper.client.get(added.url)
    assert product.title in words_of(cart).replace("&#x27;", "'").replace("&amp;", "&")
    assert shopper.place().status_code == 302
    order = Order.objects.get()
    pay(simulator, order)

    assert "Thank you for your order" in shopper.come_back(order)
    deliver_outbox()
    order.refresh_from_db()
    assert (order.status, order.lines.get().title) == ("placed", product.title)
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]
    for level in StockLevel.objects.filter(variant=order.lines.get().variant):
        sold = level.movements.filter(kind="sale").get()
        assert (sold.on_hand_change, level.allocated) == (-1, 0)
