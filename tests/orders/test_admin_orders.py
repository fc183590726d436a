"""Staff find the orders worth looking at, see everything about one, and act on it."""

from __future__ import annotations

import itertools
import re

import httpx
import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import StockLevel
from orders.admin import todo
from orders.models import Order, Shipment
from orders.services import cancellation, fulfilment, payment
from payments.models import PaymentAttempt, Refund
from shop.models import Mail
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.forms import read_form, submit
from tests.orders.admin_steps import attempt_of, make_admin, place_paid_order, sign_in
from tests.outbox import deliver_outbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulator")]

LIST = "/admin/orders/order/"


@pytest.fixture
def staff() -> Client:
    return sign_in(make_admin())


def page_of(order: Order) -> str:
    return f"{LIST}{order.pk}/change/"


def text_of(response) -> str:
    return response.content.decode()


def numbers_in(response) -> list[str]:
    """Return the order numbers of a list, from top to bottom."""
    return re.findall(r'/change/[^"]*"[^>]*>\s*([2-9A-Z]{8})\s*<', text_of(response))


def press(client: Client, order: Order, action: str):
    path = f"{LIST}{order.pk}/{action}/"
    submit(client, client.get(page_of(order)), path)
    return client.get(page_of(order))


def test_what_is_to_be_shipped_stands_first_the_oldest_on_top(staff: Client) -> None:
    mug = VariantFactory(stock=20)
    first, shipped, second = (place_paid_order(mug) for _ in range(3))
    unpaid = place_order(mug)
    fulfilment.ship(shipped.seller_orders.get(), carrier="DHL", by=None)

    listed = staff.get(LIST)

    expected = [first, second, unpaid, shipped]
    assert numbers_in(listed) == [order.number for order in expected]
    assert f"Ship: {mug.product.seller.name}" in text_of(listed)
    assert "Ada Lovelace" in text_of(listed)
    assert "€28.90" in text_of(listed)


@pytest.mark.parametrize("sought", ["number", "email", "name", "sku", "tracking"])
def test_an_order_is_found_by_what_staff_have_at_hand(staff: Client, sought: str) -> None:
    mug, lamp = VariantFactory(sku="MUG-1"), VariantFactory(sku="LAMP-1")
    order, other = place_paid_order(mug), place_paid_order(lamp)
    Order.objects.filter(pk=other.pk).update(email="grace@example.com")
    other.addresses.update(name="Grace Hopper")
    fulfilment.ship(order.seller_orders.get(), carrier="DHL", tracking_number="JD77", by=None)
    terms = {
        "number": f"#{order.number.lower()}",
        "email": "ADA@example",
        "name": "lovelace",
        "sku": "mug-1",
        "tracking": "jd77",
    }

    listed = staff.get(LIST, {"q": terms[sought]})

    assert numbers_in(listed) == [order.number]


def test_the_list_is_narrowed_by_work_stage_seller_and_day(staff: Client) -> None:
    mug, lamp = VariantFactory(), VariantFactory()
    paid, shipped = place_paid_order(mug), place_paid_order(lamp)
    fulfilment.ship(shipped.seller_orders.get(), carrier="DHL", by=None)
    held = place_order(mug)
    PaymentAttempt.objects.filter(pk=attempt_of(held).pk).update(status="held")

    def narrowed(**query: str) -> list[str]:
        return sorted(numbers_in(staff.get(LIST, query)))

    assert narrowed(work="ship") == [paid.number]
    assert narrowed(work="deliver") == [shipped.number]
    assert narrowed(work="held") == [held.number]
    assert narrowed(work="money") == [held.number]
    assert narrowed(stage="Shipped") == [shipped.number]
    assert narrowed(payment_status__exact="paid") == sorted([paid.number, shipped.number])
    seller = str(lamp.product.seller_id)
    assert narrowed(seller=seller) == [shipped.number]
    assert narrowed(created_at_to="2020-01-01") == []
    assert len(narrowed(created_at_from="2020-01-01")) == 3
    PaymentAttempt.objects.filter(status="held").update(status="started")


@pytest.mark.parametrize(
    "query",
    [
        "work=x", "stage=%00", "created_at_from=x", "created_at_to=0001-01-01", "q=%00", "q=%25",
        "p=x", "p=99999999999", "status__exact=x", "seller=x", "o=99.x",
        "email__startswith=a", "created_at_from=9999-12-31",
    ],
)  # fmt: skip
def test_a_tampered_address_of_the_list_does_no_harm(staff: Client, query: str) -> None:
    place_order(VariantFactory())

    assert staff.get(f"{LIST}?{query}", follow=True).status_code in (200, 400)


def test_each_stage_selects_the_orders_that_are_in_it() -> None:
    order = place_order(VariantFactory())
    before = Order.objects.filter(pk=order.pk).values_list(
        "status", "payment_status", "fulfilment_status"
    )[0]
    combinations = itertools.product(Order.Status, Order.PaymentStatus, Order.FulfilmentStatus)

    for status, paid, fulfilled in combinations:
        columns = {"status": status, "payment_status": paid, "fulfilment_status": fulfilled}
        Order.objects.filter(pk=order.pk).update(**columns)
        stage = Order.objects.get(pk=order.pk).stage
        selecting = [name for name, rows in todo.STAGES.items() if Order.objects.filter(rows)]
        assert selecting == [stage], columns

    columns = dict(zip(("status", "payment_status", "fulfilment_status"), before, strict=True))
    Order.objects.filter(pk=order.pk).update(**columns)


def test_one_page_shows_everything_about_an_order(staff: Client, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mug = VariantFactory(sku="MUG-1", product__title="Dune mug", stock=5)
    order = place_paid_order(mug, quantity=2)
    deliver_outbox()
    fulfilment.ship(
        order.seller_orders.get(), carrier="DHL", tracking_number="JD1", by=make_admin()
    )
    deliver_outbox()

    page = text_of(staff.get(page_of(order)))

    for shown in (
        "Dune mug", "MUG-1", "€48.00", "€52.90", "includes VAT 19%", "Unter den Linden 1",
        "ada@example.com", attempt_of(order).provider_payment_id, "JD1", "sold", "Paid €52.90.",
        "Sent with DHL JD1.", "Alex Admin", f"Your order {order.number} – Emporium",
        f"Order {order.number} is on its way – Emporium", f"/orders/{order.number}/?key=",
    ):  # fmt: skip
        assert shown in page, shown
    assert 'name="status"' not in page
    assert staff.post(page_of(order)).status_code in (403, 405)


def test_cancelling_refunds_restocks_and_tells_the_shopper(staff: Client, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mug = VariantFactory(stock=3)
    order = place_paid_order(mug, quantity=2)
    path = f"{LIST}{order.pk}/cancel/"
    sent = read_form(staff.get(path), path) | {"reason": "Ordered twice", "restock": "on"}

    first = staff.post(path, sent)
    second = staff.post(path, sent, follow=True)

    assert first.url == page_of(order)
    assert "This order cannot be cancelled any more." in text_of(second)
    deliver_outbox()
    order.refresh_from_db()
    assert (order.status, order.stage) == ("cancelled", "Refunded")
    assert Refund.objects.get().amount == order.total
    assert StockLevel.objects.get(variant=mug).on_hand == 3
    assert mail.outbox[-1].subject == f"Order {order.number} is cancelled – Emporium"
    assert "Cancelled: Ordered twice" in text_of(staff.get(page_of(order)))


def test_broken_goods_of_a_cancelled_order_do_not_go_back_on_the_shelf(staff: Client) -> None:
    mug = VariantFactory(stock=3)
    order = place_paid_order(mug, quantity=2)
    path = f"{LIST}{order.pk}/cancel/"
    sent = read_form(staff.get(path), path) | {"reason": "Broken in our hands"}
    sent.pop("restock")

    staff.post(path, sent)

    assert StockLevel.objects.get(variant=mug).on_hand == 1
    order.refresh_from_db()
    assert order.status == Order.Status.CANCELLED


def test_a_cancellation_needs_a_reason_and_keeps_what_was_typed(staff: Client) -> None:
    order = place_paid_order(VariantFactory())
    path = f"{LIST}{order.pk}/cancel/"
    form = read_form(staff.get(path), path)

    empty = staff.post(path, form | {"reason": "  "})
    long = staff.post(path, form | {"reason": "y" * 201})

    assert "This field is required." in text_of(empty)
    assert "y" * 201 in text_of(long)
    order.refresh_from_db()
    assert order.status == Order.Status.PLACED


def test_a_shipped_order_is_not_cancelled(staff: Client) -> None:
    order = place_paid_order(VariantFactory())
    form = read_form(staff.get(f"{LIST}{order.pk}/cancel/"), "")
    fulfilment.ship(order.seller_orders.get(), carrier="DHL", by=None)

    answer = staff.post(f"{LIST}{order.pk}/cancel/", form | {"reason": "Too late"}, follow=True)

    assert "This order cannot be cancelled any more." in text_of(answer)
    assert not Refund.objects.exists()


def test_asking_the_provider_finds_a_payment_nobody_told_us_about(staff: Client) -> None:
    order = place_order(VariantFactory())
    httpx.post(payment.start(order), data={"choice": "approve", "webhook": "never"})

    page = press(staff, order, "check")

    order.refresh_from_db()
    assert order.stage == "Processing"
    assert "The provider was asked. The payment is: paid." in text_of(page)


def test_a_silent_provider_is_told_as_such(staff: Client, settings) -> None:
    from payments import gateways

    order = place_order(VariantFactory())
    payment.start(order)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    gateways.get_gateway.cache_clear()

    page = press(staff, order, "check")

    assert "The payment provider could not be asked" in text_of(page)
    order.refresh_from_db()
    assert order.stage == "Pending"


def test_a_confirmation_is_sent_again_once_however_often_one_clicks(staff: Client) -> None:
    order = place_paid_order(VariantFactory())
    deliver_outbox()

    first = press(staff, order, "confirm-again")
    second = press(staff, order, "confirm-again")
    deliver_outbox()

    assert "The confirmation goes to ada@example.com once more." in text_of(first)
    assert "once is enough" in text_of(second)
    assert Mail.objects.filter(kind="orders.confirmation").count() == 2
    assert text_of(staff.get(page_of(order))).count(f"Your order {order.number} – Emporium") == 2


def test_an_unpaid_order_has_nothing_to_confirm(staff: Client) -> None:
    order = place_order(VariantFactory())
    token = read_form(staff.get(page_of(order)), f"{order.pk}/check/")

    answer = staff.post(f"{LIST}{order.pk}/confirm-again/", token, follow=True)

    assert "Only a paid order that was not cancelled can be confirmed." in text_of(answer)
    deliver_outbox()
    assert not Mail.objects.exists()


def test_held_money_is_sent_back(staff: Client) -> None:
    order = place_order(VariantFactory())
    httpx.post(payment.start(order), data={"choice": "approve", "webhook": "never"})
    PaymentAttempt.objects.filter(pk=attempt_of(order).pk).update(amount="20.00")
    payment.check(order)
    held = text_of(staff.get(page_of(order)))

    page = press(staff, order, "send-back")
    deliver_outbox()

    assert "Look at the held payment" in held
    assert "The money is on its way back." in text_of(page)
    refund = Refund.objects.get()
    assert (str(refund.amount.normalize()), refund.status) == ("28.9", "succeeded")
    assert "Look at the held payment" not in text_of(staff.get(page_of(order)))


def test_cancelling_an_order_whose_money_is_held_sends_it_back() -> None:
    order = place_order(VariantFactory())
    httpx.post(payment.start(order), data={"choice": "approve", "webhook": "never"})
    PaymentAttempt.objects.filter(pk=attempt_of(order).pk).update(amount="20.00")
    payment.check(order)

    cancellation.cancel(order, by=make_admin(), reason="Wrong amount")
    deliver_outbox()

    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    order.refresh_from_db()
    assert order.stage == "Refunded"


def test_a_refund_that_failed_is_tried_again(staff: Client) -> None:
    order = place_paid_order(VariantFactory())
    cancellation.cancel(order, by=make_admin(), reason="Wanted another")
    Refund.objects.update(status="failed", failure="no funds")
    failed = text_of(staff.get(page_of(order)))

    press(staff, order, "send-back")
    deliver_outbox()

    assert "A refund failed" in failed
    assert list(Refund.objects.order_by("pk").values_list("status", flat=True)) == [
        "failed",
        "succeeded",
    ]
    page = text_of(staff.get(page_of(order)))
    assert "A refund failed" not in page
    assert "Send the money back" not in page
    order.refresh_from_db()
    assert order.stage == "Refunded"


def test_staff_who_ship_come_back_to_the_whole_order(staff: Client) -> None:
    order = place_paid_order(VariantFactory())
    path = f"/admin/orders/sellerorder/{order.seller_orders.get().pk}/ship/"

    answer = staff.post(path, read_form(staff.get(path), path) | {"carrier": "DPD"})

    assert answer.url == page_of(order)
    assert Shipment.objects.get().carrier == "DPD"


def test_an_action_without_its_token_does_nothing(staff: Client) -> None:
    order = place_paid_order(VariantFactory())

    answer = staff.post(f"{LIST}{order.pk}/cancel/", {"reason": "Forged"})

    assert answer.status_code == 403
    order.refresh_from_db()
    assert order.status == Order.Status.PLACED


def test_rows_do_not_change_how_many_statements_the_lists_and_pages_take(staff: Client) -> None:
    def count(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert staff.get(path).status_code == 200
        return len(queries)

    place_paid_order(VariantFactory())
    small = place_paid_order(VariantFactory())
    fulfilment.ship(small.seller_orders.get(), carrier="DHL", by=None)
    paths = [LIST, page_of(small), "/admin/", "/admin/orders/sellerorder/"]
    for path in paths:
        count(path)
    before = [count(path) for path in paths]

    large = place_paid_order(*[VariantFactory(stock=5) for _ in range(4)])
    for part in large.seller_orders.all():
        fulfilment.ship(part, carrier="DHL", by=None)
    place_paid_order(VariantFactory())
    after = [
        count(path) for path in [LIST, page_of(large), "/admin/", "/admin/orders/sellerorder/"]
    ]

    assert before == after
    assert after == [16, 20, 18, 6]


def test_every_page_of_the_back_office_answers(staff: Client) -> None:
    order = place_paid_order(VariantFactory())
    cancellation.cancel(order, by=make_admin(), reason="Changed their mind")
    deliver_outbox()
    part = order.seller_orders.get()
    paths = [
        f"/admin/orders/{model}/{view}"
        for model, pk in (("order", order.pk), ("sellerorder", part.pk))
        for view in (
            "",
            "add/",
            f"{pk}/change/",
            f"{pk}/history/",
            f"{pk}/delete/",
            f"{pk}/",
            "999/change/",
            "x/change/",
            "999/history/",
            "99999999999999999999/change/",
        )
    ] + [f"{LIST}{order.pk}/{view}/" for view in ("cancel", "check", "confirm-again", "send-back")]
    paths += [f"/admin/orders/sellerorder/{part.pk}/ship/", "/admin/orders/", "/admin/"]

    answers = {path: staff.get(path, follow=True).status_code for path in paths}

    assert all(status < 500 for status in answers.values()), answers
    assert answers[page_of(order)] == answers[LIST] == 200
    assert answers[f"{LIST}999/change/"] == 404


def test_the_first_page_says_what_is_to_be_done(staff: Client) -> None:
    order = place_paid_order(VariantFactory(stock=2, product__title="Dune mug"))

    page = text_of(staff.get("/admin/"))

    assert "Orders to ship" in page
    assert order.number in page
    assert "1 × Dune mug" in page
    assert "€28.90" in page
    assert "1 left" in page
