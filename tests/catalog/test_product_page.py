from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Seller
from catalog.models import (
    Attribute,
    BoughtTogether,
    OptionValue,
    Product,
    ProductRelation,
    ProductVariant,
)
from catalog.queries import get_product_page
from shop.models import Page
from shop.notes import noting
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
    VariantFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def mug() -> Product:
    """A mug in moss and sand, each small and large; moss and small is not made."""
    product = ProductFactory(slug="dune-mug", title="Dune mug")
    glaze = OptionFactory(product=product, name="Glaze", position=0)
    size = OptionFactory(product=product, name="Size", position=1)
    moss = OptionValueFactory(option=glaze, label="Moss", swatch="#7b7f63", position=0)
    sand = OptionValueFactory(option=glaze, label="Sand", position=1)
    small = OptionValueFactory(option=size, label="Small", position=0)
    large = OptionValueFactory(option=size, label="Large", position=1)
    VariantFactory(product=product, sku="SAND-S", values=[sand, small], stock=0, position=0)
    VariantFactory(product=product, sku="SAND-L", values=[sand, large], stock=3, position=1)
    VariantFactory(product=product, sku="MOSS-L", values=[moss, large], stock=50, position=2)
    return product


def get_product(client: Client, slug: str = "dune-mug", query: str = "") -> Any:
    response = client.get(f"/products/{slug}/{query}")
    assert response.status_code == 200
    return response.context["product"]


def choices(product: Any) -> dict[str, list[tuple[str, str, bool, bool]]]:
    return {
        axis.name: [
            (choice.label, choice.url.rpartition("=")[2], choice.selected, choice.available)
            for choice in axis.values
        ]
        for axis in product.options
    }


def test_first_variant_in_stock_is_chosen_without_being_asked_for(client, mug) -> None:
    product = get_product(client)

    assert product.variant.sku == "SAND-L"
    assert choices(product) == {
        "Glaze": [("Moss", "MOSS-L", False, True), ("Sand", "SAND-L", True, True)],
        "Size": [("Small", "SAND-S", False, False), ("Large", "SAND-L", True, True)],
    }


def test_a_choice_leads_to_the_nearest_variant_that_has_it(client, mug) -> None:
    product = get_product(client, query="?variant=SAND-S")

    assert choices(product)["Glaze"] == [
        ("Moss", "MOSS-L", False, True),
        ("Sand", "SAND-S", True, False),
    ]


def test_every_variant_has_an_address(client, mug) -> None:
    html = client.get("/products/dune-mug/?variant=MOSS-L").content.decode()

    variant = ProductVariant.objects.get(sku="MOSS-L")
    assert f'<input type="hidden" name="variant" value="{variant.pk}">' in html
    assert 'href="/products/dune-mug/?variant=SAND-L"' in html


@pytest.mark.parametrize("sku", ["UNKNOWN", "moss-l", "\x00", "x" * 10_000, "'"])
def test_unknown_variant_shows_the_default_one(client, mug, sku: str) -> None:
    response = client.get("/products/dune-mug/", {"variant": sku})

    assert response.status_code == 200
    assert response.context["product"].variant.sku == "SAND-L"
    assert response.context["product"].canonical_url == "/products/dune-mug/"


def test_a_variant_of_another_product_is_not_shown(client, mug) -> None:
    other = VariantFactory()

    assert get_product(client, query=f"?variant={other.sku}").variant.sku == "SAND-L"


@pytest.mark.parametrize(
    ("stock", "words", "most", "in_stock"),
    [
        (0, "Sold out", 0, False),
        (1, "Only 1 left", 1, True),
        (5, "Only 5 left", 5, True),
        (6, "In stock", 6, True),
        (500, "In stock", 99, True),
    ],
)
def test_stock_is_told_in_words(client, stock, words: str, most: int, in_stock: bool) -> None:
    product = BuyableProductFactory(variant__stock=stock)

    variant = get_product(client, product.slug).variant

    assert (variant.stock_words, variant.max_quantity) == (words, most)
    assert variant.in_stock is in_stock


def test_uncounted_stock_can_be_bought_up_to_the_limit(client, settings) -> None:
    settings.SHOP_ORDER_QUANTITY_LIMIT = 12
    product = BuyableProductFactory(variant__tracks_stock=False)

    variant = get_product(client, product.slug).variant

    assert (variant.stock_words, variant.max_quantity) == ("In stock", 12)


def test_variants_taken_off_sale_are_not_offered(client, mug) -> None:
    ProductVariant.objects.filter(sku="MOSS-L").update(is_active=False)

    product = get_product(client, query="?variant=MOSS-L")

    assert product.variant.sku == "SAND-L"
    assert [label for label, *_ in choices(product)["Glaze"]] == ["Sand"]


@pytest.mark.parametrize("status", [Product.Status.DRAFT, Product.Status.ARCHIVED])
def test_product_that_is_not_active_is_not_found(client, mug, status: str) -> None:
    Product.objects.update(status=status)

    assert client.get("/products/dune-mug/").status_code == 404


def test_product_of_a_suspended_seller_is_not_found(client, mug) -> None:
    Seller.objects.update(status=Seller.Status.SUSPENDED)

    assert client.get("/products/dune-mug/").status_code == 404


def test_product_without_variants_is_not_found(client) -> None:
    assert client.get(f"/products/{ProductFactory().slug}/").status_code == 404
    assert client.get("/products/unknown/").status_code == 404


def test_picture_of_the_chosen_variant_comes_first(client, mug) -> None:
    ProductImageFactory(product=mug, alt="Sand", position=0)
    moss = ProductImageFactory(product=mug, alt="Moss", position=1)
    ProductImageFactory(product=mug, alt="", position=2)
    ProductVariant.objects.filter(sku="MOSS-L").update(image=moss)

    assert [p.alt for p in get_product(client).pictures] == ["Sand", "Moss", "Dune mug"]
    assert [p.alt for p in get_product(client, query="?variant=MOSS-L").pictures] == [
        "Moss",
        "Sand",
        "Dune mug",
    ]


def test_facts_are_written_for_people(client, mug) -> None:
    capacity = AttributeFactory(code="capacity", kind=Attribute.Kind.NUMBER, unit="l", position=1)
    safe = AttributeFactory(code="dishwasher", kind=Attribute.Kind.BOOLEAN, position=2)
    material = AttributeFactory(code="material", is_filter=False, position=3)
    mug.attribute_values.create(attribute=capacity, number=Decimal("1.5"), facet="1.5")
    mug.attribute_values.create(attribute=safe, boolean=False, facet="no")
    AttributeValueFactory(product=mug, attribute=material, text="Stoneware")
    AttributeValueFactory(product=mug, attribute=material, text="Cork")

    assert [(fact.label, fact.value) for fact in get_product(client).attributes] == [
        ("Capacity", "1.5 l"),
        ("Dishwasher", "No"),
        ("Material", "Stoneware, Cork"),
    ]


def test_price_before_is_told_only_when_it_was_higher(client, mug) -> None:
    ProductVariant.objects.filter(sku="SAND-L").update(compare_at_price=Decimal("30"))
    ProductVariant.objects.filter(sku="MOSS-L").update(compare_at_price=Decimal("24"))

    assert str(get_product(client).variant.compare_at.amount) == "30.00"
    assert get_product(client, query="?variant=MOSS-L").variant.compare_at is None


def test_related_products_are_of_the_same_category(client) -> None:
    table = CategoryFactory(name="Table", slug="table")
    cups = CategoryFactory(name="Cups", slug="cups", parent=table)
    shown = BuyableProductFactory(category=cups)
    for number in range(6):
        BuyableProductFactory(category=cups, title=f"Cup {number}", popularity=number)
    BuyableProductFactory(category=table)

    product = get_product(client, shown.slug)

    assert [card.title for card in product.related] == ["Cup 5", "Cup 4", "Cup 3", "Cup 2"]
    assert [(crumb.label, crumb.url) for crumb in product.breadcrumbs] == [
        ("Table", "/categories/table/"),
        ("Cups", "/categories/table/cups/"),
    ]


def test_product_without_category_has_no_relatives(client, mug) -> None:
    BuyableProductFactory()

    product = get_product(client)

    assert (product.related, product.breadcrumbs) == ([], [])


def test_what_the_shop_recommends_comes_before_the_rest_of_the_category(client) -> None:
    cups = CategoryFactory()
    shown, *same = [BuyableProductFactory(category=cups, title=title) for title in "abcde"]
    board, draft = BuyableProductFactory(title="Board"), BuyableProductFactory(title="Draft")
    for place, other in enumerate((draft, board, same[0])):
        ProductRelation.objects.create(product=shown, other=other, position=place)
    Product.objects.filter(pk=draft.pk).update(status=Product.Status.DRAFT)

    titles = [card.title for card in get_product(client, shown.slug).related]

    assert titles == ["Board", "b", "e", "d"]
    assert [card.title for card in get_product(client, board.slug).related] == []


def test_what_is_bought_with_it_is_not_recommended_again(client) -> None:
    cups = CategoryFactory()
    shown, other = (BuyableProductFactory(category=cups, title=title) for title in "ab")
    BoughtTogether.objects.create(product=shown, other=other, orders=2)

    page = get_product(client, shown.slug)

    assert [card.title for card in page.bought_together] == ["b"]
    assert page.related == []


def test_the_page_follows_what_is_recommended_though_it_is_not_for_sale_yet(client) -> None:
    shown, other = BuyableProductFactory(), BuyableProductFactory(status=Product.Status.DRAFT)
    ProductRelation.objects.create(product=shown, other=other)

    with noting() as notes:
        get_product_page(shown.slug)

    assert f"product:{other.pk}" in notes.sources


def test_seller_is_introduced(client) -> None:
    seller = SellerFactory(slug="havre", name="Havre", tagline="By the sea.", place="Bornholm")
    product = BuyableProductFactory(seller=seller)

    card = get_product(client, product.slug).seller

    assert (card.name, card.url) == ("Havre", "/sellers/havre/")
    assert (card.tagline, card.place) == ("By the sea.", "Bornholm")


def test_text_is_escaped_and_cleaned_description_is_not(client) -> None:
    product = BuyableProductFactory(title="<b>Mug</b>", description="<p>Stone &amp; glaze</p>")

    html = client.get(f"/products/{product.slug}/").content.decode()

    assert "<b>Mug</b>" not in html
    assert "<p>Stone &amp; glaze</p>" in html


@pytest.mark.parametrize("many", [1, 12])
def test_seven_statements_whatever_the_rows(
    client, django_assert_num_queries: Any, many: int
) -> None:
    cups = CategoryFactory(slug="cups")
    product = BuyableProductFactory(category=cups)
    glaze = OptionFactory(product=product)
    for number in range(many):
        value: OptionValue = OptionValueFactory(option=glaze)
        VariantFactory(product=product, values=[value])
        ProductImageFactory(product=product)
        AttributeValueFactory(product=product, text=f"Colour {number}")
        ProductImageFactory(product=BuyableProductFactory(category=cups))
    url = f"/products/{product.slug}/"
    client.get(url)

    with django_assert_num_queries(7):
        client.get(url)


@pytest.mark.parametrize(
    ("includes_tax", "words"),
    [(True, "incl. VAT, plus delivery"), (False, "plus tax and delivery")],
)
def test_price_says_what_it_includes_and_where_delivery_is_explained(
    client, mug, settings: Any, includes_tax: bool, words: str
) -> None:
    settings.SHOP_PRICES_INCLUDE_TAX = includes_tax
    Page.objects.create(slug="delivery", title="Delivery", body="<p>By post.</p>")

    html = client.get("/products/dune-mug/").content.decode()

    assert words in html
    assert '<a href="/pages/delivery/">How we deliver</a>' in html


def test_says_when_a_parcel_leaves_and_how_to_send_it_back(client, mug) -> None:
    Seller.objects.filter(pk=mug.seller_id).update(name="Havre", handling_days=2)
    Page.objects.create(slug="returns", title="Returns", is_in_footer=True)
    cache.clear()

    page = client.get("/products/dune-mug/?variant=MOSS-L").content.decode()

    assert "Leaves Havre within 2 working days" in page
    assert '<a href="/pages/returns/">Changed your mind? How to send it back</a>' in page


def test_promises_no_day_that_nobody_named_and_none_for_what_is_gone(client, mug) -> None:
    assert "working day" not in client.get("/products/dune-mug/?variant=MOSS-L").content.decode()

    Seller.objects.filter(pk=mug.seller_id).update(handling_days=1)

    assert "within 1 working day<" in client.get("/products/dune-mug/").content.decode()
    assert "working day" not in client.get("/products/dune-mug/?variant=SAND-S").content.decode()
