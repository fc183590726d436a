"""The back office settles what was paid without a provider; only who keeps the money may say so."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils.timezone import localdate

from accounts.models import User
from orders.models import Order
from orders.services import cancellation, payment
from payments.models import OfflineMovement, Refund
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.forms import read_form
from tests.journeys.shopper import words_of
from tests.orders.admin_steps import make_admin, make_packer, sign_in
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


@pytest.fixture(autouse=True)
def _a_shop_that_takes_transfers(settings: Any) -> None:
    settings.SHOP_OFFLINE_PAYMENT = "transfer"


@pytest.fixture
def staff() -> Client:
    return sign_in(make_admin())


@pytest.fixture
def order() -> Order:
    order = place_order(VariantFactory(stock=3), provider="offline")
    payment.start(order)
    return order


def page_of(order: Order) -> str:
    return f"{LIST}{order.pk}/change/"


def came(order: Order) -> str:
    return f"{LIST}{order.pk}/money-came/"


def fill(client: Client, path: str, **typed: str) -> Any:
    return client.post(path, read_form(client.get(path), path) | typed, follow=True)


def test_one_press_with_what_is_filled_in_already_places_the_order(
    staff: Client, order: Order
) -> None:
    assert came(order) in words_of(staff.get(page_of(order)))

    told = words_of(fill(staff, came(order), bank_reference=" SEPA  4711 "))

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert f"Order {order.number} is paid; the shopper gets a mail." in told
    assert "Bank transfer" in told
    assert came(order) not in told
    written = OfflineMovement.objects.get()
    assert (written.amount, written.moved_on, written.bank_reference) == (
        order.total, localdate(), "SEPA 4711",
    )  # fmt: skip


def test_another_amount_is_asked_about_once_and_then_held(staff: Client, order: Order) -> None:
    asked = words_of(fill(staff, came(order), amount="20.00"))
    assert (
        "Asked for was €28.90. If the rest is still to come, wait, and write down the sum" in asked
    )
    assert not OfflineMovement.objects.exists()

    told = words_of(fill(staff, came(order), amount="20.00", is_right="on"))

    order.refresh_from_db()
    assert order.payment_status == "pending"
    assert "The money is written down, but does not pay the order." in told
    assert "Look at the held payment" in told
    assert "28.90 EUR was asked for, 20.00 EUR came" in told
    second = words_of(staff.get(came(order), follow=True))
    assert "What came for this order is held, so a second part cannot be written down." in second
    assert "Decimal(" not in told


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"amount": ""}, "This field is required."),
        ({"amount": "-1"}, "greater than or equal to"),
        ({"amount": "a lot"}, "Enter a number."),
        ({"moved_on": ""}, "This field is required."),
        ({"moved_on": "2999-01-01"}, "This day is still to come."),
    ],
)
def test_what_cannot_be_is_not_written_down(
    staff: Client, order: Order, typed: dict[str, str], problem: str
) -> None:
    assert problem in words_of(fill(staff, came(order), **typed))
    assert not OfflineMovement.objects.exists()


def test_the_amount_can_be_typed_with_a_comma_where_people_do(staff: Client, order: Order) -> None:
    assert '<input type="text" name="amount"' in words_of(staff.get(came(order)))
    fill(staff, came(order), amount="28,90")

    order.refresh_from_db()
    assert order.payment_status == "paid"


def test_pressed_twice_it_counts_once(staff: Client, order: Order) -> None:
    form = read_form(staff.get(came(order)), came(order))

    staff.post(came(order), form)
    told = words_of(staff.post(came(order), form, follow=True))

    assert "No transfer is expected for this order, or it came already." in told
    assert OfflineMovement.objects.count() == 1


def test_a_refund_is_sent_by_hand_and_written_down(staff: Client, order: Order) -> None:
    fill(staff, came(order))
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    deliver_outbox()
    refund = Refund.objects.get()
    sent = f"{LIST}{order.pk}/money-sent/{refund.pk}/"
    page = words_of(staff.get(page_of(order)))
    assert "Send the money back by hand" in page
    assert sent in page
    assert "Refunds to send by hand" in words_of(staff.get("/admin/"))

    told = words_of(fill(staff, sent, bank_reference="SEPA 9"))

    order.refresh_from_db()
    assert order.payment_status == "refunded"
    assert "The refund is written down as sent." in told
    assert sent not in told
    assert "Refunds to send by hand" not in words_of(staff.get("/admin/"))


def test_a_refund_of_another_order_cannot_be_written_down_here(staff: Client, order: Order) -> None:
    fill(staff, came(order))
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    other = place_order(VariantFactory(), provider="offline")

    answer = staff.get(f"{LIST}{other.pk}/money-sent/{Refund.objects.get().pk}/")

    assert answer.status_code == 404


def test_the_first_page_and_the_list_say_which_orders_wait_for_a_transfer(
    staff: Client, order: Order
) -> None:
    by_card = place_order(VariantFactory())
    payment.start(place_order(VariantFactory(), provider="offline"))

    first = words_of(staff.get("/admin/"))
    listed = words_of(staff.get(f"{LIST}?work=transfer"))

    assert "Waiting for a transfer" in first
    assert f"{LIST}?work=transfer" in first
    assert order.number in listed
    assert by_card.number not in listed
    assert "Look whether the money came" in listed


def test_without_such_orders_the_first_page_says_nothing_of_transfers(staff: Client) -> None:
    place_order(VariantFactory())

    assert "Waiting for a transfer" not in words_of(staff.get("/admin/"))


def make_staff(*permissions: str) -> User:
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return person


def test_who_may_ship_may_not_say_that_money_came(order: Order) -> None:
    shipper = sign_in(make_staff("view_order", "change_order"))

    page = shipper.get(page_of(order))

    assert page.status_code == 200
    assert "The money has come" not in words_of(page)
    assert shipper.get(came(order)).status_code == 403
    token = {"csrfmiddlewaretoken": shipper.cookies["csrftoken"].value}
    typed = {"amount": "28.90", "moved_on": f"{localdate() - timedelta(days=1)}"}
    assert shipper.post(came(order), token | typed).status_code == 403
    assert not OfflineMovement.objects.exists()


def test_who_keeps_the_money_may(order: Order) -> None:
    keeper = sign_in(make_staff("view_order", "change_order", "add_offlinemovement"))

    fill(keeper, came(order))

    order.refresh_from_db()
    assert order.payment_status == "paid"


def test_sellers_may_not_even_with_the_permission(order: Order) -> None:
    part = order.seller_orders.get()
    packer = make_packer(part.seller)
    packer.user_permissions.set(
        Permission.objects.filter(
            codename__in=("view_order", "change_order", "add_offlinemovement")
        )
    )

    client = sign_in(packer)

    assert client.get(came(order)).status_code == 403
    assert client.get(f"{LIST}{order.pk}/money-sent/1/").status_code == 403
    assert order.total == Decimal("28.90")
