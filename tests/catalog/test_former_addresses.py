"""Old addresses lead on: in one step, for good, to where the thing is now."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Seller
from catalog.models import Category, Collection, Product
from catalog.services import categories
from shop.models import FormerAddress, Page
from shop.services import content
from tests.admin_forms import address, errors, sign_in, submit
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import BuyableProductFactory, CategoryFactory

pytestmark = pytest.mark.django_db


def rename(product: Product, slug: str) -> None:
    answer = submit(sign_in(), address("catalog_product", "change", product.pk), slug=slug)
    assert answer.status_code == 302, errors(answer)


def ask(path: str) -> tuple[int, str]:
    answer = Client().get(path)
    return answer.status_code, answer.headers.get("Location", "")


def test_old_name_of_a_product_leads_to_the_new_one_with_variant_and_query() -> None:
    product = BuyableProductFactory(slug="mug")

    rename(product, "dune-mug")

    assert ask("/products/mug/") == (301, "/products/dune-mug/")
    assert ask("/products/mug/?variant=A%2FB&utm_source=news") == (
        301,
        "/products/dune-mug/?variant=A%2FB&utm_source=news",
    )
    assert ask("/de/products/mug/") == (301, "/de/products/dune-mug/")
    assert ask("/products/dune-mug/") == (200, "")


def test_several_new_names_are_still_one_step() -> None:
    product = BuyableProductFactory(slug="one")

    for slug in ("two", "three", "four"):
        rename(product, slug)

    assert [ask(f"/products/{slug}/") for slug in ("one", "two", "three")] == [
        (301, "/products/four/")
    ] * 3


def test_a_name_taken_back_is_no_former_one_any_more() -> None:
    product = BuyableProductFactory(slug="one")

    rename(product, "two")
    rename(product, "one")

    assert ask("/products/one/") == (200, "")
    assert ask("/products/two/") == (301, "/products/one/")
    assert list(FormerAddress.objects.values_list("path", flat=True)) == ["two"]


def test_a_new_product_takes_an_old_name_over() -> None:
    first = BuyableProductFactory(slug="mug")
    rename(first, "old-mug")
    second = BuyableProductFactory(slug="mug", status=Product.Status.DRAFT, published_at=None)

    assert ask("/products/mug/") == (301, "/products/old-mug/")

    Product.objects.filter(pk=second.pk).update(status="active", published_at="2026-03-01T09:00Z")
    assert ask("/products/mug/") == (200, "")

    Product.objects.filter(pk=second.pk).update(status="archived")
    assert ask("/products/mug/") == (404, "")

    rename(Product.objects.get(pk=second.pk), "new-mug")
    Product.objects.filter(pk=second.pk).update(status="active")
    assert ask("/products/mug/") == (301, "/products/new-mug/")


def test_what_is_not_for_sale_is_not_led_to() -> None:
    product = BuyableProductFactory(slug="mug")
    rename(product, "dune-mug")

    Product.objects.update(status=Product.Status.ARCHIVED)
    assert ask("/products/mug/") == (404, "")

    assert ask("/products/never-was/") == (404, "")


def test_saving_a_product_under_its_name_remembers_nothing() -> None:
    product = BuyableProductFactory(slug="mug")

    answer = submit(sign_in(), address("catalog_product", "change", product.pk), title="Mug")

    assert answer.status_code == 302, errors(answer)
    assert not FormerAddress.objects.exists()


def test_moving_a_category_takes_all_below_it_along() -> None:
    table = CategoryFactory(slug="table")
    cups = CategoryFactory(slug="cups", parent=table)
    CategoryFactory(slug="small", parent=cups)
    kitchen = CategoryFactory(slug="kitchen")

    cups.parent, cups.slug = kitchen, "mugs"
    categories.save(cups)

    assert ask("/categories/table/cups/?page=2") == (301, "/categories/kitchen/mugs/?page=2")
    assert ask("/categories/table/cups/small/") == (301, "/categories/kitchen/mugs/small/")
    assert ask("/categories/table/") == (200, "")
    assert Category.objects.get(slug="small").path == "kitchen/mugs/small"


def test_a_page_of_a_category_that_is_not_there_is_not_found_and_leads_nowhere() -> None:
    category = CategoryFactory(slug="table")
    FormerAddress.objects.create(kind="category", path="table", target_id=category.pk)

    assert ask("/categories/table/?page=99") == (404, "")


@pytest.mark.parametrize("path", ["a\0b", "x" * 700, "../a", "a//b"])
def test_paths_that_no_category_can_have_are_not_looked_up(path: str) -> None:
    assert Client().get(f"/categories/{path}/").status_code == 404


def test_makers_collections_and_content_pages_move_too() -> None:
    gifts = Collection.objects.create(slug="gifts", name="Gifts")
    answer = submit(
        sign_in(), address("catalog_collection", "change", gifts.pk), slug="presents", kind="hand"
    )
    assert answer.status_code == 302, errors(answer)
    assert ask("/collections/gifts/?sort=price") == (301, "/collections/presents/?sort=price")
    seller = SellerFactory(slug="havre")
    page = Page.objects.create(slug="delivery", title="Delivery", body="<p>By post.</p>")

    answer = submit(sign_in(), address("accounts_seller", "change", seller.pk), slug="haven")
    page.slug = "shipping"
    with transaction.atomic():
        content.save_page(page)

    assert answer.status_code == 302, errors(answer)
    assert ask("/sellers/havre/") == (301, "/sellers/haven/")
    assert ask("/pages/delivery/") == (301, "/pages/shipping/")
    Seller.objects.update(status=Seller.Status.SUSPENDED)
    assert ask("/sellers/havre/") == (404, "")


def test_no_cache_keeps_the_step_for_ever(settings: Any) -> None:
    product = BuyableProductFactory(slug="mug")
    rename(product, "dune-mug")

    answer = Client().get("/products/mug/")

    assert answer.headers["Cache-Control"] == (
        "public, max-age=0, s-maxage=1, stale-while-revalidate=1"
    )
    assert not answer.cookies
