from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from catalog.models import SearchRecord
from catalog.services import searches
from shop.services.changes import announce
from tests.catalog.test_search_page import sell
from tests.factories.catalog import CategoryFactory


def suggest(client: Client, typed: str) -> Any:
    response = client.get("/search/suggestions/", {"q": typed})
    assert response.status_code == 200
    return response.context["suggestions"]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["mu", "Mug", "dune m", "DÜNE MUG"])
def test_products_are_offered_while_somebody_types(client, typed: str) -> None:
    sell("Dune mug")
    sell("Oak stool")

    assert [card.title for card in suggest(client, typed).cards] == ["Dune mug"]


@pytest.mark.django_db
def test_categories_are_offered_by_the_beginnings_of_their_words(client) -> None:
    lamps = CategoryFactory(name="Table lamps", slug="table-lamps")
    CategoryFactory(name="Lampshades of old, all sold", slug="empty")
    sell("Pilar", category=lamps)
    with transaction.atomic():
        announce("categories")

    for typed in ("lam", "table la"):
        places = suggest(client, typed).places
        assert [(place.label, place.url) for place in places] == [
            ("Table lamps", "/categories/table-lamps/")
        ]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["", "m", " ", "!?", "\x00"])
def test_a_single_letter_asks_nobody(client, django_assert_num_queries: Any, typed: str) -> None:
    sell("Mug")
    client.get("/search/suggestions/?q=mug")

    with django_assert_num_queries(0):
        response = client.get("/search/suggestions/", {"q": typed})

    assert response.content.strip() == b""


@pytest.mark.django_db
def test_all_that_is_found_is_one_link_away(client) -> None:
    for number in range(7):
        sell(f"Mug {number}")

    response = client.get("/search/suggestions/?q=mug")

    assert len(response.context["suggestions"].cards) == 5
    assert 'href="/search/?q=mug">Show 7 products' in response.content.decode()


@pytest.mark.django_db
def test_suggestions_are_the_same_for_everybody(client) -> None:
    response = client.get("/search/suggestions/?q=mug")

    assert response.headers["Cache-Control"].startswith("public")
    assert not response.cookies


@pytest.mark.django_db
def test_searches_are_recorded_with_what_they_found_once_a_day_and_words(client) -> None:
    sell("Dune mug")
    searches.write()
    SearchRecord.objects.all().delete()

    for path in ("?q=Mug", "?q=mug!", "?q=mug&sort=price&price_min=5", "?q=sofa", "?q=", "?q=%00"):
        client.get(f"/search/{path}")
    searches.write()
    client.get("/search/?q=sofa")
    searches.write()

    rows = SearchRecord.objects.order_by("words").values_list("words", "searches", "products")
    assert list(rows) == [("mug", 2, 1), ("sofa", 2, 0)]


@pytest.mark.django_db
def test_of_a_flood_of_made_up_words_so_many_are_written_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searches, "MOST_ROWS_A_DAY", 2)
    searches.write()
    SearchRecord.objects.all().delete()
    for typed in (["mug", "sofa"], ["asdf", "mug", "qwer"]):
        for words in typed:
            searches.note(words, 1)
        searches.write()

    rows = SearchRecord.objects.order_by("words").values_list("words", "searches")
    assert list(rows) == [("mug", 2), ("sofa", 1)]


@pytest.mark.django_db
def test_old_searches_are_forgotten() -> None:
    searches.write()
    SearchRecord.objects.all().delete()
    SearchRecord.objects.create(day="2020-01-01", words="mug")
    searches.note("sofa", 0)
    searches.write()

    assert searches.prune() == 1
    assert [row.words for row in SearchRecord.objects.all()] == ["sofa"]
