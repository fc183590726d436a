"""Staff choose pieces, see what they are worth, and send the money; nothing is typed twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from orders.models import Order, OrderRefund
from orders.services import fulfilment, refunding
from payments.models import Refund
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import VariantFactory
from tests.forms import read_form
from tests.orders.admin_steps import make_admin, place_paid_order, sign_in
from tests.outbox import deliver_outbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulator")]


@pytest.fixture
def staff() -> Client:
    return sign_in(make_admin())


@pytest.fixture
def order() -> Order:
    """Two mugs of 24.00 and delivery of 4.90, paid."""
    return place_paid_order(VariantFactory(stock=3, product__title="Dune mug"), quantity=2)


def path_of(order: Order, name: str = "refund") -> str:
    return f"/admin/orders/order/{order.pk}/{name}/"


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def typed(order: Order, quantity: int | str, **more: str) -> dict[str, str]:
    line = order.lines.get()
    return {f"quantity_{line.pk}": str(quantity), "reason": "Cracked  in the kiln"} | more


def reckon(staff: Client, order: Order, values: dict[str, str]):
    path = path_of(order)
    return staff.post(path, read_form(staff.get(path), path) | values | {"reckon": "1"})


def test_staff_see_the_amount_before_they_send_it(staff: Client, order: Order) -> None:
    shown = reckon(staff, order, typed(order, 1, with_shipping="on"))

    assert "Send €28.90 back" in text_of(shown)
    assert OrderRefund.objects.count() == 0
    sent = read_form(shown, path_of(order)) | typed(order, 1) | {"send": "1"}
    answer = staff.post(path_of(order), sent, follow=True)

    assert f"€28.90 of order {order.number} goes back; the shopper gets a mail." in text_of(answer)
    order_refund = OrderRefund.objects.get()
    assert (order_refund.amount, order_refund.reason) == (Decimal("28.90"), "Cracked in the kiln")
    assert order_refund.actor is not None
    assert "1 given back" in text_of(answer)
    assert "on its way" in text_of(answer)


def test_a_double_click_sends_once(staff: Client, order: Order) -> None:
    shown = reckon(staff, order, typed(order, 2))
    sent = read_form(shown, path_of(order)) | typed(order, 2) | {"send": "1"}

    first, second = (staff.post(path_of(order), sent) for _ in range(2))

    assert (first.status_code, second.status_code) == (302, 302)
    assert Refund.objects.count() == 1


def test_pieces_that_were_changed_after_the_amount_was_shown_are_reckoned_anew(
    staff: Client, order: Order
) -> None:
    shown = reckon(staff, order, typed(order, 1))
    sent = read_form(shown, path_of(order)) | typed(order, 2) | {"send": "1"}

    answer = staff.post(path_of(order), sent)

    assert "The amount has changed since you saw it." in text_of(answer)
    assert "Send €48.00 back" in text_of(answer)
    assert OrderRefund.objects.count() == 0


def test_what_cannot_be_is_said_and_what_was_typed_stays(staff: Client, order: Order) -> None:
    answer = reckon(staff, order, typed(order, 3, restock="on"))

    assert "That is more than is left of this order." in text_of(answer)
    fields = read_form(answer, path_of(order))
    assert fields[f"quantity_{order.lines.get().pk}"] == "3"
    assert fields["restock"] == "on"
    assert "Cracked in the kiln" in text_of(answer)
    assert "Send €" not in text_of(answer)
    nothing = reckon(staff, order, typed(order, 0))
    assert "Choose what is to be refunded." in text_of(nothing)
    without_reason = reckon(staff, order, typed(order, 1, reason=" "))
    assert "This field is required." in text_of(without_reason)
    assert OrderRefund.objects.count() == 0


@pytest.mark.parametrize("nonsense", ["NaN", "x", "1e9", "-24"])
def test_a_made_up_amount_sends_nothing(staff: Client, order: Order, nonsense: str) -> None:
    fields = read_form(staff.get(path_of(order)), path_of(order)) | typed(order, 1)

    answer = staff.post(path_of(order), fields | {"seen_amount": nonsense, "send": "1"})

    assert answer.status_code == 200
    assert OrderRefund.objects.count() == 0


def test_when_nothing_is_left_the_form_is_not_opened(staff: Client, order: Order) -> None:
    refunding.refund(
        order, by=None, lines={order.lines.get().pk: 2}, with_shipping=True, restock=False,
        reason="", submit_key="all",
    )  # fmt: skip

    answer = staff.get(path_of(order), follow=True)

    assert "There is nothing to refund here now." in text_of(answer)
    assert path_of(order) not in text_of(answer)


def test_a_cancelled_rest_says_how_much_goes_back(staff: Client, order: Order) -> None:
    refunding.refund(
        order, by=None, lines={order.lines.get().pk: 1}, restock=False, reason="", submit_key="one"
    )
    deliver_outbox()

    assert "The shopper gets €28.90 back" in text_of(staff.get(path_of(order, "cancel")))


def test_what_is_left_of_a_partly_refunded_order_stays_on_the_list_of_work(staff: Client) -> None:
    mug = VariantFactory(stock=3, product__seller=SellerFactory(name="Ada"))
    bowl = VariantFactory(stock=3, product__seller=SellerFactory(name="Ben"))
    order = place_paid_order(mug, bowl)
    ada, ben = order.seller_orders.order_by("pk")
    refunding.refund(
        order, by=None, lines={ada.lines.get().pk: 1}, restock=False, reason="", submit_key="ada"
    )
    deliver_outbox()

    to_ship = text_of(staff.get("/admin/orders/order/?work=ship"))
    parts = text_of(staff.get("/admin/orders/sellerorder/?work=ship"))

    assert order.number in to_ship
    assert "Ship: Ben" in to_ship
    assert f"/admin/orders/sellerorder/{ben.pk}/change/" in parts
    assert f"/admin/orders/sellerorder/{ada.pk}/change/" not in parts
    page = text_of(staff.get(f"/admin/orders/order/{order.pk}/change/"))
    assert page.count("Mark as shipped") == 1
    fulfilment.ship(ben, carrier="DHL", by=None)
    assert order.number not in text_of(staff.get("/admin/orders/order/?work=ship"))


def test_sales_on_the_first_page_are_what_the_ledger_says(staff: Client, order: Order) -> None:
    place_paid_order(VariantFactory(stock=1))
    refunding.refund(
        order, by=None, lines={order.lines.get().pk: 1}, restock=False, reason="", submit_key="one"
    )

    page = text_of(staff.get("/admin/"))

    assert "€57.80" in page
    assert "2 orders" in page
