"""What is bought together is counted from paid orders, and recommended on product pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import BoughtTogether, Product
from catalog.services import bought_together as writing
from orders.models import Order
from orders.services import bought_together
from orders.tasks import count_bought_together
from shop.clock import now
from shop.models import Change
from tests.factories.catalog import BuyableProductFactory, VariantFactory
from tests.factories.orders import place_order

pytestmark = pytest.mark.django_db


def make(*titles: str) -> list[Product]:
    return [BuyableProductFactory(title=title, slug=title.lower()) for title in titles]


def sell(*products: Product, times: int = 1, days_ago: int = 1) -> None:
    """Have so many people buy one of each, and pay."""
    for _ in range(times):
        order = place_order(*(product.variants.order_by("pk")[0] for product in products))
        Order.objects.filter(pk=order.pk).update(
            payment_status=Order.PaymentStatus.PAID, status=Order.Status.PLACED,
            paid_at=now() - timedelta(days=days_ago),
        )  # fmt: skip


def companions(product: Product) -> list[tuple[str, int]]:
    return list(product.companions.order_by("-orders", "id").values_list("other__title", "orders"))


def shown(client: Client, product: Product) -> list[str]:
    page = client.get(f"/products/{product.slug}/").context["product"]
    return [card.title for card in page.bought_together]


@pytest.mark.breaks_invariants
class TestCounting:
    """The orders here are said to be paid, without the money that a real one would have."""

    def test_what_lay_together_in_two_paid_orders_is_recommended_both_ways(
        self, client: Client
    ) -> None:
        mug, bowl, tray = make("Mug", "Bowl", "Tray")
        sell(mug, bowl, times=2)
        sell(mug, tray)

        count_bought_together()

        assert companions(mug) == [("Bowl", 2)]
        assert companions(bowl) == [("Mug", 2)]
        assert companions(tray) == []
        assert shown(client, mug) == ["Bowl"]
        assert "Often bought with it" in client.get("/products/mug/").text
        assert "Often bought with it" not in client.get("/products/tray/").text

    def test_the_most_frequent_comes_first_and_of_equals_the_latest(self) -> None:
        mug, bowl, tray, vase = make("Mug", "Bowl", "Tray", "Vase")
        sell(mug, bowl, times=2)
        sell(mug, tray, times=2)
        sell(mug, vase, times=3)

        bought_together.count()

        assert companions(mug) == [("Vase", 3), ("Tray", 2), ("Bowl", 2)]

    def test_two_variants_of_one_product_are_no_pair(self) -> None:
        (mug,) = make("Mug")
        other = VariantFactory(product=mug)
        for _ in range(2):
            order = place_order(mug.variants.order_by("pk")[0], other)
            Order.objects.filter(pk=order.pk).update(
                payment_status=Order.PaymentStatus.PAID, status=Order.Status.PLACED, paid_at=now()
            )

        assert bought_together.count_companions() == {}

    def test_unpaid_old_and_very_large_orders_say_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mug, bowl, tray = make("Mug", "Bowl", "Tray")
        sell(mug, bowl, times=2, days_ago=366)
        for _ in range(2):
            place_order(mug.variants.get(), bowl.variants.get())
        sell(mug, bowl, tray, times=2)
        monkeypatch.setattr(bought_together, "MOST_PRODUCTS", 2)

        assert bought_together.count_companions() == {}

    def test_a_second_run_writes_and_announces_nothing(self) -> None:
        mug, bowl = make("Mug", "Bowl")
        sell(mug, bowl, times=2)
        assert bought_together.count() == 2
        Change.objects.all().delete()

        with CaptureQueriesContext(connection) as statements:
            assert bought_together.count() == 0

        assert not Change.objects.exists()
        assert not [each for each in statements if each["sql"].startswith(("INSERT", "DELETE"))]

    def test_a_higher_number_alone_is_no_news_for_the_page(self) -> None:
        mug, bowl = make("Mug", "Bowl")
        sell(mug, bowl, times=2)
        bought_together.count()
        Change.objects.all().delete()
        sell(mug, bowl)

        assert bought_together.count() == 2

        assert companions(mug) == [("Bowl", 3)]
        assert not Change.objects.filter(subject=f"product:{mug.pk}").exists()


def test_what_is_no_longer_bought_together_is_forgotten() -> None:
    mug, bowl = make("Mug", "Bowl")
    writing.set_companions({mug.pk: [(bowl.pk, 5)]})
    Change.objects.all().delete()

    assert writing.set_companions({}) == 1

    assert not BoughtTogether.objects.exists()
    assert [change.subject for change in Change.objects.all()] == [f"product:{mug.pk}"]


def test_only_the_best_are_kept_and_those_that_are_still_there() -> None:
    mug, *others = make(*"abcdefghij")
    gone = 999_999_999

    writing.set_companions({mug.pk: [(gone, 99), *((other.pk, 50) for other in others)]})

    assert len(companions(mug)) == writing.MOST_COMPANIONS - 1


def test_the_page_shows_four_that_are_for_sale_and_none_of_them_twice(client: Client) -> None:
    mug, *others = make(*"abcdefgh")
    writing.set_companions({mug.pk: [(other.pk, 9) for other in others]})
    Product.objects.filter(title="b").update(status=Product.Status.DRAFT)

    assert shown(client, mug) == ["c", "d", "e", "f"]
