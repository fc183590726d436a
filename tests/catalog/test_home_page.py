from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Seller
from catalog.models import Product
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import (
    BuyableProductFactory,
    CategoryFactory,
    ImageAssetFactory,
    ProductImageFactory,
)

pytestmark = pytest.mark.django_db


def test_new_things_come_first_and_best_sellers_are_others(client) -> None:
    for number in range(10):
        BuyableProductFactory(title=f"Mug {number}", popularity=100 - number)

    context = client.get("/").context

    assert [card.title for card in context["new_products"]] == [
        f"Mug {number}" for number in range(9, 4, -1)
    ]
    assert [card.title for card in context["best_products"]] == [
        f"Mug {number}" for number in range(5)
    ]


def test_upper_categories_are_shown_with_their_pictures(client) -> None:
    table = CategoryFactory(name="Table", slug="table", position=2, image=ImageAssetFactory())
    CategoryFactory(name="Bath", slug="bath", position=1)
    CategoryFactory(name="Cups", slug="cups", parent=table)

    categories = client.get("/").context["categories"]

    assert [(c.name, c.url, c.picture and c.picture.alt) for c in categories] == [
        ("Bath", "/categories/bath/", None),
        ("Table", "/categories/table/", "Table"),
    ]


def test_only_sellers_with_something_for_sale_are_introduced(client) -> None:
    BuyableProductFactory(seller=SellerFactory(name="Havre", slug="havre", place="Bornholm"))
    SellerFactory(name="Nothing yet")
    BuyableProductFactory(seller=SellerFactory(status=Seller.Status.SUSPENDED))

    sellers = client.get("/").context["sellers"]

    assert [(s.name, s.url, s.place) for s in sellers] == [("Havre", "/sellers/havre/", "Bornholm")]


def test_a_maker_is_shown_by_the_last_picture_of_their_newest_work(client) -> None:
    seller = SellerFactory()
    old = BuyableProductFactory(seller=seller)
    new = BuyableProductFactory(seller=seller, title="Dune mug")
    ProductImageFactory(product=old, alt="Old")
    ProductImageFactory(product=new, position=0, alt="From afar")
    ProductImageFactory(product=new, position=1, alt="")
    BuyableProductFactory(seller=SellerFactory(name="Without pictures"))

    sellers = {seller.name: seller.picture for seller in client.get("/").context["sellers"]}

    assert sellers[seller.name].alt == "Dune mug"
    assert sellers["Without pictures"] is None


def test_the_shop_introduces_itself_in_its_own_words(client, settings) -> None:
    settings.SHOP_INTRODUCTION = "Chosen in Bremen since 1974."

    assert "Chosen in Bremen since 1974." in client.get("/").content.decode()


def test_a_logo_takes_the_place_of_the_name_and_bears_it(client, settings) -> None:
    settings.SHOP_LOGO, settings.SHOP_NAME = "favicon/favicon.svg", "Maison"

    page = client.get("/").content.decode()

    assert 'src="/static/favicon/favicon.svg" alt="Maison"' in page


def test_an_empty_shop_has_a_front_page(client) -> None:
    response = client.get("/")

    assert response.status_code == 200
    assert response.context["new_products"] == []
    assert response.context["hero_picture"].src == "/static/images/hero-1400.jpg"


def test_drafts_are_not_announced(client) -> None:
    BuyableProductFactory()
    Product.objects.update(status=Product.Status.DRAFT)

    context = client.get("/").context

    assert (context["new_products"], context["best_products"]) == ([], [])


@pytest.mark.parametrize("many", [1, 20])
def test_six_statements_whatever_the_rows(
    client, django_assert_num_queries: Any, many: int
) -> None:
    for _number in range(many):
        ProductImageFactory(product=BuyableProductFactory(category=CategoryFactory()))
    client.get("/")

    with django_assert_num_queries(6):
        client.get("/")
