"""Which ways to pay are offered, how they are chosen at the checkout, and how long each may take."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as shop_settings

from orders.models import Order
from payments import methods
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.forms import read_form
from tests.journeys.shopper import Shopper, attempt_of, words_of

READ = "from django.conf import settings as s; print(s.SHOP_OFFLINE_PAYMENT)"


@pytest.mark.parametrize(
    ("chosen", "offered"),
    [
        ({}, ["stripe", "offline"]),
        ({"PAYPAL_IS_ON": True}, ["stripe", "paypal", "offline"]),
        ({"SHOP_OFFLINE_PAYMENT": "off"}, ["stripe"]),
        ({"SHOP_OFFLINE_PAYMENT": "off", "PAYPAL_IS_ON": True}, ["stripe", "paypal"]),
        ({"STRIPE_SECRET_KEY": ""}, ["offline"]),
    ],
)
def test_what_is_offered_is_what_is_set_up(
    settings: Any, chosen: dict[str, Any], offered: list[str]
) -> None:
    settings.PAYPAL_IS_ON = False
    for name, value in chosen.items():
        setattr(settings, name, value)

    assert [method.code for method in methods.list_methods()] == offered


def test_a_transfer_and_payment_on_pick_up_say_what_they_are(settings: Any) -> None:
    settings.PAYPAL_IS_ON, settings.SHOP_OFFLINE_DAYS = False, 5

    transfer = methods.list_methods()[-1]
    settings.SHOP_OFFLINE_PAYMENT, settings.SHOP_OFFLINE_DAYS = "pick-up", 1
    pick_up = methods.list_methods()[-1]

    assert (transfer.label, transfer.explanation) == (
        "Bank transfer",
        "Our account is shown next. You have 5 days to pay.",
    )
    assert (pick_up.label, pick_up.explanation) == (
        "Pay on pick-up",
        "You pay when you fetch it, within 1 day.",
    )


def test_without_a_provider_there_is_time_until_the_end_of_a_day_where_the_shop_is(
    settings: Any,
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    settings.SHOP_OFFLINE_DAYS, settings.SHOP_PAYMENT_WINDOW_MINUTES = 7, 45
    late_at_night = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # already the 23rd in Berlin

    assert methods.get_deadline("offline", since=late_at_night) == datetime(
        2026, 11, 30, 22, 59, tzinfo=UTC
    )
    assert methods.get_deadline("stripe", since=late_at_night) == datetime(
        2026, 11, 23, 0, 15, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("environment", "printed"),
    [
        ({}, "transfer"),
        ({"SHOP_OFFLINE_PAYMENT": "off"}, "off"),
        ({"SHOP_OFFLINE_PAYMENT": "pick-up"}, "pick-up"),
    ],
)
def test_a_newcomer_sees_the_transfer_and_may_switch_it_off(
    environment: dict[str, str], printed: str
) -> None:
    assert _read_settings(environment).stdout.strip() == printed


def test_a_shop_that_takes_transfers_must_say_where_to() -> None:
    told = _read_settings({"EMPORIUM_MODE": "production", "SHOP_OFFLINE_PAYMENT": "transfer"})

    assert "SHOP_OFFLINE_DETAILS is not set: say where the money goes" in told.stderr


def _read_settings(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", READ],
        cwd=shop_settings.BASE_DIR,
        env={
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": "postgres://nobody@localhost/nothing",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def shopper(db: None, simulator: Simulator) -> Shopper:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3))
    return shopper


def test_nobody_has_to_choose_for_the_card_is_chosen_already(shopper: Shopper) -> None:
    answer = shopper.place()

    assert answer.url.startswith("http")
    assert attempt_of(Order.objects.get()).provider == "stripe"


def test_a_form_that_says_nothing_of_payment_is_paid_by_card(shopper: Shopper) -> None:
    """As programs and pages from before the choice send it."""
    sent = shopper.fill()
    del sent["payment_method"]

    shopper.client.post("/checkout/", sent)

    assert attempt_of(Order.objects.get()).provider == "stripe"


def test_with_one_way_to_pay_there_is_nothing_to_choose(shopper: Shopper, settings: Any) -> None:
    settings.SHOP_OFFLINE_PAYMENT = "off"
    settings.PAYPAL_IS_ON = False

    page = shopper.open_checkout()

    assert "payment_method" not in read_form(page, "/checkout/")
    assert "How you pay" not in words_of(page)
    assert "Order and pay" not in words_of(page)
    assert shopper.place(page).status_code == 302
    assert attempt_of(Order.objects.get()).provider == "stripe"


@pytest.mark.parametrize("action", ["place", "update"])
def test_what_was_chosen_is_still_chosen_when_the_page_comes_back(
    shopper: Shopper, action: str
) -> None:
    typed = shopper.fill(payment_method="offline", email="wrong") | {"action": action}

    page = shopper.client.post("/checkout/", typed)

    assert page.status_code == 200
    assert read_form(page, "/checkout/")["payment_method"] == "offline"
    assert read_form(shopper.open_checkout(), "/checkout/")["payment_method"] == "offline"


def test_a_way_to_pay_that_is_offered_no_more_is_refused_and_nothing_is_ordered(
    shopper: Shopper, settings: Any
) -> None:
    page = shopper.open_checkout()
    settings.PAYPAL_IS_ON = True

    for method in ("cheque", "paypal\0"):
        answer = shopper.place(page, payment_method=method)
        assert "This way to pay is not offered any more. Choose another." in words_of(answer)

    assert not Order.objects.exists()
    assert not PaymentAttempt.objects.exists()


def test_a_draft_with_a_way_that_is_gone_falls_back_to_the_first(
    shopper: Shopper, settings: Any
) -> None:
    settings.PAYPAL_IS_ON = True
    shopper.client.post("/checkout/", shopper.fill(payment_method="paypal") | {"action": "update"})
    settings.PAYPAL_IS_ON = False

    assert read_form(shopper.open_checkout(), "/checkout/")["payment_method"] == "stripe"
