"""Nobody but the shop's own staff reaches its money, by whatever door; and no form acts twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils.timezone import localdate

from accounts.models import User
from orders.models import Order, OrderRefund
from orders.services import cancellation, offline, payment
from payments.models import (
    Dispute,
    OfflineMovement,
    PaymentAttempt,
    ProviderEvent,
    ReconciliationBreak,
    Refund,
)
from payments.simulator.running import Simulator
from shop.clock import now
from shop.money import Money
from tests.factories.accounts import SellerFactory, SellerMemberFactory, StaffFactory, UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.forms import read_form
from tests.journeys.shopper import words_of
from tests.orders.admin_steps import attempt_of, make_admin, place_paid_order, sign_in
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db

GREATEST = ["1E+400", "-1E+400", "NaN", "Infinity", "9" * 5000, "1e-400", "\x00", "0x10"]


@pytest.fixture
def order(simulator: Simulator) -> Order:
    return place_paid_order(VariantFactory(stock=3), quantity=2)


@pytest.fixture
def addresses(order: Order) -> list[str]:
    """Every address in the back office that shows money or moves it."""
    attempt = attempt_of(order)
    refund = Refund.objects.create(
        attempt=attempt, key="a refund", amount=1, currency="EUR", status="failed"
    )
    dispute = Dispute.objects.create(
        attempt=attempt, provider="stripe", provider_id="dp_secret", amount=1, currency="EUR",
        status="inquiry", opened_at=now(),
    )  # fmt: skip
    found = ReconciliationBreak.objects.create(
        provider="stripe", subject="charge", provider_id="ch_secret", kind="theirs_only",
        theirs=1, theirs_currency="EUR", happened_at=now(), first_seen_at=now(),
        last_seen_at=now(),
    )  # fmt: skip
    event = ProviderEvent.objects.create(
        provider="stripe", event_id="evt_secret", type="x", payload={}, attempt=attempt
    )
    of_order = ("change", "story", "refund", "cancel", "check", "confirm-again", "send-back",
                "money-came", f"money-sent/{refund.pk}", "history", "delete")  # fmt: skip
    rows = {
        "paymentattempt": attempt, "refund": refund, "dispute": dispute, "providerevent": event,
        "reconciliationbreak": found,
    }  # fmt: skip
    return [
        "/admin/orders/order/",
        *(f"/admin/orders/order/{order.pk}/{name}/" for name in of_order),
        *(f"/admin/payments/{name}/" for name in rows),
        *(f"/admin/payments/{name}/{row.pk}/change/" for name, row in rows.items()),
        f"/admin/payments/reconciliationbreak/{found.pk}/ask/",
    ]


def with_every_right(person: User) -> User:
    person.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=("orders", "payments"))
    )
    return person


def count_all() -> tuple[Any, ...]:
    """Return what must not change when somebody is refused."""
    return (
        list(Order.objects.order_by("pk").values_list("status", "payment_status")),
        list(PaymentAttempt.objects.order_by("pk").values_list("status", "asked_at")),
        list(ReconciliationBreak.objects.values_list("status", "last_seen_at")),
        Refund.objects.count(),
        OrderRefund.objects.count(),
        OfflineMovement.objects.count(),
    )


@pytest.mark.parametrize("role", ["owner", "packer"])
@pytest.mark.parametrize("works_for", ["the order's seller", "another seller"])
def test_no_sellers_person_reaches_money_whatever_rights_they_were_given(
    order: Order, addresses: list[str], role: str, works_for: str
) -> None:
    seller = order.seller_orders.get().seller if works_for[4] == "o" else SellerFactory()
    client = sign_in(with_every_right(SellerMemberFactory(seller=seller, role=role).user))
    client.get("/admin/")
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    before = count_all()

    answers = {path: client.get(path).status_code for path in addresses}
    posted = {path: client.post(path, token).status_code for path in addresses}

    assert {path: code for path, code in answers.items() if code not in (403, 405)} == {}
    assert {path: code for path, code in posted.items() if code not in (403, 405)} == {}
    assert count_all() == before
    first_page = words_of(client.get("/admin/"))
    for secret in ("dp_secret", "ch_secret", "/admin/payments/"):
        assert secret not in first_page


@pytest.mark.parametrize("who", ["nobody", "a shopper", "staff without rights"])
def test_nobody_else_reaches_money_in_the_back_office(addresses: list[str], who: str) -> None:
    client = Client(enforce_csrf_checks=True)
    if who != "nobody":
        client = sign_in(with_every_right(UserFactory()) if who == "a shopper" else StaffFactory())
    before = count_all()

    codes = {client.get(path).status_code for path in addresses}
    pages = {client.get(path).headers.get("Location", "").split("?")[0] for path in addresses}

    assert codes <= ({302} if who != "staff without rights" else {403, 405})
    assert pages <= {"", "/admin/login/", "/accounts/login/"}
    assert count_all() == before


def test_no_form_of_money_works_without_its_token(addresses: list[str]) -> None:
    client = sign_in(make_admin())
    before = count_all()

    codes = {path: client.post(path).status_code for path in addresses}

    assert {path: code for path, code in codes.items() if code not in (403, 405)} == {}
    assert count_all() == before


def test_looking_at_money_changes_nothing(addresses: list[str]) -> None:
    client = sign_in(make_admin())
    before = count_all()

    codes = {path: client.get(path).status_code for path in addresses}

    # A refund of a provider's is not sent by hand, so its page is not there.
    expected = (200, 302, 403, 404, 405)
    assert {path: code for path, code in codes.items() if code not in expected} == {}
    assert count_all() == before


@pytest.mark.parametrize("amount", GREATEST)
def test_no_amount_breaks_the_refund_page(order: Order, amount: str) -> None:
    client = sign_in(make_admin())
    path = f"/admin/orders/order/{order.pk}/refund/"
    line = order.lines.get()
    form = read_form(client.get(path), path) | {"reason": "x", "send": "1"}

    codes = [
        client.post(path, form | {f"quantity_{line.pk}": "1", "seen_amount": amount}).status_code,
        client.post(path, form | {f"quantity_{line.pk}": amount, "seen_amount": "1"}).status_code,
        client.post(path, form | {"submit_key": amount, "seen_amount": "1"}).status_code,
    ]

    assert codes == [200, 200, 200]
    assert not OrderRefund.objects.exists()


@pytest.mark.parametrize("amount", GREATEST)
def test_no_amount_breaks_the_page_of_what_came(settings: Any, amount: str) -> None:
    settings.SHOP_OFFLINE_PAYMENT = "transfer"
    order = place_order(VariantFactory(stock=3), provider="offline")
    payment.start(order)
    client = sign_in(make_admin())
    path = f"/admin/orders/order/{order.pk}/money-came/"
    form = read_form(client.get(path), path)

    for typed in ({"amount": amount, "is_right": "on"}, {"moved_on": amount}):
        assert client.post(path, form | typed).status_code == 200

    assert not OfflineMovement.objects.exists()


def test_a_refund_cannot_be_written_with_the_key_of_another_orders(
    simulator: Simulator, order: Order
) -> None:
    other = place_paid_order(VariantFactory(stock=3))
    client = sign_in(make_admin())
    key = _refund_one(client, other)
    path = f"/admin/orders/order/{order.pk}/refund/"
    form = read_form(client.get(path), path)

    answer = client.post(
        path,
        form | {f"quantity_{order.lines.get().pk}": "1", "reason": "x", "send": "1",
                "seen_amount": "24.00", "submit_key": key},
    )  # fmt: skip

    assert answer.status_code in (200, 302)
    assert OrderRefund.objects.filter(order=order).count() == 0


def test_pieces_of_another_order_are_not_refunded_here(simulator: Simulator, order: Order) -> None:
    other = place_paid_order(VariantFactory(stock=3))
    client = sign_in(make_admin())
    path = f"/admin/orders/order/{order.pk}/refund/"
    form = read_form(client.get(path), path)

    client.post(
        path,
        form | {f"quantity_{other.lines.get().pk}": "1", "reason": "x", "send": "1",
                "seen_amount": "24.00"},
    )  # fmt: skip

    assert not OrderRefund.objects.exists()


def test_every_form_of_money_pressed_twice_counts_once(
    simulator: Simulator, order: Order, settings: Any
) -> None:
    settings.SHOP_OFFLINE_PAYMENT = "transfer"
    client = sign_in(make_admin())
    by_hand = place_order(VariantFactory(stock=3), provider="offline")
    payment.start(by_hand)
    root = f"/admin/orders/order/{by_hand.pk}"

    _press_twice(client, f"{root}/money-came/", amount="5.00", is_right="on")
    cancellation.cancel(by_hand, by=StaffFactory(), reason="Cracked")
    deliver_outbox()
    refund = Refund.objects.get()
    _press_twice(client, f"{root}/money-sent/{refund.pk}/")
    _press_twice(client, f"/admin/orders/order/{order.pk}/cancel/", reason="Cracked")
    deliver_outbox()

    assert OfflineMovement.objects.filter(kind="received").count() == 1
    assert OfflineMovement.objects.filter(kind="sent").count() == 1
    assert refund.amount == Decimal("5.00")
    assert OrderRefund.objects.get().order == order
    assert list(Refund.objects.values_list("status", "amount").order_by("pk")) == [
        ("succeeded", Decimal("5.00")), ("succeeded", order.total),
    ]  # fmt: skip


def test_held_money_is_sent_back_once_however_often_it_is_pressed(settings: Any) -> None:
    settings.SHOP_OFFLINE_PAYMENT = "transfer"
    order = place_order(VariantFactory(stock=3), provider="offline")
    payment.start(order)
    offline.book_receipt(
        order,
        amount=Money(Decimal("99.00"), "EUR"),
        received_on=localdate(),
        bank_reference="",
        by=StaffFactory(),
    )
    client = sign_in(make_admin())
    client.get(f"/admin/orders/order/{order.pk}/change/")
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}

    for _ in range(3):
        client.post(f"/admin/orders/order/{order.pk}/send-back/", token)

    assert Refund.objects.get().amount == Decimal("99.00")


def _press_twice(client: Client, path: str, **typed: str) -> None:
    form = read_form(client.get(path), path) | typed
    for _ in range(2):
        assert client.post(path, form).status_code in (200, 302)


def _refund_one(client: Client, order: Order) -> str:
    path = f"/admin/orders/order/{order.pk}/refund/"
    form = read_form(client.get(path), path)
    typed = {f"quantity_{order.lines.get().pk}": "1", "reason": "x"}
    worth = f"{order.lines.get().unit_price:f}"
    client.post(path, form | typed | {"send": "1", "seen_amount": worth})
    assert OrderRefund.objects.filter(order=order).count() == 1
    return form["submit_key"]
