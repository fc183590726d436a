"""Sellers pack and ship their own part in the admin; somebody else's does not exist for them."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

from orders.errors import ParcelSentMeanwhile
from orders.models import Order, Shipment
from orders.services import cancellation, fulfilment
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.forms import read_form, submit
from tests.orders.admin_steps import make_admin, make_packer, place_paid_order, sign_in
from tests.outbox import deliver_outbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulator")]


def text_of(response) -> str:
    return response.content.decode()


def ship_path(order: Order) -> str:
    return f"/admin/orders/sellerorder/{order.seller_orders.get().pk}/ship/"


def fill_in(client: Client, path: str, typed: dict[str, str]):
    return client.post(path, read_form(client.get(path), path) | typed)


def test_a_packer_ships_and_the_shopper_is_told(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mug = VariantFactory(stock=3, product__title="Dune mug")
    order = place_paid_order(mug, quantity=2)
    deliver_outbox()
    client = sign_in(make_packer(mug.product.seller))
    part = order.seller_orders.get()

    listed = text_of(client.get("/admin/orders/sellerorder/"))
    page = f"/admin/orders/sellerorder/{part.pk}/change/"
    answer = fill_in(client, ship_path(order), {"carrier": "DHL", "tracking_number": " JD 014 "})

    assert order.number in listed
    assert "2 × Dune mug" in listed
    assert answer.url == page
    shipment = Shipment.objects.get()
    assert (shipment.carrier, shipment.tracking_number) == ("DHL", "JD 014")
    assert shipment.tracking_url == (
        "https://www.dhl.com/global-en/home/tracking.html?tracking-id=JD014"
    )
    order.refresh_from_db()
    assert order.stage == "Shipped"
    deliver_outbox()
    assert mail.outbox[-1].subject == f"Order {order.number} is on its way – Emporium"
    assert "Sent with DHL JD 014; the shopper gets a mail." in text_of(client.get(page))


def test_a_parcel_that_arrived_completes_the_order() -> None:
    mug = VariantFactory()
    order = place_paid_order(mug)
    shipment = fulfilment.ship(order.seller_orders.get(), carrier="DHL", by=None)
    client = sign_in(make_packer(mug.product.seller))
    page = f"/admin/orders/sellerorder/{order.seller_orders.get().pk}/change/"
    path = (
        f"/admin/orders/sellerorder/{order.seller_orders.get().pk}/parcels/{shipment.pk}/deliver/"
    )

    opened = client.get(page)
    first, second = submit(client, opened, path), submit(client, opened, path)

    assert (first.url, second.url) == (page, page)
    order.refresh_from_db()
    assert (order.stage, order.status) == ("Delivered", "completed")
    assert order.events.filter(kind="delivered").count() == 1
    assert client.get(path).status_code == 405


def test_some_pieces_are_shipped_now_and_a_double_click_sends_them_once() -> None:
    mug = VariantFactory(stock=5)
    order = place_paid_order(mug, quantity=3)
    client = sign_in(make_packer(mug.product.seller))
    line = order.lines.get()
    path = ship_path(order)
    sent = read_form(client.get(path), path) | {"carrier": "GLS", f"quantity_{line.pk}": "1"}

    client.post(path, sent)
    again = client.post(path, sent, follow=True)

    assert "A parcel was sent a moment ago; nothing was sent twice." in text_of(again)
    assert Shipment.objects.get().lines.get().quantity == 1
    order.refresh_from_db()
    assert order.fulfilment_status == Order.FulfilmentStatus.PARTIALLY_FULFILLED
    assert read_form(client.get(path), path)[f"quantity_{line.pk}"] == "2"


def test_what_has_left_already_is_not_shipped_again() -> None:
    mug = VariantFactory()
    order = place_paid_order(mug)
    client = sign_in(make_packer(mug.product.seller))
    path = ship_path(order)
    sent = read_form(client.get(path), path) | {"carrier": "UPS"}
    fulfilment.ship(order.seller_orders.get(), carrier="DHL", by=None)

    refused = client.post(path, sent, follow=True)
    asked_anew = client.get(path, follow=True)

    assert "nothing was sent twice" in text_of(refused)
    assert "There is nothing to ship here now." in text_of(asked_anew)
    assert Shipment.objects.get().carrier == "DHL"


def test_a_parcel_decided_on_an_old_view_is_refused_under_the_lock() -> None:
    order = place_paid_order(VariantFactory(stock=5), quantity=3)
    part, line = order.seller_orders.get(), order.lines.get()
    fulfilment.ship(part, carrier="DHL", quantities={line.pk: 1}, seen_parcels=0, by=None)

    with pytest.raises(ParcelSentMeanwhile):
        fulfilment.ship(part, carrier="DHL", quantities={line.pk: 1}, seen_parcels=0, by=None)

    assert Shipment.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"carrier": ""}, "This field is required."),
        ({"carrier": "Pigeon"}, "Select a valid choice."),
        ({"carrier": "other"}, "Enter the carrier&#x27;s name."),
        ({"carrier": "DHL", "tracking_url": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"carrier": "DHL", "quantity": "0"}, "Choose at least one piece to ship."),
        ({"carrier": "DHL", "quantity": "4"}, "less than or equal to 3"),
        ({"carrier": "DHL", "quantity": "-1"}, "greater than or equal to 0"),
        ({"carrier": "DHL", "quantity": "1e9"}, "Enter a whole number."),
        ({"carrier": "DHL", "tracking_number": "x" * 81}, "at most 80 characters"),
        ({"carrier": "DHL", "seen_parcels": "x"}, "In the parcel"),
    ],
)
def test_a_wrong_entry_shows_the_form_again_with_what_was_typed(
    typed: dict[str, str], complaint: str
) -> None:
    mug = VariantFactory()
    order = place_paid_order(mug, quantity=3)
    client = sign_in(make_packer(mug.product.seller))
    if quantity := typed.pop("quantity", None):
        typed[f"quantity_{order.lines.get().pk}"] = quantity

    answer = fill_in(client, ship_path(order), {"tracking_number": "KEPT-1"} | typed)

    assert answer.status_code == 200
    assert complaint in text_of(answer)
    assert "tracking_number" in typed or "KEPT-1" in text_of(answer)
    assert not Shipment.objects.exists()


def test_another_carrier_and_an_own_tracking_link_are_kept() -> None:
    mug = VariantFactory()
    order = place_paid_order(mug)
    client = sign_in(make_packer(mug.product.seller))

    fill_in(
        client,
        ship_path(order),
        {
            "carrier": "other",
            "other_carrier": "Cargo bike",
            "tracking_number": "7",
            "tracking_url": "bikes.example/7",
        },
    )

    shipment = Shipment.objects.get()
    assert (shipment.carrier, shipment.tracking_url) == ("Cargo bike", "https://bikes.example/7")


def test_another_sellers_part_does_not_exist() -> None:
    mug, lamp = (
        VariantFactory(product__title="Dune mug"),
        VariantFactory(product__title="Halo lamp"),
    )
    order = place_paid_order(mug, lamp)
    theirs, other = order.seller_orders.order_by("pk")
    shipment = fulfilment.ship(other, carrier="DHL", tracking_number="SECRET-9", by=None)
    client = sign_in(make_packer(theirs.seller))
    own_page = f"/admin/orders/sellerorder/{theirs.pk}/change/"
    token = read_form(client.get(f"/admin/orders/sellerorder/{theirs.pk}/ship/"), "")

    listed = text_of(client.get("/admin/orders/sellerorder/"))
    opened = text_of(client.get(own_page))
    found_by_sku = text_of(client.get(f"/admin/orders/sellerorder/?q={lamp.sku}"))
    found_by_parcel = text_of(client.get("/admin/orders/sellerorder/?q=SECRET-9"))
    foreign = [
        client.get(f"/admin/orders/sellerorder/{other.pk}/{view}/").status_code
        for view in ("change", "history", "ship", "delete")
    ]
    deliver = f"/admin/orders/sellerorder/{other.pk}/parcels/{shipment.pk}/deliver/"
    across = f"/admin/orders/sellerorder/{theirs.pk}/parcels/{shipment.pk}/deliver/"

    assert theirs.lines.get().title in opened
    for page in (listed, opened, found_by_sku, found_by_parcel):
        assert other.lines.get().title not in page
        assert "ada@example.com" not in page
    assert "SECRET-9" not in listed + opened
    assert order.number not in found_by_sku + found_by_parcel
    assert foreign == [404, 404, 404, 403]
    assert client.post(deliver, token).status_code == 404
    assert client.post(across, token).status_code == 404
    assert client.post(f"/admin/orders/sellerorder/{other.pk}/ship/", token).status_code == 404
    shipment.refresh_from_db()
    assert shipment.delivered_at is None


def test_a_seller_reaches_neither_whole_orders_nor_payments() -> None:
    mug = VariantFactory()
    order = place_paid_order(mug)
    client = sign_in(make_packer(mug.product.seller))
    part = order.seller_orders.get()
    token = read_form(client.get(f"/admin/orders/sellerorder/{part.pk}/ship/"), "")
    attempt_id = order.payments.get().attempt_id

    answers = {
        path: client.get(path).status_code
        for path in (
            "/admin/orders/order/",
            f"/admin/orders/order/{order.pk}/change/",
            f"/admin/orders/order/{order.pk}/history/",
            f"/admin/orders/order/{order.pk}/cancel/",
            f"/admin/orders/order/{order.pk}/refund/",
            f"/admin/orders/order/{order.pk}/story/",
            "/admin/payments/paymentattempt/",
            f"/admin/payments/paymentattempt/{attempt_id}/change/",
            f"/admin/payments/paymentattempt/{attempt_id}/history/",
            "/admin/payments/refund/",
            "/admin/payments/providerevent/",
        )
    }
    acted = [
        client.post(f"/admin/orders/order/{order.pk}/{name}/", token).status_code
        for name in ("cancel", "check", "confirm-again", "refund", "send-back")
    ]

    assert set(answers.values()) == {403}, answers
    assert acted == [403, 403, 403, 403, 403]
    order.refresh_from_db()
    assert order.status == Order.Status.PLACED


def test_unpaid_orders_are_not_to_be_packed_and_cancelled_ones_say_so() -> None:
    mug = VariantFactory(stock=5)
    unpaid = place_order(mug)
    cancelled = place_paid_order(mug)
    cancellation.cancel(cancelled, by=make_admin(), reason="No longer wanted")
    client = sign_in(make_packer(mug.product.seller))

    listed = text_of(client.get("/admin/orders/sellerorder/"))
    page = client.get(f"/admin/orders/sellerorder/{cancelled.seller_orders.get().pk}/change/")

    assert unpaid.number not in listed
    assert client.get(ship_path(unpaid)).status_code == 404
    assert "This order was cancelled: do not send it." in text_of(page)
    assert "Mark as shipped" not in text_of(page)


def test_an_outsider_without_rights_sees_nothing() -> None:
    mug = VariantFactory()
    order = place_paid_order(mug)
    client = sign_in(StaffFactory())

    assert client.get("/admin/orders/sellerorder/").status_code == 403
    assert client.get(ship_path(order)).status_code == 403
    assert client.get("/admin/").status_code == 200
    assert client.get(f"/admin/orders/order/{order.pk}/change/").status_code == 403
