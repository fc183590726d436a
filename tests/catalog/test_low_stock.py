"""Sellers hear what runs low: once, all of it in one mail, and again only after there was enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import Product, ProductVariant, StockLevel
from catalog.queries.stock import low_levels
from catalog.services import low_stock, stock
from shop.models import Mail
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import ProductFactory, VariantFactory

pytestmark = [pytest.mark.django_db, pytest.mark.breaks_invariants]


@pytest.fixture
def vase() -> ProductVariant:
    """A vase of which five are left; the shop calls three or fewer low."""
    seller = SellerFactory(name="Havre", email="havre@example.com")
    product = ProductFactory(title="Vase", seller=seller)
    return VariantFactory(product=product, sku="VASE", stock=5)


def promise(variant: ProductVariant, pieces: int) -> None:
    with transaction.atomic():
        stock.allocate({variant.pk: pieces}, reference="E-1")


def put(variant: ProductVariant, pieces: int) -> None:
    with transaction.atomic():
        stock.adjust(variant, pieces, cause="received", actor=None)


def wait() -> None:
    """Let all that is low be low for a while."""
    StockLevel.objects.exclude(low_since=None).update(
        low_since=timezone.now() - timedelta(minutes=6)
    )


def tell() -> list[Mail]:
    before = set(Mail.objects.values_list("pk", flat=True))
    wait()
    low_stock.tell()
    return list(Mail.objects.exclude(pk__in=before).order_by("recipient"))


def test_seller_gets_one_mail_when_a_shelf_runs_low(vase: ProductVariant) -> None:
    promise(vase, 1)
    assert tell() == []

    promise(vase, 1)
    (mail,) = tell()

    assert (mail.kind, mail.recipient) == ("catalog.low_stock", "havre@example.com")
    assert mail.subject == "1 product is running low – Emporium"
    assert "Vase (VASE): 3 left" in mail.text
    assert "/admin/catalog/stocklevel/?left=low" in mail.text
    promise(vase, 1)
    assert tell() == []


def test_seller_hears_again_after_there_was_enough(vase: ProductVariant) -> None:
    promise(vase, 3)
    assert len(tell()) == 1
    put(vase, 1)
    assert tell() == []

    put(vase, 1)
    level = StockLevel.objects.get()
    assert (level.available, level.low_since, level.low_told_at) == (4, None, None)
    promise(vase, 2)

    assert len(tell()) == 1


def test_a_promise_taken_back_in_time_is_not_told(vase: ProductVariant) -> None:
    promise(vase, 4)
    with transaction.atomic():
        stock.release({vase.pk: 4}, reference="E-1")

    assert StockLevel.objects.get().low_since is None
    assert tell() == []


def test_one_mail_to_each_seller_the_fewest_pieces_first(vase: ProductVariant) -> None:
    bowl = VariantFactory(
        product=ProductFactory(title="Bowl", seller=vase.product.seller),
        sku="BOWL", label="Moss", stock=5,
    )  # fmt: skip
    other = VariantFactory(product__title="Spoon", stock=5)
    promise(vase, 2)
    promise(bowl, 5)
    promise(other, 4)

    havre, shop = tell()

    assert havre.subject == "2 products are running low – Emporium"
    assert havre.text.index("Bowl, Moss (BOWL): 0 left") < havre.text.index("Vase (VASE): 3 left")
    assert "Spoon" not in havre.text
    assert shop.recipient == "hello@emporium.example"
    assert "Spoon" in shop.text


def test_a_sale_of_a_moment_ago_waits_for_the_next_round(vase: ProductVariant) -> None:
    promise(vase, 3)

    assert low_stock.tell() == 0
    wait()
    assert low_stock.tell() == 1
    assert low_stock.tell() == 0


def test_counting_fewer_pieces_tells_too_but_the_first_count_does_not(vase: ProductVariant) -> None:
    VariantFactory(product=vase.product, stock=1)
    assert tell() == []

    stock.set_on_hand(vase, 2, actor=None, reason="broken")

    (mail,) = tell()
    assert "Vase (VASE): 2 left" in mail.text


@pytest.mark.parametrize(("mark", "is_low"), [(None, True), (2, False), (0, False), (3, True)])
def test_a_variants_own_mark_counts_before_the_shops(
    vase: ProductVariant, mark: int | None, is_low: bool
) -> None:
    vase.low_stock_at = mark
    vase.save()

    promise(vase, 2)

    assert low_levels().exists() is is_low
    assert len(tell()) == is_low


def test_the_shop_decides_what_is_low(vase: ProductVariant, settings: Any) -> None:
    settings.SHOP_LOW_STOCK = 4

    promise(vase, 1)

    assert len(tell()) == 1


def test_what_is_not_on_sale_runs_out_in_silence(vase: ProductVariant) -> None:
    promise(vase, 4)
    Product.objects.update(status=Product.Status.DRAFT)

    assert tell() == []


def test_sold_pieces_that_were_promised_before_change_nothing(vase: ProductVariant) -> None:
    promise(vase, 3)
    tell()

    with transaction.atomic():
        stock.sell({vase.pk: 3}, reference="E-1")

    assert StockLevel.objects.get().low_told_at is not None
    assert tell() == []
