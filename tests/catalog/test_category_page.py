from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Seller
from catalog.index.tallying import tally
from catalog.models import Attribute, Category, Product
from catalog.queries import listing
from catalog.services import summaries
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import (
    AttributeFactory,
    AttributeValueFactory,
    BuyableProductFactory,
    CategoryFactory,
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
    ProductImageFactory,
    ReviewFactory,
    VariantFactory,
)

pytestmark = pytest.mark.django_db

GARBAGE = [
    "NaN",
    "Infinity",
    "1e9",
    "-1",
    "٣",
    "99999999999999999999",
    "9" * 70,
    "1e1000",
    "' OR 1=1 --",
    "\x00",
    "%00",
    "\ud7ff\U0010ffff",
    "<script>alert(1)</script>",
    "x" * 10_000,
]


@pytest.fixture
def cups() -> Category:
    return CategoryFactory(name="Cups", slug="cups")


def sell(category: Category, title: str, *, price: str = "24.00", stock: int = 5, **facts: str):
    product = BuyableProductFactory(
        category=category, title=title, variant__price=Decimal(price), variant__stock=stock
    )
    for code, text in facts.items():
        AttributeValueFactory(product=product, attribute=AttributeFactory(code=code), text=text)
    return product


def titles(client: Client, query: str = "", path: str = "cups") -> list[str]:
    response = client.get(f"/categories/{path}/{query}")
    assert response.status_code == 200
    return [card.title for card in response.context["listing"].cards]


def counts(client: Client, query: str = "") -> dict[str, dict[str, int]]:
    facets = client.get(f"/categories/cups/{query}").context["listing"].facets
    return {facet.code: {o.label: o.count for o in facet.options} for facet in facets}


def test_newest_come_first_and_those_below_are_shown_too(client, cups) -> None:
    below = CategoryFactory(parent=cups, slug="espresso")
    elsewhere = CategoryFactory(slug="cups-and-more")
    sell(cups, "Old mug")
    sell(below, "New espresso cup")
    sell(elsewhere, "Stool")

    found = titles(client)

    assert found == ["New espresso cup", "Old mug"]


def test_underscore_in_a_slug_is_no_wildcard(client) -> None:
    tall = CategoryFactory(slug="a_b")
    sell(CategoryFactory(slug="c", parent=CategoryFactory(slug="axb")), "Other")
    sell(tall, "Own")

    found = titles(client, path="a_b")

    assert found == ["Own"]


def test_drafts_archived_suspended_and_unpriced_are_hidden(client, cups) -> None:
    sell(cups, "Draft")
    sell(cups, "Archived")
    suspended = SellerFactory(status=Seller.Status.SUSPENDED)
    BuyableProductFactory(category=cups, seller=suspended)
    ProductFactory(category=cups, title="No variant")
    Product.objects.filter(title="Draft").update(status=Product.Status.DRAFT)
    Product.objects.filter(title="Archived").update(status=Product.Status.ARCHIVED)

    response = client.get("/categories/cups/")

    assert response.context["listing"].cards == []
    assert response.context["listing"].total == 0
    assert response.context["listing"].facets == ()


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["Dear", "Middle", "Cheap"]),
        ("?sort=price", ["Cheap", "Middle", "Dear"]),
        ("?sort=-price", ["Dear", "Middle", "Cheap"]),
        ("?sort=best", ["Middle", "Dear", "Cheap"]),
        ("?sort=nonsense", ["Dear", "Middle", "Cheap"]),
    ],
)
def test_sort(client, cups, sort: str, expected: list[str]) -> None:
    sell(cups, "Cheap", price="10")
    sell(cups, "Middle", price="20")
    sell(cups, "Dear", price="30")
    Product.objects.filter(title="Middle").update(popularity=9)

    assert titles(client, sort) == expected


def test_values_of_one_facet_widen_and_facets_narrow(client, cups) -> None:
    sell(cups, "Moss stoneware", colour="Moss", material="Stoneware")
    sell(cups, "Sand stoneware", colour="Sand", material="Stoneware")
    sell(cups, "Sand glass", colour="Sand", material="Glass")
    sell(cups, "Ink glass", colour="Ink", material="Glass")

    assert titles(client, "?colour=moss&colour=sand") == [
        "Sand glass",
        "Sand stoneware",
        "Moss stoneware",
    ]
    assert titles(client, "?colour=moss&colour=sand&material=glass") == ["Sand glass"]


def test_counts_follow_the_other_filters_but_not_the_own(client, cups) -> None:
    sell(cups, "Moss stoneware", colour="Moss", material="Stoneware")
    sell(cups, "Sand stoneware", colour="Sand", material="Stoneware", price="90")
    sell(cups, "Sand glass", colour="Sand", material="Glass", stock=0)

    found = counts(client, "?colour=moss&price_max=60")

    assert found["colour"] == {"Moss": 1, "Sand": 1}
    assert found["material"] == {"Stoneware": 1}
    assert found["in_stock"] == {"In stock": 1}
    assert client.get("/categories/cups/?colour=moss&price_max=60").context["listing"].total == 1


def test_maker_and_stock_filters(client, cups) -> None:
    havre = SellerFactory(name="Havre", slug="havre")
    BuyableProductFactory(category=cups, seller=havre, title="Havre mug")
    BuyableProductFactory(category=cups, seller=havre, title="Gone", variant__stock=0)
    sell(cups, "Other mug")

    assert titles(client, "?maker=havre") == ["Gone", "Havre mug"]
    assert titles(client, "?maker=havre&in_stock=1") == ["Havre mug"]
    assert counts(client, "?maker=havre&in_stock=1")["in_stock"] == {"In stock": 1}


def test_typed_values_read_like_words(client, cups) -> None:
    product = sell(cups, "Carafe")
    capacity = AttributeFactory(code="capacity", kind=Attribute.Kind.NUMBER, unit="ml", position=1)
    safe = AttributeFactory(code="dishwasher", kind=Attribute.Kind.BOOLEAN, position=2)
    product.attribute_values.create(attribute=capacity, number=Decimal(1200), facet="1200")
    product.attribute_values.create(attribute=safe, boolean=True, facet="yes")

    found = counts(client)

    assert found["capacity"] == {"1,200 ml": 1}
    assert found["dishwasher"] == {"Yes": 1}


def test_colours_show_the_swatch_of_the_option(client, cups) -> None:
    product = sell(cups, "Mug")
    colour = AttributeFactory(code="colour", kind=Attribute.Kind.COLOUR)
    AttributeValueFactory(product=product, attribute=colour, text="Moss")
    OptionValueFactory(option=OptionFactory(product=product), label="Moss", swatch="#7b7f63")

    facet = client.get("/categories/cups/").context["listing"].facets[0]

    assert facet.kind == "swatch"
    assert [(option.label, option.swatch) for option in facet.options] == [("Moss", "#7b7f63")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?price_max=24", ["Cheap", "Exact"]),
        ("?price_min=24", ["Dear", "Exact"]),
        ("?price_min=23,50&price_max=24.00", ["Exact"]),
        ("?price_min=23.999&price_max=24.001", ["Exact"]),
        ("?price_max=cheap", ["Cheap", "Dear", "Exact"]),
    ],
)
def test_price_range(client, cups, query: str, expected: list[str]) -> None:
    sell(cups, "Cheap", price="10")
    sell(cups, "Exact", price="24")
    sell(cups, "Dear", price="30")

    assert sorted(titles(client, query)) == expected


def test_what_was_typed_as_a_price_is_kept(client, cups) -> None:
    sell(cups, "Mug")

    response = client.get("/categories/cups/?price_min=ten&price_max=60")

    assert response.context["listing"].price_min == "ten"
    assert [chip.label for chip in response.context["listing"].chips] == ["Up to €60.00"]
    assert 'value="ten"' in response.content.decode()


def test_every_filter_has_a_way_out(client, cups) -> None:
    sell(cups, "Mug", colour="Moss")

    page = client.get("/categories/cups/?colour=moss&in_stock=1&price_max=60&sort=price&page=1")
    context = page.context

    assert {chip.label: chip.remove_url for chip in context["listing"].chips} == {
        "Colour: Moss": "/categories/cups/?in_stock=1&price_max=60&sort=price",
        "In stock": "/categories/cups/?colour=moss&price_max=60&sort=price",
        "Up to €60.00": "/categories/cups/?colour=moss&in_stock=1&sort=price",
    }
    assert context["listing"].clear_url == "/categories/cups/?sort=price"


def test_a_chosen_value_that_fits_nothing_stays_visible(client, cups) -> None:
    sell(cups, "Mug", colour="Moss")

    response = client.get("/categories/cups/?colour=dark-sand")

    assert response.context["listing"].cards == []
    assert counts(client, "?colour=dark-sand")["colour"] == {"Dark sand": 0, "Moss": 1}
    assert [chip.label for chip in response.context["listing"].chips] == ["Colour: Dark sand"]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_in_the_address_is_answered_kindly(client, cups, garbage: str) -> None:
    sell(cups, "Mug", colour="Moss")
    capacity = AttributeFactory(code="capacity", kind=Attribute.Kind.NUMBER, unit="ml")
    AttributeValueFactory(
        product=Product.objects.get(), attribute=capacity, facet="320", text="", number=Decimal(320)
    )
    names = (
        *("price_min", "price_max", "sort", "in_stock", "maker", "colour", "capacity", "utm"),
        garbage,
    )

    for name in names:
        response = client.get("/categories/cups/", {name: garbage})
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()
    assert client.get("/categories/cups/", {"page": garbage}).status_code in (200, 404)


def test_absurd_choices_do_not_swell_the_page(client, cups) -> None:
    sell(cups, "Mug", colour="Moss")
    choices = {"colour": ["moss", *(f"{number:02}{'ä' * 78}" for number in range(40))]}

    response = client.get("/categories/cups/", choices)

    assert titles(client, "?colour=moss") == ["Mug"]
    urls = [option.url for facet in response.context["listing"].facets for option in facet.options]
    assert max(map(len, urls)) < 1_100


def test_only_what_others_may_ask_for_is_remembered(
    client, cups, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(cups, "Mug", colour="Moss")
    counted: list[int] = []

    def count(*args: Any, **kwargs: Any) -> Any:
        counted.append(1)
        return tally(*args, **kwargs)

    monkeypatch.setattr(listing, "tally", count)
    for query, times in (
        *(("", 1), ("?colour=moss", 1), ("?in_stock=1", 1)),
        *(("?colour=made-up", 2), ("?price_max=99", 2), ("?price_min=anything", 2)),
    ):
        counted.clear()
        for _visit in range(2):
            assert client.get(f"/categories/cups/{query}").status_code == 200
        assert len(counted) == times, query


def test_what_was_taken_off_sale_a_moment_ago_has_no_card(client, cups, settings: Any) -> None:
    sell(cups, "Mug")
    sell(cups, "Vase")
    assert titles(client) == ["Vase", "Mug"]

    settings.CHANGES_POLL_SECONDS = 60
    vase = Product.objects.get(title="Vase")
    vase.variants.update(is_active=False)
    with transaction.atomic():
        summaries.refresh([vase.pk])

    assert titles(client) == ["Mug"]


@pytest.mark.parametrize("page", ["0", "-1", "abc", "1.5", "٣", ""])
def test_a_page_number_that_is_none_means_the_first(client, cups, page: str) -> None:
    sell(cups, "Mug")

    assert titles(client, f"?page={page}") == ["Mug"]


@pytest.mark.parametrize(
    "path", ["nothing", "cups/nothing", "CUPS", "cups%00", "cups//", "%25", "a" * 700, "ü"]
)
def test_unknown_category_is_not_found(client, cups, path: str) -> None:
    assert client.get(f"/categories/{path}/").status_code == 404


def test_pages_of_24(client, cups) -> None:
    for number in range(49):
        sell(cups, f"Mug {number:02}")

    second = client.get("/categories/cups/?sort=price&page=2").context["listing"].pagination

    assert len(titles(client)) == 24
    assert titles(client, "?page=3") == ["Mug 00"]
    assert (second.page, second.pages) == (2, 3)
    assert second.previous_url == "/categories/cups/?sort=price"
    assert second.next_url == "/categories/cups/?sort=price&page=3"
    assert [(link.number, link.current) for link in second.numbers] == [
        (1, False),
        (2, True),
        (3, False),
    ]
    assert client.get("/categories/cups/?page=4").status_code == 404


def test_way_up_and_way_down(client, cups) -> None:
    espresso = CategoryFactory(name="Espresso", slug="espresso", parent=cups)
    CategoryFactory(name="Double", slug="double", parent=espresso)

    context = client.get("/categories/cups/espresso/").context

    assert [(crumb.label, crumb.url) for crumb in context["breadcrumbs"]] == [
        ("Cups", "/categories/cups/")
    ]
    assert [(child.name, child.url) for child in context["children"]] == [
        ("Double", "/categories/cups/espresso/double/")
    ]


def test_card_tells_price_reduction_and_colours(client, cups) -> None:
    product = BuyableProductFactory(
        category=cups, variant__price=Decimal("18"), variant__compare_at_price=Decimal("24")
    )
    glaze = OptionFactory(product=product)
    moss = OptionValueFactory(option=glaze, label="Moss", swatch="#7b7f63")
    VariantFactory(product=product, price=Decimal("30"), values=[moss])
    ProductImageFactory(product=product, alt="A mug", position=1)
    first = ProductImageFactory(product=product, alt="The mug from the front", position=0)

    response = client.get("/categories/cups/")
    card = response.context["listing"].cards[0]

    assert (str(card.price_from.amount), card.price_varies) == ("18.00", True)
    assert str(card.compare_at.amount) == "24.00"
    assert card.badge == "Sale"
    assert [(dot.label, dot.colour) for dot in card.swatches] == [("Moss", "#7b7f63")]
    assert card.picture.alt == "The mug from the front"
    assert card.picture.src == f"/media/{first.asset.base}-800.jpg"
    assert card.picture.sources[0] == (
        "image/avif",
        f"/media/{first.asset.base}-400.avif 400w, /media/{first.asset.base}-800.avif 800w",
    )


def test_original_is_shown_until_the_renditions_are_made(client, cups) -> None:
    product = sell(cups, "Mug")
    image = ProductImageFactory(
        product=product, asset__renditions={}, asset__base="", asset__ready_at=None
    )

    picture = client.get("/categories/cups/").context["listing"].cards[0].picture

    assert picture.sources == ()
    assert picture.src == f"/media/{image.asset.original.name}"


@pytest.mark.parametrize("many", [1, 30])
def test_two_statements_whatever_the_rows(
    client, cups, django_assert_num_queries: Any, many: int
) -> None:
    for number in range(many):
        below = CategoryFactory(parent=cups)
        ProductImageFactory(product=sell(below, f"Mug {number}", colour=f"Colour {number}"))
    client.get("/categories/cups/")

    with django_assert_num_queries(2):
        client.get("/categories/cups/?colour=colour-0&in_stock=1&price_max=60")


def test_no_scripts_styles_or_handlers_in_the_page(client, cups) -> None:
    ProductImageFactory(product=sell(cups, "Mug", colour="Moss"))

    html = client.get("/categories/cups/").content.decode()

    inline = r"<style|<script(?! src=| type=.application/ld)|\sstyle=|\son[a-z]+="
    assert not re.search(inline, html)


def test_more_pages_are_shown_below_each_other(client, cups) -> None:
    for number in range(24 * 6 + 1):
        sell(cups, f"Mug {number:03}")

    first = client.get("/categories/cups/")
    more = client.get("/categories/cups/?page=3&from=2&sort=price")
    full = client.get("/categories/cups/?page=5&from=1")

    assert first.context["listing"].pagination.more_url == "/categories/cups/?page=2&from=1"
    assert [(shelf.page, len(shelf.cards)) for shelf in more.context["listing"].shelves] == [
        (2, 24),
        (3, 24),
    ]
    assert 'id="page-2"' in more.content.decode()
    assert 'id="page-3"' in more.content.decode()
    assert [card.title for card in more.context["listing"].cards][::47] == ["Mug 024", "Mug 071"]
    pagination = more.context["listing"].pagination
    assert pagination.more_url == "/categories/cups/?sort=price&page=4&from=2"
    assert pagination.previous_url == "/categories/cups/?sort=price"
    assert pagination.next_url == "/categories/cups/?sort=price&page=4"
    assert (len(full.context["listing"].cards), full.context["listing"].pagination.more_url) == (
        120,
        "",
    )


@pytest.mark.parametrize("start", ["0", "3", "x", "-1", "9" * 400, "٢", ""])
def test_what_cannot_be_the_first_page_is_ignored(client, cups, start: str) -> None:
    for number in range(25):
        sell(cups, f"Mug {number:02}")

    assert titles(client, f"?page=2&from={start}") == ["Mug 00"]


def test_no_more_than_five_pages_are_shown_at_once(client, cups) -> None:
    for number in range(24 * 5 + 1):
        sell(cups, f"Mug {number:03}")

    assert titles(client, "?page=6&from=1") == ["Mug 000"]


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", "/categories/cups/"),
        ("?utm_source=mail&sort=newest", "/categories/cups/"),
        ("?page=2", "/categories/cups/?page=2"),
        ("?page=2&from=1", None),
        ("?sort=price", None),
        ("?colour=moss", None),
        ("?price_max=60", None),
        ("?in_stock=1&page=2", None),
    ],
)
def test_search_engines_keep_each_page_once(
    client, cups, settings, query: str, canonical: str | None
) -> None:
    settings.SHOP_URL = "https://shop.example"
    for number in range(25):
        sell(cups, f"Mug {number}", colour="Moss")

    html = client.get(f"/categories/cups/{query}").content.decode()

    assert ('<meta name="robots" content="noindex">' in html) == (canonical is None)
    found = re.findall('<link rel="canonical" href="https://shop.example([^"]*)">', html)
    assert found == ([] if canonical is None else [canonical])


def test_the_form_for_prices_keeps_what_else_is_chosen(client, cups) -> None:
    sell(cups, "Mug", colour="Moss")

    html = client.get("/categories/cups/?colour=moss&sort=price&price_max=60").content.decode()

    form = html.split('<form class="facet__price"')[1].split("</form>")[0]
    hidden = re.findall('type="hidden" name="([^"]*)" value="([^"]*)"', form)
    assert hidden == [("colour", "moss"), ("sort", "price")]


def test_an_address_cannot_choose_without_end(client, cups) -> None:
    sell(cups, "Mug", colour="Moss")
    many = "&".join(f"maker=m{number}&colour=c{number}" for number in range(300))

    context = client.get(f"/categories/cups/?{many}").context

    assert len(context["listing"].chips) == 40
    assert context["listing"].total == 0


def test_a_card_has_stars_once_somebody_gave_them(client, cups) -> None:
    rated, unrated = BuyableProductFactory(category=cups), BuyableProductFactory(category=cups)
    ReviewFactory(product=rated, stars=4)
    ReviewFactory(product=rated, stars=5)

    page = client.get("/categories/cups/")

    ratings = {card.id: (card.rating, card.rating_count) for card in page.context["listing"].cards}
    assert ratings == {rated.pk: (Decimal("4.50"), 2), unrated.pk: (None, 0)}
    assert page.content.decode().count("of 5 stars") == 1
