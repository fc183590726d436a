from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from catalog.models import Product
from catalog.search import postings
from catalog.search.text import configuration, fold
from catalog.services import indexing
from tests.catalog.test_category_page import GARBAGE
from tests.factories.catalog import (
    BuyableProductFactory,
    CategoryFactory,
    ProductImageFactory,
)


def find(client: Client, words: str, **more: str) -> list[str]:
    response = client.get("/search/", {"q": words, **more})
    assert response.status_code == 200
    listing = response.context["listing"]
    return [card.title for card in listing.cards] if listing else []


def sell(title: str, **fields: Any) -> Product:
    product = BuyableProductFactory(title=title, **fields)
    with transaction.atomic():
        indexing.reindex([product.pk])
    return product


@pytest.mark.django_db
@pytest.mark.parametrize(
    "words",
    ["mug", "Mugs", "MUG", "dune mu", "crème", "creme", "CRÈME dune", "mug, dune!", "dune-mug"],
)
def test_found_whatever_the_case_accents_endings_and_order(client, words: str) -> None:
    sell("Dune mug crème")
    sell("Oak stool")

    assert find(client, words) == ["Dune mug crème"]


@pytest.mark.django_db
def test_all_words_must_be_there(client) -> None:
    sell("Dune mug")
    sell("Dune bowl")

    page = client.get("/search/?q=dune bowl")

    assert [card.title for card in page.context["listing"].cards] == ["Dune bowl"]
    assert [card.title for card in page.context["nearby"]] == ["Dune mug"]
    assert page.context["total"] == 1


@pytest.mark.django_db
def test_when_no_product_has_all_words_those_with_most_are_shown_and_that_is_said(client) -> None:
    sell("Dune mug")
    sell("Oak stool")

    page = client.get("/search/?q=dune stool bowl")

    assert {card.title for card in page.context["listing"].cards} == {"Dune mug", "Oak stool"}
    assert "Nothing has all of these words" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["HAV-MUG-1", "hav-mug-1", " HAV-MUG-1 "])
def test_the_product_of_a_sku_comes_first(client, typed: str) -> None:
    sell("Dune mug", variant__sku="HAV-MUG-1")
    sell("Dune bowl", variant__sku="HAV-MUG-10", popularity=50)

    assert find(client, typed)[0] == "Dune mug"


@pytest.mark.django_db
def test_words_of_the_title_weigh_more_than_those_of_the_description(client) -> None:
    sell("Linen towel", description="<p>Hangs on a hook.</p>", popularity=50)
    sell("Oak hook")

    assert find(client, "hook") == ["Oak hook", "Linen towel"]


@pytest.mark.django_db
def test_results_can_be_sorted(client) -> None:
    sell("Mug dear", variant__price="30")
    sell("Mug cheap", variant__price="10")

    response = client.get("/search/?q=mug&sort=price")

    listing = response.context["listing"]
    assert [card.title for card in listing.cards] == ["Mug cheap", "Mug dear"]
    assert [(s.value, s.url, s.selected) for s in listing.sorts][:3] == [
        ("relevance", "/search/?q=mug", False),
        ("newest", "/search/?q=mug&sort=newest", False),
        ("price", "/search/?q=mug&sort=price", True),
    ]


@pytest.mark.django_db
def test_nothing_found_suggests_categories_people_buy_from(client) -> None:
    BuyableProductFactory(category=CategoryFactory(name="Cups", slug="cups"), popularity=1)
    BuyableProductFactory(category=CategoryFactory(name="Lamps", slug="lamps"), popularity=5)
    CategoryFactory(name="Empty")

    for query in ({}, {"q": "zzz"}):
        context = client.get("/search/", query).context
        assert [(s.label, s.url) for s in context["places"]] == [
            ("Lamps", "/categories/lamps/"),
            ("Cups", "/categories/cups/"),
        ]
        assert context["total"] == 0


@pytest.mark.django_db
def test_pages_of_results(client) -> None:
    for number in range(25):
        sell(f"Mug {number}")

    first = client.get("/search/?q=mug")

    listing = first.context["listing"]
    assert (len(listing.cards), first.context["total"]) == (24, 25)
    assert listing.pagination.next_url == "/search/?q=mug&page=2"
    assert find(client, "mug", page="2") != []
    assert client.get("/search/?q=mug&page=3").status_code == 404


@pytest.mark.django_db
def test_drafts_are_not_found(client) -> None:
    sell("Dune mug", variant__sku="HAV-1")
    Product.objects.update(status=Product.Status.DRAFT)

    assert find(client, "mug") == []
    assert find(client, "HAV-1") == []


@pytest.mark.django_db
@pytest.mark.parametrize("garbage", [*GARBAGE, "&", "!", "mug:*", "a'b", "((", "<->", "\\", "the"])
def test_garbage_is_searched_for_kindly(client, garbage: str) -> None:
    sell("Dune mug")

    for query in ({"q": garbage}, {"q": "mug", "sort": garbage}):
        response = client.get("/search/", query)
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("many", [1, 30])
def test_one_statement_whatever_the_rows(client, django_assert_num_queries: Any, many: int) -> None:
    for number in range(many):
        ProductImageFactory(product=sell(f"Mug {number}"))
    client.get("/search/?q=mug")

    with django_assert_num_queries(1):  # The cards.
        client.get("/search/?q=mug")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crème Brûlée", "creme brulee"),
        ("STRASSE Straße", "strasse strasse"),
        ("Øre ĳ ﬁne", "øre ij fine"),
        ("İstanbul", "istanbul"),
        ("日本 茶碗", "日本 茶碗"),
    ],
)
def test_fold(text: str, expected: str) -> None:
    assert fold(text) == expected


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "english"), ("de", "german"), ("de-at", "german")]
)
def test_stemmer_follows_the_language_of_the_shop(settings, language: str, expected: str) -> None:
    settings.LANGUAGE_CODE = language

    assert configuration() == expected


@pytest.mark.django_db
def test_a_word_that_very_many_have_finds_them_all_in_the_order_of_the_shop(
    client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "MOST_MARKED", 2)
    sell("Lamp", popularity=1)
    sell("Lamp for the desk", popularity=900)
    sell("Shade", description="<p>Goes on any lamp.</p>", popularity=20)
    sell("Towel")

    assert find(client, "lamp") == ["Lamp for the desk", "Shade", "Lamp"]
    assert find(client, "desk lamp") == ["Lamp for the desk"]

    sell("Lamp, new", popularity=2_000)
    assert find(client, "lamp")[0] == "Lamp, new"
