"""Somebody who tries stolen cards is slowed down; an office behind one address is not shut out."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from catalog.models import StockLevel
from orders import haste
from orders.models import Order
from payments.models import PaymentAttempt, ProviderEvent
from payments.services import declines
from payments.simulator.running import Simulator
from shop import limits
from shop.clock import now
from shop.limits import ACTIONS, HOUR, Action, Limit
from shop.models import Mail, Tally
from shop.services import limits as counting
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.forms import read_form
from tests.journeys.shopper import Shopper, words_of

pytestmark = pytest.mark.django_db

OFFICE = "203.0.113.7"


def visitor(address: str = OFFICE) -> Shopper:
    return Shopper(Client(enforce_csrf_checks=True, REMOTE_ADDR=address))


@pytest.fixture
def mug(simulator: Simulator) -> Any:
    make_delivery()
    return VariantFactory(stock=99, price="24.00", product__title="Dune mug")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody be too quick, as a person who reads the page is not."""
    monkeypatch.setattr(haste, "LEAST_SECONDS", -1.0)


def allow(monkeypatch: pytest.MonkeyPatch, *allowed: Limit) -> None:
    monkeypatch.setitem(ACTIONS, "payment", Action(allowed))


def test_fifty_people_of_one_office_may_all_buy_in_one_hour() -> None:
    tries = [
        counting.count("payment", address=OFFICE, email=f"p{n}@example.com", cart=str(n))
        for n in range(50)
    ]

    assert all(verdict.is_allowed for verdict in tries)


def test_one_person_may_try_ten_times_an_hour_from_wherever_they_are() -> None:
    tries = [
        counting.count("payment", address=f"198.51.100.{n}", email="ada@example.com").is_allowed
        for n in range(12)
    ]

    assert tries == [True] * 10 + [False] * 2


def test_a_program_gets_twelve_tries_an_hour_at_one_address() -> None:
    tries = [
        counting.count("payment", address=OFFICE, weight=limits.SUSPICIOUS, email=f"{n}@a.example")
        for n in range(20)
    ]

    assert sum(verdict.is_allowed for verdict in tries) == 12


def test_an_order_too_many_is_not_placed_and_nothing_typed_is_lost(
    mug: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, Limit("email", 1, HOUR))
    visitor().buy(mug)
    shopper = visitor("198.51.100.9")
    shopper.put(mug)

    answer = shopper.place(city="Potsdam")

    assert answer.status_code == 429
    assert "no-store" in answer["Cache-Control"]
    assert 3000 <= int(answer["Retry-After"]) <= 3600
    assert re.search(r"Please try again in \d+ minutes\.", words_of(answer))
    assert read_form(answer, "/checkout/")["city"] == "Potsdam"
    assert Order.objects.count() == PaymentAttempt.objects.count() == 1
    assert StockLevel.objects.get().allocated == 1


def test_paying_again_and_again_is_limited_by_the_order(
    mug: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, Limit("order", 2, HOUR))
    shopper = visitor()
    order = shopper.buy(mug)
    page = shopper.client.get(f"/orders/{order.number}/")

    answers = [shopper.press(page, f"/orders/{order.number}/pay/") for _time in range(3)]

    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert "Try again" in words_of(answers[-1])


class TestHaste:
    def count(self) -> int:
        """Return how often the address was counted."""
        limit = ACTIONS["payment"].limits[-2]
        key = limits.make_key("payment", str(limit), OFFICE)
        return int(Tally.objects.get(key=key).count)

    def test_somebody_who_reads_counts_once(self, mug: Any, patient: None) -> None:
        visitor().buy(mug)

        assert self.count() == 1

    def test_somebody_too_quick_counts_five_times_and_orders_all_the_same(
        self, mug: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(haste, "LEAST_SECONDS", 600.0)  # This machine may be slow.
        visitor().buy(mug)

        assert Order.objects.count() == 1
        assert self.count() == limits.SUSPICIOUS

    @pytest.mark.parametrize("began", ["", "forged", "Ijoi:1abc:xyz", "0" * 199])
    def test_a_form_that_is_none_of_ours_counts_five_times(
        self, mug: Any, patient: None, began: str
    ) -> None:
        shopper = visitor()
        shopper.put(mug)

        assert shopper.place(began=began).status_code == 302
        assert self.count() == limits.SUSPICIOUS

    def test_who_fills_in_what_nobody_sees_orders_nothing_at_once(
        self, mug: Any, patient: None
    ) -> None:
        shopper = visitor()
        shopper.put(mug)

        trapped = shopper.place(homepage="https://spam.example")
        again = shopper.client.post("/checkout/", read_form(trapped, "/checkout/"))

        assert trapped.status_code == 409
        assert "Please press once more." in words_of(trapped)
        assert again.status_code == 302
        assert Order.objects.count() == 1


class TestAlarm:
    def tell(self, declined: int, paid: int, *, ago: timedelta = timedelta()) -> None:
        kinds = ["payment_intent.payment_failed"] * declined + ["payment_intent.succeeded"] * paid
        start = ProviderEvent.objects.count()
        for number, kind in enumerate(kinds, start=start):
            ProviderEvent.objects.create(
                provider="stripe",
                event_id=f"evt_{number}",
                type=kind,
                payload={},
                received_at=now() - ago,
                processed_at=now(),
                outcome="settled",
            )

    @pytest.mark.parametrize(
        ("declined", "paid", "is_alarming"),
        [(0, 0, False), (19, 0, False), (20, 0, True), (20, 20, True), (20, 21, False)],
    )
    def test_it_takes_twenty_declined_and_half_of_all(
        self, declined: int, paid: int, is_alarming: bool
    ) -> None:
        self.tell(declined, paid)
        self.tell(50, 0, ago=timedelta(hours=2))

        assert declines.watch().is_alarming is is_alarming
        assert declines.is_alarming() is is_alarming
        assert Mail.objects.count() == is_alarming

    def test_the_shop_is_told_once_an_hour(
        self, caplog: pytest.LogCaptureFixture, settings: Any
    ) -> None:
        self.tell(30, 2)

        declines.watch()
        declines.watch()

        mail = Mail.objects.get()
        assert mail.recipient == settings.SHOP_EMAIL
        assert mail.subject.startswith("30 payments were declined within an hour")
        assert "2 went through." in mail.text
        assert "/admin/payments/paymentattempt/" in mail.text
        assert "30 payments were declined within an hour, 2 went through" in caplog.text

    def test_while_it_sounds_an_address_may_pay_six_times_an_hour(
        self, mug: Any, patient: None
    ) -> None:
        shopper = visitor()
        order = shopper.buy(mug)
        page = shopper.client.get(f"/orders/{order.number}/")
        self.tell(30, 0)
        declines.watch()

        pay = f"/orders/{order.number}/pay/"
        answers = [shopper.press(page, pay).status_code for _time in range(7)]

        assert answers == [302] * 6 + [429]

    def test_it_ends_by_itself(self) -> None:
        self.tell(30, 0)
        declines.watch()
        cache.delete(declines.ALARM)

        assert not declines.is_alarming()


class TestMinimum:
    def test_a_small_order_is_not_sent_and_the_page_says_why(self, mug: Any, settings: Any) -> None:
        settings.SHOP_MINIMUM_ORDER = 25
        shopper = visitor()
        shopper.put(mug)

        page = shopper.open_checkout()
        answer = shopper.place(page)

        for each in (page, answer):
            assert "We send orders from €25.00 on, delivery not counted." in words_of(each)
        assert answer.status_code == 409
        assert not Order.objects.exists()

    def test_one_that_is_just_enough_is(self, mug: Any, settings: Any) -> None:
        settings.SHOP_MINIMUM_ORDER = 24

        assert visitor().buy(mug).total_money
