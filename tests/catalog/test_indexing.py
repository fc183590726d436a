from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.contrib.postgres.search import SearchQuery
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from accounts.services.sellers import save_seller
from catalog.models import Category, Product, Word
from catalog.records import AttributeRecord, CategoryStep
from catalog.search.stems import to_keys
from catalog.search.text import fold
from catalog.services import categories, indexing, publishing, vocabulary
from tests.catalog.records import FIRST_COUNT, mug, vase
from tests.catalog.rows import fingerprint
from tests.factories.accounts import SellerFactory
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db


def find(text: str, weights: str = "ABCD") -> list[str]:
    (key,) = to_keys([fold(text)]).values()
    query = SearchQuery(f"{key}:{weights}", config="simple", search_type="raw")
    return list(Product.objects.filter(search=query).values_list("slug", flat=True))


@pytest.fixture(autouse=True)
def _two_products() -> None:
    seller = SellerFactory(name="Havre Stengods")
    moss, ink = mug().variants
    cup = mug(
        variants=(replace(moss, barcode="4012345678901"), ink),
        description="<p>Keeps coffee warm.</p>",
        tags=("breakfast",),
        category=(CategoryStep("table", "Table & kitchen"), CategoryStep("cups", "Cups")),
        attributes=(AttributeRecord("Material", ("Stoneware",)),),
    )
    publishing.save_product(cup, seller=seller, stock_taking=FIRST_COUNT)
    creme = vase(title="Crème vase")
    publishing.save_product(creme, seller=seller, stock_taking=FIRST_COUNT)


@pytest.mark.parametrize(
    ("words", "weight"),
    [
        ("dune", "A"),
        ("mugs", "A"),
        ("havre", "B"),
        ("breakfast", "B"),
        ("kitchen", "B"),
        ("moss", "B"),
        ("ink", "B"),
        ("4012345678901", "B"),
        ("stoneware", "C"),
        ("coffee", "D"),
    ],
)
def test_product_is_found_by_what_it_says_where_it_says_it(words: str, weight: str) -> None:
    assert "dune-mug" in find(words, weight)


def test_accents_do_not_matter() -> None:
    assert find("creme") == find("CRÈME") == ["knop-vase"]


def test_changed_words_are_found_at_once_and_old_ones_no_longer() -> None:
    seller = Product.objects.get(slug="knop-vase").seller

    publishing.save_product(vase(title="Jug"), seller=seller, stock_taking=FIRST_COUNT)

    assert find("jug") == ["knop-vase"]
    assert find("creme") == []


def test_indexing_again_writes_no_row() -> None:
    before = fingerprint("catalog")

    with transaction.atomic():
        changed = indexing.reindex(list(Product.objects.values_list("pk", flat=True)))

    assert changed == 0
    assert fingerprint("catalog") == before


def test_every_product_can_be_indexed_anew() -> None:
    Product.objects.update(search=None)
    told = StringIO()

    call_command("reindex_products", stdout=told)
    call_command("reindex_products", stdout=told)

    assert find("dune") == ["dune-mug"]
    assert "2 of 2 products" in told.getvalue()
    assert "2 products were written anew" in told.getvalue()
    assert "0 products were written anew" in told.getvalue()


@pytest.mark.parametrize("code", ["tn2110", "gx7a"])
def test_a_part_number_is_found_without_its_dashes_too(code: str) -> None:
    seller = Product.objects.get(slug="knop-vase").seller

    publishing.save_product(
        vase(title="Vase TN-2110, GX.7/a"), seller=seller, stock_taking=FIRST_COUNT
    )

    assert find(code, "A") == ["knop-vase"]


def test_words_are_learnt_with_their_stems_but_neither_numbers_nor_descriptions() -> None:
    words = dict(Word.objects.values_list("word", "lexeme"))

    assert words.items() >= {"mug": "mug", "cups": "cup", "stoneware": "stonewar"}.items()
    assert not {"coffee", "4012345678901", "and"} & words.keys()


def test_words_are_counted_and_those_of_no_product_forgotten() -> None:
    Word.objects.create(word="gone", lexeme="gone", products=5)

    vocabulary.count()

    counts = dict(Word.objects.values_list("word", "products"))
    assert (counts["havre"], counts["creme"]) == (2, 1)
    assert "gone" not in counts


def test_a_word_that_is_learnt_while_words_are_counted_is_not_forgotten() -> None:
    def learn_meanwhile(execute: Any, sql: str, *args: Any) -> Any:
        answer = execute(sql, *args)
        if "CREATE TEMPORARY TABLE" in sql:
            Word.objects.create(word="new", lexeme="new")
        return answer

    with connection.execute_wrapper(learn_meanwhile):
        vocabulary.count()

    assert Word.objects.filter(word="new").exists()


def name_the_category_anew(cup: Product, staff: Client) -> None:
    above = Category.objects.get(path="table")
    above.name = "Dining"
    categories.save(above)


def name_the_maker_anew(cup: Product, staff: Client) -> None:
    save_seller(cup.seller.slug, name="Northern Clay", country=cup.seller.country)


def name_the_attribute_anew(cup: Product, staff: Client) -> None:
    page = f"/admin/catalog/attribute/{cup.attribute_values.get().attribute_id}/change/"
    fields = staff.get(page).context["adminform"].form.initial
    staff.post(page, {**fields, "name": "Substance", "is_filter": "on"})


@pytest.mark.parametrize(
    ("name_anew", "new_word"),
    [
        (name_the_category_anew, "dining"),
        (name_the_maker_anew, "northern"),
        (name_the_attribute_anew, "substance"),
    ],
)
def test_a_product_is_found_by_a_new_name_of_what_it_belongs_to(
    admin_client: Client, name_anew: Callable[[Product, Client], None], new_word: str
) -> None:
    cup = Product.objects.get(slug="dune-mug")
    assert "dune-mug" not in find(new_word)

    name_anew(cup, admin_client)
    deliver_outbox()

    assert "dune-mug" in find(new_word)


def test_a_product_is_not_found_by_the_old_name_of_its_category(admin_client: Client) -> None:
    name_the_category_anew(Product.objects.get(slug="dune-mug"), admin_client)
    deliver_outbox()

    assert find("kitchen") == []
