"""At night the shop forgets what is past its time, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from allauth.usersessions.models import UserSession
from celery import current_app
from django.conf import settings
from django.utils import timezone

from accounts.models import DataCopy
from accounts.services import retention
from cart.models import Cart
from cart.services import people as cart_people
from catalog.models import Purchase, SearchRecord
from catalog.services import searches
from config.books import YEARS_OF_BOOKS
from orders.models import Order
from orders.services import cancellation
from orders.services import people as order_people
from payments.models import ProviderEvent
from payments.services import people as payment_people
from shop.clock import now
from shop.models import Mail
from shop.services import forgetting
from tests.accounts.canary import _new_session, let_time_pass
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_cart, place_order

pytestmark = pytest.mark.django_db


def ago(**time: float) -> datetime:
    return now() - timedelta(**time)


def test_every_night_each_floor_forgets() -> None:
    planned = {each["task"]: each["schedule"] for each in current_app.conf.beat_schedule.values()}

    for app in ("accounts", "cart", "payments", "orders"):
        assert planned[f"{app}.forget_old"] == 86_400.0


def test_carts_go_when_nobody_came_back_to_them() -> None:
    person, variant = UserFactory(), VariantFactory(stock=50)
    carts = {}
    for name, user, days, is_closed in (
        ("guest's, new", None, 44, False), ("guest's, old", None, 46, False),
        ("own, new", person, 364, False), ("own, old", UserFactory(), 366, False),
        ("ordered, new", None, 89, True), ("ordered, old", person, 91, True),
    ):  # fmt: skip
        cart = make_cart(variant)
        Cart.objects.filter(pk=cart.pk).update(
            user=user, updated_at=ago(days=days), closed_at=ago(days=days) if is_closed else None
        )
        carts[cart.pk] = name

    cart_people.forget_old()

    left = {carts[pk] for pk in Cart.objects.values_list("pk", flat=True)}
    assert left == {"guest's, new", "own, new", "ordered, new"}


def test_searches_go(settings: Any) -> None:
    settings.RETENTION_SEARCH_DAYS = 10
    for days in (9, 11):
        SearchRecord.objects.create(day=ago(days=days).date(), words=f"after {days}", searches=1)

    searches.prune()

    assert SearchRecord.objects.get().words == "after 9"


def test_the_words_of_mails_go_and_that_there_was_one_stays() -> None:
    for days in (179, 181):
        Mail.objects.create(
            kind="test", reference=f"{days}", recipient="ada@example.com", subject="Hi Ada",
            text="Ada", html="Ada", sent_at=ago(days=days),
        )  # fmt: skip
    Mail.objects.create(kind="test", reference="stuck", recipient="a@example.com", text="Ada")
    Mail.objects.update(created_at=ago(days=400))

    retention.forget_old()

    assert sorted(Mail.objects.exclude(recipient="").values_list("reference", flat=True)) == [
        "179", "stuck"
    ]  # fmt: skip
    old = Mail.objects.get(reference="181")
    assert (old.subject, old.text, old.html) == ("", "", "")


def test_sign_ins_go_with_their_session_and_copies_when_they_lapse() -> None:
    person = UserFactory()
    live = _new_session({"a": 1})
    for key in (live.session_key, "gone"):
        UserSession.objects.create(user=person, ip="203.0.113.1", user_agent="", session_key=key)
    copies = [
        DataCopy.objects.create(
            user=person, language="en", ready_at=now(), lapses_at=ago(days=days)
        )
        for days in (-1, 1)
    ]

    retention.forget_old()

    assert UserSession.objects.get().session_key == live.session_key
    assert DataCopy.objects.get() == copies[0]


def test_providers_words_go_and_what_came_of_them_stays() -> None:
    for number, received, is_done in (("new", 89, True), ("old", 91, True), ("stuck", 91, False)):
        ProviderEvent.objects.create(
            provider="stripe", event_id=number, type="charge.updated", payload={"email": "a@b.c"},
            processed_at=now() if is_done else None, outcome="done" if is_done else "",
        )  # fmt: skip
        ProviderEvent.objects.filter(event_id=number).update(received_at=ago(days=received))

    payment_people.forget_old()

    kept = ProviderEvent.objects.filter(payload__email="a@b.c").values_list("event_id", flat=True)
    assert sorted(kept) == ["new", "stuck"]
    assert ProviderEvent.objects.get(event_id="old").outcome == "done"


def test_an_order_that_was_never_paid_forgets_its_address_after_a_month() -> None:
    orders = {}
    for name, days in (("new", 29), ("old", 31)):
        order = place_order(VariantFactory(stock=1), user=UserFactory())
        cancellation.cancel_unpaid(order, by=None)
        let_time_pass(order, days=days)
        orders[name] = order
    waiting = place_order(VariantFactory(stock=1))
    total = orders["old"].total

    order_people.forget_old()

    assert list(Order.objects.filter(forgotten_at__isnull=False)) == [orders["old"]]
    old = Order.objects.get(pk=orders["old"].pk)
    address = old.addresses.get()
    assert (old.email, old.user, old.total) == ("", None, total)
    assert (address.name, address.street, address.city, address.country) == ("", "", "", "DE")
    assert Order.objects.get(pk=orders["new"].pk).addresses.get().street
    assert waiting.addresses.get().street


def test_a_paid_order_is_remembered_to_the_end_of_the_laws_time_counted_from_its_year(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    orders = {}
    for year, month, day in ((2015, 12, 31), (2016, 1, 1)):
        order = place_order(VariantFactory(stock=1))
        cancellation.cancel_unpaid(order, by=None)
        Order.objects.filter(pk=order.pk).update(
            created_at=datetime(year, month, day, 12, tzinfo=berlin), closed_at=None
        )
        Purchase.objects.create(
            product=VariantFactory().product, email="ada@example.com", order_number=order.number,
            bought_at=now(),
        )  # fmt: skip
        orders[year] = order
    monkeypatch.setattr(order_people, "now", lambda: datetime(2026, 11, 22, tzinfo=berlin))
    assert settings.RETENTION_ORDER_YEARS == YEARS_OF_BOOKS["DE"] == 10

    order_people.forget_old()

    assert list(Order.objects.filter(forgotten_at__isnull=False)) == [orders[2015]]
    assert orders[2015].addresses.get().name == ""
    assert orders[2016].addresses.get().name == "Ada Lovelace"
    assert Purchase.objects.get().order_number == orders[2016].number


def test_it_goes_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    for number in range(5):
        SearchRecord.objects.create(day=timezone.localdate(), words=str(number), searches=1)
    batches = []

    forgetting.in_batches(
        SearchRecord.objects.all(), lambda rows: batches.append(len(rows)) or rows.delete()[0]
    )

    assert batches == [2, 2, 1]
