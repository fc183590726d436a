"""Staff work through what the books do not agree on, and see what a bank disputes."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import Order
from orders.services import payment
from payments.gateways.books import get_books
from payments.models import Dispute, ReconciliationBreak
from payments.services import breaks, disputes
from payments.services.breaks import Finding, Subject
from payments.simulator.running import Simulator
from shop.clock import now
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_of
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db(transaction=True)
BREAKS = "/admin/payments/reconciliationbreak/"
DISPUTES = "/admin/payments/dispute/"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


@pytest.fixture
def boss() -> Client:
    return signed_in(UserFactory(is_staff=True, is_superuser=True, email="boss@example.com"))


@pytest.fixture
def order(simulator: Simulator, settings: Any) -> Order:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    order.refresh_from_db()
    return order


def leave_break(order: Order, *, number: str = "ch_foreign") -> ReconciliationBreak:
    return breaks.record(
        "stripe",
        Finding(
            subject=Subject.CHARGE,
            provider_id=number,
            text="Money was taken that no payment of this shop asked for.",
            happened_at=now(),
            theirs=order.total_money,
        ),
    )


def dispute(simulator: Simulator, order: Order) -> Dispute:
    made = simulator.open_dispute(session_of(order), webhook="never")
    books = get_books("stripe")
    assert books is not None
    written = disputes.take("stripe", books.fetch_dispute(made["id"]))
    assert written is not None
    return written


def close(client: Client, row: ReconciliationBreak, **typed: str) -> Any:
    return client.post(f"{BREAKS}{row.pk}/change/", typed, follow=True)


def test_the_pages_of_breaks_and_disputes_answer(
    simulator: Simulator, order: Order, boss: Client
) -> None:
    row, disputed = leave_break(order), dispute(simulator, order)

    for base, pk in ((BREAKS, row.pk), (DISPUTES, disputed.pk)):
        for view in ("", f"{pk}/change/", f"{pk}/history/", "?q=x", "?status__exact=open"):
            assert boss.get(base + view, follow=True).status_code == 200, base + view
        assert boss.get(f"{base}{pk}/delete/").status_code == 403
        assert boss.get(f"{base}add/").status_code == 403
    assert "€28.90" in boss.get(BREAKS).content.decode()
    assert boss.post(f"{DISPUTES}{disputed.pk}/change/", {"status": "won"}).status_code == 403


def test_the_first_page_and_the_order_say_that_a_dispute_waits(
    simulator: Simulator, order: Order, boss: Client
) -> None:
    assert "Disputes to answer" not in boss.get("/admin/").content.decode()
    dispute(simulator, order)
    leave_break(order)

    first_page = boss.get("/admin/").content.decode()

    assert "Disputes to answer" in first_page
    assert "Books that disagree" in first_page
    for address in ("/admin/orders/order/", f"/admin/orders/order/{order.pk}/change/"):
        page = boss.get(address).content.decode()
        assert "Answer the bank: the payment is disputed" in page, address


@pytest.mark.parametrize("decision", ["resolved", "accepted"])
def test_staff_close_a_break_with_the_reason(order: Order, boss: Client, decision: str) -> None:
    row = leave_break(order)

    close(boss, row, decision=decision, reason="Our other shop")

    row.refresh_from_db()
    assert (row.status, row.note) == (decision, "Our other shop")
    assert (row.closed_by.email, row.closed_at is not None) == ("boss@example.com", True)
    assert boss.post(f"{BREAKS}{row.pk}/change/", {"decision": "resolved"}).status_code == 403


@pytest.mark.parametrize(
    "typed",
    [
        {"decision": "accepted", "reason": "  "},
        {"decision": "open", "reason": "x"},
        {"decision": "resolved", "reason": "x" * 301},
    ],
)
def test_a_break_is_not_closed_without_a_reason_or_otherwise(
    order: Order, boss: Client, typed: dict[str, str]
) -> None:
    row = leave_break(order)

    assert close(boss, row, **typed).status_code == 200

    row.refresh_from_db()
    assert (row.status, row.closed_by) == ("open", None)


def test_a_break_that_is_left_open_stays_so(order: Order, boss: Client) -> None:
    row = leave_break(order)

    close(boss, row, decision="", reason="not yet")

    row.refresh_from_db()
    assert (row.status, row.note) == ("open", "")


def test_asking_again_closes_a_break_that_the_provider_does_not_know(
    simulator: Simulator, order: Order, boss: Client
) -> None:
    row = leave_break(order)

    page = boss.post(f"{BREAKS}{row.pk}/ask/", follow=True).content.decode()

    row.refresh_from_db()
    assert row.status == "resolved"
    assert "ch_foreign: the books agree now." in page


def test_asking_again_settles_the_payment_that_the_break_is_about(
    simulator: Simulator, boss: Client
) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    paid = client_of(simulator).v1.checkout.sessions.retrieve(
        session_of(order), params={"expand": ["payment_intent"]}
    )
    row = leave_break(order, number=str(paid.payment_intent.latest_charge))

    boss.post(BREAKS, {"action": "ask_again", "_selected_action": [str(row.pk)]})

    row.refresh_from_db()
    order.refresh_from_db()
    assert (row.status, order.status, attempt_of(order).status) == (
        "resolved",
        "placed",
        "captured",
    )


def test_asking_while_the_provider_is_away_says_so_and_changes_nothing(
    simulator: Simulator, order: Order, boss: Client
) -> None:
    row = leave_break(order)
    simulator.add_fault("charges.retrieve", "error_500_before")

    page = boss.post(f"{BREAKS}{row.pk}/ask/", follow=True).content.decode()

    row.refresh_from_db()
    assert row.status == "open"
    assert "the provider could not be asked" in page


def test_asking_about_a_dispute_brings_it_up_to_date(
    simulator: Simulator, order: Order, boss: Client
) -> None:
    written = dispute(simulator, order)
    simulator.decide_dispute(written.provider_id, is_won=True, webhook="never")

    boss.post(DISPUTES, {"action": "ask_again", "_selected_action": [str(written.pk)]})

    written.refresh_from_db()
    assert written.status == "won"


def test_who_may_only_look_can_neither_close_nor_ask(simulator: Simulator, order: Order) -> None:
    row, written = leave_break(order), dispute(simulator, order)
    person = StaffFactory()
    person.is_superuser = False
    person.save()
    names = ("view_reconciliationbreak", "view_dispute")
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = signed_in(person)
    simulator.decide_dispute(written.provider_id, is_won=True, webhook="never")

    assert client.get(f"{BREAKS}{row.pk}/change/").status_code == 200
    assert close(client, row, decision="accepted", reason="x").status_code == 403
    assert client.post(f"{BREAKS}{row.pk}/ask/").status_code == 403
    assert client.get(f"{BREAKS}{row.pk}/ask/").status_code == 405
    client.post(BREAKS, {"action": "ask_again", "_selected_action": [str(row.pk)]})
    client.post(DISPUTES, {"action": "ask_again", "_selected_action": [str(written.pk)]})

    row.refresh_from_db()
    written.refresh_from_db()
    assert (row.status, written.status) == ("open", "needs_response")


def test_a_stranger_sees_nothing_of_it(order: Order, client: Client) -> None:
    row = leave_break(order)

    for address in (BREAKS, DISPUTES, f"{BREAKS}{row.pk}/change/"):
        assert client.get(address).status_code == 302
