"""What is found when shoppers write otherwise than the catalogue does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from catalog.models import Product, Synonym
from catalog.search.synonyms import read_synonyms
from catalog.search.vocabulary import Vocabulary
from catalog.services import indexing, vocabulary
from shop.services.changes import announce
from tests.catalog.test_search_page import find, sell
from tests.factories.catalog import VariantFactory


def page(client: Client, words: str) -> Any:
    return client.get("/search/", {"q": words}).context


def keep_synonym(words: str, means: str = "") -> None:
    Synonym.objects.create(words=words, means=means)
    with transaction.atomic():
        announce("synonyms")


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["tabel", "tble", "tabble", "taple", "TABEL", "oak tabel"])
def test_a_slip_shows_what_was_meant_at_once(client, typed: str) -> None:
    sell("Oak table")
    sell("Linen towel")

    context = page(client, typed)

    assert [card.title for card in context["listing"].cards] == ["Oak table"]
    assert context["wording"].looked_for == typed.lower().replace(
        typed.lower().split()[-1], "table"
    )


@pytest.mark.django_db
def test_the_words_as_typed_can_be_asked_for_all_the_same(client) -> None:
    sell("Oak table")

    context = page(client, "tabel")
    literal = client.get(context["wording"].literal_url).context

    assert context["wording"].literal_url == "/search/?q=%22tabel%22"
    assert (literal["listing"], literal["wording"].looked_for) == (None, "")


@pytest.mark.django_db
def test_of_two_words_that_are_as_near_the_one_that_goes_with_the_others_is_meant(client) -> None:
    for number in range(3):
        sell(f"Red lamp {number}")
    sell("Desk lamp for a camp")

    assert page(client, "desk lmap")["wording"].looked_for == "desk lamp"


@pytest.mark.django_db
def test_a_word_that_only_drafts_have_is_not_proposed(client) -> None:
    sell("Oak table", status=Product.Status.DRAFT)
    sell("Linen towel")

    context = page(client, "tabel")

    assert (context["listing"], context["wording"].looked_for) == (None, "")


@pytest.mark.django_db
def test_a_rare_word_that_is_nearly_a_common_one_is_asked_back(client) -> None:
    for number in range(12):
        sell(f"Table {number}")
    sell("Tabel, as grandmother wrote it")
    vocabulary.count()

    context = page(client, "tabel")

    assert [card.title for card in context["listing"].cards] == ["Tabel, as grandmother wrote it"]
    assert context["wording"].question == "table"


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["headset", "head set", "head-set", "HEAD SETS"])
@pytest.mark.parametrize("title", ["Headset", "Head set"])
def test_one_word_and_two_are_the_same(client, typed: str, title: str) -> None:
    sell(title)
    sell("Oak stool")

    assert find(client, typed) == [title]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed", ["TN-2110", "tn2110", "tn 2110", "TN.2110", "tn-21", "tn211", "toner tn-2110"]
)
@pytest.mark.parametrize("title", ["Toner TN-2110", "Toner TN2110", "Toner TN 2110"])
def test_part_numbers_are_found_however_they_are_written(client, typed: str, title: str) -> None:
    sell(title)
    sell("Toner TX-9900")

    assert find(client, typed)[:1] == [title]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["HAV-MUG-7/B", "havmug7b", "hav mug 7b", "HAV.MUG.7.B"])
def test_skus_are_found_however_they_are_written(client, typed: str) -> None:
    sell("Dune bowl", variant__sku="HAV-MUG-7/BX")
    sell("Dune mug", variant__sku="HAV-MUG-7/B")

    assert find(client, typed)[0] == "Dune mug"


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["4012345678901", "04012345678901", "4 012345 678901", "401234"])
def test_barcodes_are_found(client, typed: str) -> None:
    sell("Dune mug", variant__barcode="4012345678901")
    sell("Oak stool", variant__barcode="5012345678900")

    assert find(client, typed) == ["Dune mug"]


@pytest.mark.django_db
def test_the_sku_of_a_variant_off_sale_leads_nowhere(client) -> None:
    mug = sell("Dune mug")
    VariantFactory(product=mug, sku="OLD-77-Z", is_active=False)

    assert find(client, "OLD77Z") == []


@pytest.mark.django_db
def test_words_that_staff_keep_as_the_same_find_each_other(client) -> None:
    sell("Linen sofa")
    sell("Oak stool")
    assert find(client, "couch") == []

    keep_synonym("sofa, couch, settee")

    assert find(client, "couch") == find(client, "settees") == ["Linen sofa"]


@pytest.mark.django_db
def test_synonyms_of_several_words_and_of_one_direction(client) -> None:
    sell("Dishcloth")
    sell("Napkin")

    keep_synonym("tea towel", "dishcloth")

    assert find(client, "tea towel") == find(client, "striped tea towels") == ["Dishcloth"]
    assert find(client, "dishcloth") == ["Dishcloth"]


@pytest.mark.django_db
def test_what_is_in_stock_and_sells_comes_first_among_equals(client) -> None:
    sell("Mug one", popularity=50, variant__stock=0)
    sell("Mug two", popularity=1)
    sell("Mug three", popularity=90)

    assert find(client, "mug") == ["Mug three", "Mug two", "Mug one"]


@pytest.mark.django_db
def test_a_search_follows_what_changes(client) -> None:
    mug = sell("Dune mug")
    stool = sell("Oak stool")
    assert find(client, "mug") == ["Dune mug"]

    for product, title in ((mug, "Dune cup"), (stool, "Oak mug")):
        product.title = title
        product.save(update_fields=["title"])
        with transaction.atomic():
            indexing.reindex([product.pk])
            announce(f"product:{product.pk}")

    assert find(client, "mug") == ["Oak mug"]
    assert find(client, "cup") == ["Dune cup"]


@pytest.mark.django_db
def test_filters_count_all_that_is_found_and_narrow_it(client) -> None:
    for price in ("10", "20", "30"):
        sell(f"Mug {price}", variant__price=price)
    sell("Stool", variant__price="20")

    context = client.get("/search/?q=mug&price_min=15").context

    assert {card.title for card in context["listing"].cards} == {"Mug 20", "Mug 30"}
    assert context["total"] == 2


def test_lines_of_synonyms() -> None:
    rows = [("Sofa, couch", ""), ("tea towel", "dishcloth, cloth"), (" , ", ""), ("alone", "")]

    assert read_synonyms(rows) == {
        ("sofa",): [("couch",)],
        ("couch",): [("sofa",)],
        ("tea", "towel"): [("dishcloth",), ("cloth",)],
    }


def test_the_vocabulary_completes_and_corrects() -> None:
    counted = {"lamp": 9, "lampshade": 4, "lamps": 1, "stamp": 5, "tableware": 2}
    by_length: dict[int, list[str]] = {}
    for word in counted:
        by_length.setdefault(len(word), []).append(word)
    words = Vocabulary(sorted(counted), [counted[word] for word in sorted(counted)], by_length)

    assert words.completions("lam") == ["lamp", "lampshade", "lamps"]
    assert words.completions("lamp") == ["lampshade", "lamps"]
    assert words.closest("lamb")[0] == "lamp"
    assert words.closest("tbaelware") == ["tableware"]
    assert words.closest("lamp7") == words.closest("la") == words.closest("x" * 40) == []
    assert words.split("lampstamp") == ["lamp stamp"]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["tasse", "Tassen", "grüne tassen", "GRUNE TASSE", "teetassen"])
def test_a_german_shop_stems_german(client, settings, typed: str) -> None:
    settings.LANGUAGE_CODE = "de"
    sell("Grüne Tassen für Tee")
    sell("Tee Tassen grün")
    sell("Hocker")

    found = client.get("/en/search/", {"q": typed}).context["listing"]

    assert "Tee Tassen grün" in [card.title for card in found.cards]
    assert "Hocker" not in [card.title for card in found.cards]
