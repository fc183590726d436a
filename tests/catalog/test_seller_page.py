from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Seller
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import BuyableProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def havre() -> Seller:
    return SellerFactory(
        slug="havre", name="Havre", tagline="By the sea.", story="Five potters.", place="Bornholm"
    )


def test_story_and_own_products_newest_first(client, havre) -> None:
    BuyableProductFactory(seller=havre, title="Old mug")
    BuyableProductFactory(seller=havre, title="New mug")
    BuyableProductFactory(title="Somebody else's")

    context = client.get("/sellers/havre/").context

    assert [card.title for card in context["listing"].cards] == ["New mug", "Old mug"]
    assert context["listing"].total == 2
    seller = context["seller"]
    assert (seller.name, seller.tagline) == ("Havre", "By the sea.")
    assert (seller.story, seller.place) == ("Five potters.", "Bornholm")


def test_suspended_or_unknown_seller_is_not_found(client, havre) -> None:
    Seller.objects.update(status=Seller.Status.SUSPENDED)

    assert client.get("/sellers/havre/").status_code == 404
    assert client.get("/sellers/unknown/").status_code == 404


def test_seller_without_products_has_a_page(client, havre) -> None:
    response = client.get("/sellers/havre/")

    assert response.status_code == 200
    assert response.context["listing"].cards == []


def test_pages(client, havre) -> None:
    for number in range(25):
        BuyableProductFactory(seller=havre, title=f"Mug {number}")

    second = client.get("/sellers/havre/?page=2")

    assert [card.title for card in second.context["listing"].cards] == ["Mug 0"]
    assert second.context["listing"].pagination.previous_url == "/sellers/havre/"
    assert client.get("/sellers/havre/?page=3").status_code == 404
    assert client.get("/sellers/havre/?page=x").status_code == 200


@pytest.mark.parametrize("many", [1, 20])
def test_two_statements_whatever_the_rows(
    client, havre, django_assert_num_queries: Any, many: int
) -> None:
    for _number in range(many):
        ProductImageFactory(product=BuyableProductFactory(seller=havre))
    client.get("/sellers/havre/")

    with django_assert_num_queries(2):
        client.get("/sellers/havre/")


def test_much_work_can_be_narrowed_and_sorted_but_not_by_maker(client, havre) -> None:
    for number in range(25):
        BuyableProductFactory(seller=havre, title=f"Mug {number}", variant__price=100 - number)

    page = client.get("/sellers/havre/?sort=price&in_stock=1&maker=nobody")

    assert page.context["listing"].cards[0].title == "Mug 24"
    assert [facet.code for facet in page.context["listing"].facets] == ["in_stock"]
    assert [chip.label for chip in page.context["listing"].chips] == ["In stock"]


def test_a_small_shelf_needs_no_filters(client, havre) -> None:
    BuyableProductFactory(seller=havre)

    assert 'id="facets"' not in client.get("/sellers/havre/").content.decode()
