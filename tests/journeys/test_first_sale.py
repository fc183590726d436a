"""The whole sale as a shopper and a seller live it, over the real services and the simulator."""

from __future__ import annotations

import httpx
import pytest
from django.core import mail
from django.test import Client

from catalog.models import StockLevel
from orders.models import Order, Shipment
from orders.services import fulfilment
from payments.simulator.running import Simulator
from tests.factories.catalog import VariantFactory
from tests.factories.orders import TYPED, make_delivery
from tests.forms import submit
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_guest_buys_a_mug_and_sees_it_shipped_and_delivered(
    client: Client, simulator: Simulator, settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_delivery()
    mug = VariantFactory(stock=3, product__title="Dune mug")

    product_page = client.get(f"/products/{mug.product.slug}/")
    assert submit(client, product_page, "/cart/add/", {"quantity": "2"}).url == "/cart/"
    checkout_page = client.get("/checkout/")
    to_provider = submit(client, checkout_page, "/checkout/", TYPED | {"action": "place"})
    assert to_provider.status_code == 302, to_provider.content.decode()[:3000]
    assert to_provider.url.startswith(f"{simulator.url}/pay/")

    order = Order.objects.get()
    waiting = client.get(f"/orders/{order.number}/")
    assert "Waiting for your payment" in waiting.content.decode()
    approved = httpx.post(to_provider.url, data={"choice": "approve", "webhook": "never"})
    assert approved.status_code == 303
    back = client.get(approved.headers["location"].removeprefix(settings.SHOP_URL), follow=True)
    assert "Thank you for your order" in back.content.decode()

    deliver_outbox()
    assert mail.outbox[0].to == ["ada@example.com"]
    level = StockLevel.objects.get(variant=mug)
    assert (level.on_hand, level.allocated) == (1, 0)

    fulfilment.ship(order.seller_orders.get(), carrier="DHL", tracking_number="JD1", by=None)
    assert "Your order is on its way" in client.get(f"/orders/{order.number}/").content.decode()
    fulfilment.mark_delivered(Shipment.objects.get(), by=None)
    order.refresh_from_db()
    assert (order.stage, order.status) == ("Delivered", "completed")
    deliver_outbox()
    assert [message.subject for message in mail.outbox] == [
        f"Your order {order.number} – Emporium",
        f"Order {order.number} is on its way – Emporium",
        f"Order {order.number} has arrived – Emporium",
    ]
