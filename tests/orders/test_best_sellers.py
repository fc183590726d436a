"""Best sellers are what was paid for lately, counted from the orders themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Category, Product
from catalog.services import popularity
from orders.models import Order
from orders.services import best_sellers, cancellation, payment
from orders.tasks import count_best_sellers
from payments.simulator.running import Simulator
from shop.clock import now
from shop.models import Change
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import BuyableProductFactory, CategoryFactory, VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import pay
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def cups(simulator: Simulator) -> Category:
    return CategoryFactory(slug="cups")


def make_product(cups: Category, title: str, **fields: Any) -> Product:
    return BuyableProductFactory(category=cups, title=title, **fields)


def sell(simulator: Simulator, *products: Product, pieces: int = 1) -> Order:
    """Have somebody buy and pay for so many of each product's first variant."""
    first = [product.variants.order_by("pk")[0] for product in products]
    return get_paid(simulator, place_order(*first, quantity=pieces))


def get_paid(simulator: Simulator, order: Order) -> Order:
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    order.refresh_from_db()
    assert order.status == Order.Status.PLACED
    return order


def popularities() -> dict[str, int]:
    return dict(Product.objects.values_list("title", "popularity"))


def announced() -> set[str]:
    return set(Change.objects.values_list("subject", flat=True))


def test_pieces_of_paid_orders_are_counted_over_all_variants(
    cups: Category, simulator: Simulator
) -> None:
    mug, bowl, _tray = (make_product(cups, title) for title in ("Mug", "Bowl", "Tray"))
    sell(simulator, mug, bowl, pieces=2)
    get_paid(simulator, place_order(VariantFactory(product=mug), quantity=3))
    place_order(bowl.variants.get())

    count_best_sellers()

    assert popularities() == {"Mug": 5, "Bowl": 2, "Tray": 0}


def test_what_was_cancelled_was_not_sold(cups: Category, simulator: Simulator) -> None:
    mug, bowl = make_product(cups, "Mug"), make_product(cups, "Bowl")
    cancelled = sell(simulator, mug, pieces=4)
    sell(simulator, bowl)
    cancellation.cancel(cancelled, by=StaffFactory(), reason="Broken")

    best_sellers.count()
    assert popularities() == {"Mug": 0, "Bowl": 1}

    deliver_outbox()
    best_sellers.count()
    assert popularities() == {"Mug": 0, "Bowl": 1}


def test_sent_back_money_takes_a_sale_away_and_a_part_of_it_does_not(
    cups: Category, simulator: Simulator
) -> None:
    mug, bowl = make_product(cups, "Mug"), make_product(cups, "Bowl")
    status = Order.PaymentStatus
    for product, now_is in ((mug, status.REFUNDED), (bowl, status.PARTIALLY_REFUNDED)):
        order = sell(simulator, product)
        Order.objects.filter(pk=order.pk).update(payment_status=now_is)

    assert best_sellers.count_pieces_sold() == {bowl.pk: 1}


def test_a_sale_is_forgotten_after_the_window(cups: Category, simulator: Simulator) -> None:
    mug, bowl = make_product(cups, "Mug"), make_product(cups, "Bowl")
    old, new = sell(simulator, mug, pieces=4), sell(simulator, bowl)
    best_sellers.count()
    assert popularities() == {"Mug": 4, "Bowl": 1}
    day = timedelta(days=1)
    for order, age in ((old, best_sellers.WINDOW + day), (new, best_sellers.WINDOW - day)):
        Order.objects.filter(pk=order.pk).update(paid_at=now() - age)

    best_sellers.count()

    assert popularities() == {"Mug": 0, "Bowl": 1}


def test_a_shop_that_sold_nothing_keeps_its_made_up_popularity(cups: Category) -> None:
    mug = make_product(cups, "Mug", popularity=70)
    place_order(mug.variants.get())

    assert best_sellers.count() == 0

    assert popularities() == {"Mug": 70}


def test_the_first_sale_ends_what_was_made_up(cups: Category, simulator: Simulator) -> None:
    mug = make_product(cups, "Mug", popularity=70)
    make_product(cups, "Bowl", popularity=90)
    sell(simulator, mug)

    assert best_sellers.count() == 2

    assert popularities() == {"Mug": 1, "Bowl": 0}


def test_only_what_changed_is_announced_and_a_second_run_writes_nothing(
    cups: Category, simulator: Simulator
) -> None:
    mug, bowl = make_product(cups, "Mug"), make_product(cups, "Bowl")
    sell(simulator, mug, bowl)
    best_sellers.count()
    sell(simulator, mug)
    Change.objects.all().delete()

    assert best_sellers.count() == 1
    assert announced() == {f"product:{mug.pk}"}

    Change.objects.all().delete()
    with CaptureQueriesContext(connection) as statements:
        assert best_sellers.count() == 0
    assert len(statements) == 2
    assert announced() == set()


def test_much_to_write_goes_in_batches_over_several_runs_and_sold_products_first(
    cups: Category, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        make_product(cups, f"Cup {number}", popularity=50)
    mug = make_product(cups, "Mug")
    sell(simulator, mug)
    monkeypatch.setattr(popularity, "BATCH", 2)
    monkeypatch.setattr(popularity, "MOST_PRODUCTS", 3)

    assert best_sellers.count() == 3
    assert popularities() == {"Cup 0": 0, "Cup 1": 0, "Cup 2": 50, "Cup 3": 50, "Mug": 1}

    assert best_sellers.count() == 2
    assert set(popularities().values()) == {0, 1}


def test_the_order_of_best_sellers_follows(
    client: Client, cups: Category, simulator: Simulator
) -> None:
    bowl, mug, _tray = (make_product(cups, title) for title in ("Bowl", "Mug", "Tray"))

    def listed() -> list[str]:
        cards = client.get("/categories/cups/?sort=best").context["listing"].cards
        return [card.title for card in cards]

    assert listed() == ["Tray", "Mug", "Bowl"]
    sell(simulator, mug, pieces=2)
    sell(simulator, bowl)

    best_sellers.count()

    assert listed() == ["Mug", "Bowl", "Tray"]
