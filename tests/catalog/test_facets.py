"""Counts are exact: whatever is narrowed, they equal what a slow and simple count finds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Q, QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import index
from catalog.index import ordering, tallying
from catalog.models import Attribute, AttributeValue, Category, Product
from catalog.queries import get_category_page
from catalog.queries.facets import Facet
from catalog.queries.listing import Listing
from catalog.queries.pagination import PAGE_SIZE
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import (
    PUBLISHED_AT,
    AttributeFactory,
    BuyableProductFactory,
    CategoryFactory,
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
)

COLOURS = ["Moss", "Sand", "Ink", "Rust"]
SIZES = [Decimal(320), Decimal(90), Decimal("1.5")]
MAKERS = ["havre", "nordlys", "pilar"]
VALUES: dict[str, list[str]] = {
    "colour": ["moss", "sand", "ink", "rust", "unknown"],
    "capacity": ["320", "90", "1.5", "-1"],
    "dishwasher": ["yes", "no"],
    "serial": [f"no-{number}" for number in range(0, 60, 7)],
    "maker": [*MAKERS, "nobody"],
}
PRICES = ["", "10", "20", "24.5", "30,00", "1000", "cheap"]

queries = st.fixed_dictionaries(
    {},
    optional={
        **{
            code: st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)
            for code, values in VALUES.items()
        },
        **{
            name: st.sampled_from(PRICES).map(lambda text: [text])
            for name in ("price_min", "price_max")
        },
        "in_stock": st.just(["1"]),
        "rating": st.sampled_from([["4"], ["3"], ["2"], ["9"]]),
    },
)


@pytest.fixture
def shelves(db: None) -> Category:
    """Sixty products of three makers in a tree of three categories, and some that nobody sees."""
    chance = random.Random(4)
    table = CategoryFactory(slug="table")
    places = [table, CategoryFactory(slug="cups", parent=table), CategoryFactory(slug="bath")]
    makers = [SellerFactory(slug=slug) for slug in MAKERS]
    colour = AttributeFactory(code="colour", kind=Attribute.Kind.COLOUR)
    capacity = AttributeFactory(code="capacity", kind=Attribute.Kind.NUMBER, unit="ml")
    dishwasher = AttributeFactory(code="dishwasher", kind=Attribute.Kind.BOOLEAN)
    serial = AttributeFactory(code="serial")
    for number in range(60):
        product = BuyableProductFactory(
            category=chance.choice(places),
            seller=chance.choice(makers),
            popularity=chance.choice([0, 0, 3, 9]),
            rating=chance.choice([None, Decimal("2.5"), Decimal("4"), Decimal("4.75")]),
            rating_count=chance.choice([1, 2]),
            published_at=PUBLISHED_AT.replace(day=chance.randint(1, 3)),
            variant__price=chance.choice([Decimal(10), Decimal("24.5"), Decimal(30)]),
            variant__stock=chance.choice([0, 5]),
        )
        for text in chance.sample(COLOURS, chance.randint(0, 3)):
            state(product, colour, text.lower(), text=text)
        if size := chance.choice([*SIZES, None]):
            state(product, capacity, str(size), number=size)
        if (yes := chance.choice([True, False, None])) is not None:
            state(product, dishwasher, "yes" if yes else "no", boolean=yes)
        state(product, serial, f"no-{number}", text=f"No {number}")
    state(ProductFactory(category=table), colour, "moss", text="Moss")
    state(BuyableProductFactory(category=table, status="draft"), colour, "moss", text="Moss")
    return table


def state(product: Product, attribute: Attribute, facet: str, **value: Any) -> None:
    AttributeValue.objects.create(product=product, attribute=attribute, facet=facet, **value)


def sold() -> QuerySet[Product]:
    return Product.objects.filter(
        Q(category__path="table") | Q(category__path__startswith="table/"),
        status="active", price_from__isnull=False, seller__status="active",
    )  # fmt: skip


def pass_filters(query: dict[str, list[str]], *, but: str = "") -> QuerySet[Product]:
    """Find slowly and simply what passes all filters, or all but one."""
    found = sold()
    for code, values in query.items():
        if code == but:
            continue
        if code == "maker":
            found = found.filter(seller__slug__in=values)
        elif code == "in_stock":
            found = found.filter(is_available=True)
        elif code == "rating" and values[0] in "432":
            found = found.filter(rating__gte=int(values[0]))
        elif code in ("price_min", "price_max"):
            text = values[0].replace(",", ".")
            if text.replace(".", "").isdigit():
                found = found.filter(
                    **{f"price_from__{'gte' if code == 'price_min' else 'lte'}": Decimal(text)}
                )
        elif code != "rating":
            found = found.filter(
                pk__in=AttributeValue.objects.filter(attribute__code=code, facet__in=values).values(
                    "product"
                )
            )
    return found


def count_slowly(query: dict[str, list[str]], code: str, value: str) -> int:
    return pass_filters({**query, code: [value]}).count()


def lay_out(query: dict[str, list[str]]) -> Listing:
    page = get_category_page("table", query=query)
    assert page is not None
    return page.listing


def counts_of(facet: Facet) -> dict[str, int]:
    return {option.value: option.count for option in facet.options}


@pytest.mark.parametrize("many", [30_000, 0], ids=["one-by-one", "by-bitmaps"])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries)
def test_counts_equal_a_slow_count(
    shelves: Category, many: int, query: dict[str, list[str]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallying, "MANY_PRODUCTS", many)
        index.reset()
        listing = lay_out(query)

    found = list(pass_filters(query))
    assert listing.total == len(found)
    facets = {facet.code: facet for facet in listing.facets}
    for code, facet in facets.items():
        counts = counts_of(facet)
        assert counts == {value: count_slowly(query, code, value) for value in counts}
        chosen = {option.value for option in facet.options if option.selected}
        assert all(many or value in chosen for value, many in counts.items())
    for code in ("colour", "capacity", "dishwasher", "maker"):
        others = pass_filters(query, but=code)
        stated = _list_facets(code, others)
        is_used = bool(query.get(code))
        assert (code in facets) or not stated or not (is_used or found)
        if code in facets:
            assert {v for v, many in counts_of(facets[code]).items() if many} == stated


def _list_facets(code: str, products: QuerySet[Product]) -> set[str]:
    if code == "maker":
        return set(products.values_list("seller__slug", flat=True))
    rows = AttributeValue.objects.filter(attribute__code=code, product__in=products)
    return set(rows.values_list("facet", flat=True))


ORDERS = {
    "": ["-published_at", "-id"],
    "price": ["price_from", "id"],
    "-price": ["-price_from", "-id"],
    "best": ["-popularity", "-id"],
}


@pytest.mark.parametrize("few", [2_000, 0], ids=["sorted", "parted"])
@pytest.mark.parametrize("sort", ORDERS)
def test_pages_follow_one_another_in_the_order_of_the_database(
    shelves: Category, monkeypatch: pytest.MonkeyPatch, sort: str, few: int
) -> None:
    monkeypatch.setattr(ordering, "FEW_PRODUCTS", few)

    shown = list(_walk(sort))

    assert shown == list(sold().order_by(*ORDERS[sort]).values_list("title", flat=True))
    assert len(shown) > PAGE_SIZE


def test_best_rated_come_first_and_of_these_those_rated_most(shelves: Category) -> None:
    expected = sorted(sold(), key=lambda p: (p.rating or 0, p.rating_count, p.pk), reverse=True)

    assert list(_walk("rated")) == [product.title for product in expected]


def _walk(sort: str) -> Iterator[str]:
    page = 1
    while listing := get_category_page("table", query={"sort": [sort], "page": [str(page)]}):
        yield from (card.title for card in listing.listing.cards)
        page += 1


def labels(listing: Listing, code: str) -> Sequence[Any]:
    facet = next(facet for facet in listing.facets if facet.code == code)
    return [option.label for option in facet.options]


def test_measures_are_sorted_by_size(shelves: Category) -> None:
    assert labels(lay_out({}), "capacity") == ["1.5 ml", "90 ml", "320 ml"]


def test_stars_are_offered_once_something_is_rated(shelves: Category) -> None:
    listing = lay_out({"rating": ["4"]})

    assert labels(listing, "rating") == ["4 stars and up", "3 stars and up", "2 stars and up"]
    assert [chip.label for chip in listing.chips] == ["4 stars and up"]
    assert "rated" in {option.value for option in listing.sorts}
    three = next(f for f in listing.facets if f.code == "rating").options[1]
    assert three.url == "/categories/table/?rating=3"

    Product.objects.update(rating=None)
    index.reset()
    plain = lay_out({"rating": ["4"], "sort": ["rated"]})

    assert "rating" not in {facet.code for facet in plain.facets}
    assert [option.value for option in plain.sorts if option.selected] == ["newest"]
    assert plain.is_indexable


def test_what_few_of_the_products_state_is_no_facet(shelves: Category) -> None:
    lonely = AttributeFactory(code="lonely")
    product = sold()[0]
    AttributeValue.objects.create(product=product, attribute=lonely, text="Yes", facet="yes")

    assert "lonely" not in {facet.code for facet in lay_out({}).facets}
    assert counts_of(
        next(f for f in lay_out({"lonely": ["yes"]}).facets if f.code == "lonely")
    ) == {"yes": 1}


def test_a_long_list_is_cut_to_what_most_state_and_what_is_chosen(
    shelves: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallying, "MOST_OPTIONS", 2)
    last = sorted(labels(lay_out({}), "colour"))

    listing = lay_out({"colour": ["unknown"]})

    assert len(last) == 2
    assert labels(listing, "colour") == sorted([*last, "Unknown"])


def test_a_swatch_goes_by_the_name_of_the_colour(shelves: Category) -> None:
    option = OptionFactory(product=BuyableProductFactory())
    OptionValueFactory(option=option, label="moss", swatch="#7b7f63")

    colours = next(facet for facet in lay_out({}).facets if facet.code == "colour")

    assert colours.kind == "swatch"
    assert {o.label: o.swatch for o in colours.options}["Moss"] == "#7b7f63"
    assert {o.label: o.swatch for o in colours.options}["Ink"] == ""
