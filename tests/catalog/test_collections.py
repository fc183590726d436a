"""Collections: chosen by hand or found by a rule, each with a page like any other list."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Attribute, Collection, CollectionItem, Product
from catalog.queries import collections as reading
from catalog.queries import list_navigation
from catalog.tasks import turn_collections
from shop.clock import now
from shop.models import Change
from shop.services.changes import announce
from tests.admin_forms import address, errors, sign_in, submit
from tests.factories.accounts import SellerFactory, SellerMemberFactory
from tests.factories.catalog import (
    AttributeFactory,
    AttributeValueFactory,
    BuyableProductFactory,
    CategoryFactory,
    CollectionFactory,
    ImageAssetFactory,
    ProductImageFactory,
)

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/collection/add/"


def choose(*products: Product, **fields: Any) -> Collection:
    """Make a collection by hand."""
    collection = CollectionFactory(kind=Collection.Kind.HAND, **fields)
    CollectionItem.objects.bulk_create(
        CollectionItem(collection=collection, product=product, position=place)
        for place, product in enumerate(products)
    )
    return collection


def listed(client: Client, collection: Collection, query: str = "") -> list[str]:
    page = client.get(f"/collections/{collection.slug}/{query}")
    assert page.status_code == 200
    return [card.title for card in page.context["listing"].cards]


def ruled(client: Client, **rule: Any) -> set[str]:
    """Name what a rule finds."""
    collection = CollectionFactory()
    for name in ("categories", "sellers"):
        getattr(collection, name).set(rule.pop(name, ()))
    Collection.objects.filter(pk=collection.pk).update(**rule)
    return {*listed(client, collection)}


def test_what_was_chosen_by_hand_stands_as_it_was_arranged(client: Client) -> None:
    mug, bowl, tray = (BuyableProductFactory(title=title) for title in ("Mug", "Bowl", "Tray"))
    BuyableProductFactory(title="Vase")
    collection = choose(tray, mug, bowl, name="Breakfast", description="For a slow morning.")

    page = client.get(f"/collections/{collection.slug}/").text

    assert listed(client, collection) == ["Tray", "Mug", "Bowl"]
    assert listed(client, collection, "?sort=newest") == ["Tray", "Bowl", "Mug"]
    assert "<h1>Breakfast</h1>" in page
    assert "For a slow morning." in page
    url = f"{settings.SHOP_URL}/collections/{collection.slug}/"
    assert f'<link rel="canonical" href="{url}">' in page


def test_a_collection_is_narrowed_like_any_other_list(client: Client) -> None:
    material = AttributeFactory(code="material", name="Material")
    for title, text in (("Mug", "Clay"), ("Bowl", "Clay"), ("Tray", "Oak")):
        product = BuyableProductFactory(title=title)
        AttributeValueFactory(product=product, attribute=material, text=text)
    collection = CollectionFactory()
    small = choose(Product.objects.get(title="Mug"))

    facets = client.get(f"/collections/{collection.slug}/").context["listing"].facets
    few = client.get(f"/collections/{small.slug}/").context["listing"].facets

    assert {*listed(client, collection, "?material=clay")} == {"Mug", "Bowl"}
    assert [(o.label, o.count) for f in facets if f.code == "material" for o in f.options] == [
        ("Clay", 2),
        ("Oak", 1),
    ]
    assert [(o.label, o.count) for f in few if f.code == "material" for o in f.options] == [
        ("Clay", 1)
    ]


def test_a_rule_looks_at_category_seller_tags_and_price(client: Client) -> None:
    table = CategoryFactory(slug="table")
    cups = CategoryFactory(slug="cups", parent=table)
    havre, alm = SellerFactory(slug="havre"), SellerFactory(slug="alm")
    BuyableProductFactory(title="Mug", category=cups, seller=havre, tags=["gift", "tea"])
    BuyableProductFactory(title="Table", category=table, seller=alm, variant__price=Decimal(900))
    BuyableProductFactory(title="Lamp", seller=havre, tags=["gift"], variant__price=Decimal(40))

    assert ruled(client) == {"Mug", "Table", "Lamp"}
    assert ruled(client, categories=[table]) == {"Mug", "Table"}
    assert ruled(client, categories=[cups]) == {"Mug"}
    assert ruled(client, sellers=[havre]) == {"Mug", "Lamp"}
    assert ruled(client, sellers=[havre, alm], categories=[table]) == {"Mug", "Table"}
    assert ruled(client, tags=["tea", "coffee"]) == {"Mug"}
    assert ruled(client, price_min=Decimal(24), price_max=Decimal(40)) == {"Mug", "Lamp"}
    assert ruled(client, price_min=Decimal(40), tags=["gift"]) == {"Lamp"}
    assert ruled(client, tags=["unheard of"]) == set()


def test_a_rule_looks_at_facts_whether_shoppers_filter_by_them_or_not(client: Client) -> None:
    material = AttributeFactory(code="material")
    glaze = AttributeFactory(code="glaze", is_filter=False)
    mug, bowl = BuyableProductFactory(title="Mug"), BuyableProductFactory(title="Bowl")
    for product, text in ((mug, "Clay"), (bowl, "Oak")):
        AttributeValueFactory(product=product, attribute=material, text=text)
    AttributeValueFactory(product=mug, attribute=glaze, text="Moss")

    assert ruled(client, facts=["material=clay", "material=oak"]) == {"Mug", "Bowl"}
    assert ruled(client, facts=["material=oak", "glaze=moss"]) == set()
    assert ruled(client, facts=["glaze=moss"]) == {"Mug"}


def test_a_rule_looks_at_what_is_reduced(client: Client) -> None:
    BuyableProductFactory(title="Mug", variant__compare_at_price=Decimal(30))
    BuyableProductFactory(title="Bowl", variant__compare_at_price=Decimal(24))
    BuyableProductFactory(title="Tray")

    assert ruled(client, is_reduced=True) == {"Mug"}


def test_a_rule_of_what_is_new_follows_the_date(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title, days in (("Mug", 1), ("Bowl", 10)):
        BuyableProductFactory(title=title, published_at=now() - timedelta(days=days))
    BuyableProductFactory(title="Never", published_at=None)
    collection = CollectionFactory(newest_days=5)
    assert listed(client, collection) == ["Mug"]
    Change.objects.all().delete()

    later: datetime = now() + timedelta(days=7)
    monkeypatch.setattr(reading, "now", lambda: later)
    turn_collections()

    assert listed(client, collection) == []
    assert [change.subject for change in Change.objects.all()] == [f"collection:{collection.pk}"]


def test_a_collection_follows_its_products(client: Client) -> None:
    mug = BuyableProductFactory(title="Mug")
    by_hand, by_rule = choose(mug), CollectionFactory(tags=["gift"])
    assert [listed(client, by_hand), listed(client, by_rule)] == [["Mug"], []]

    Product.objects.update(tags=["gift"])
    with transaction.atomic():
        announce(f"product:{mug.pk}")
    assert [listed(client, by_hand), listed(client, by_rule)] == [["Mug"], ["Mug"]]

    Product.objects.update(status=Product.Status.DRAFT)
    with transaction.atomic():
        announce(f"product:{mug.pk}")
    assert [listed(client, by_hand), listed(client, by_rule)] == [[], []]


def test_an_empty_collection_says_so(client: Client) -> None:
    collection = CollectionFactory(name="Breakfast")

    assert "Nothing on the shelf just now" in client.get(f"/collections/{collection.slug}/").text


def test_search_engines_may_be_told_other_words(client: Client) -> None:
    collection = choose(BuyableProductFactory(), name="Linen", description="For the table.")

    page = client.get(f"/collections/{collection.slug}/").content.decode()
    assert "<title>Linen – " in page
    assert 'name="description" content="For the table."' in page

    collection.seo_title, collection.seo_description = "Table linen", "Washed linen."
    collection.save()
    with transaction.atomic():
        announce(f"collection:{collection.pk}")

    page = client.get(f"/collections/{collection.slug}/").content.decode()
    assert "<title>Table linen – " in page
    assert 'name="description" content="Washed linen."' in page
    assert "<h1>Linen</h1>" in page


def test_what_has_no_page_is_not_found(client: Client) -> None:
    hidden = CollectionFactory(is_public=False, is_in_menu=True, is_on_home=True)

    assert client.get(f"/collections/{hidden.slug}/").status_code == 404
    assert client.get("/collections/unknown/").status_code == 404
    assert client.get(f"/collections/{CollectionFactory().slug}/?page=9").status_code == 404
    assert hidden.name not in client.get("/").text


def test_the_menu_ends_with_the_collections_that_belong_there(client: Client) -> None:
    CategoryFactory(name="Table", slug="table")
    CollectionFactory(name="Reduced", slug="reduced", is_in_menu=True, position=2)
    CollectionFactory(name="Presents", slug="presents", is_in_menu=True, position=1)
    CollectionFactory(name="Quiet")

    assert [(item.label, item.url) for item in list_navigation()] == [
        ("Table", "/categories/table/"),
        ("Presents", "/collections/presents/"),
        ("Reduced", "/collections/reduced/"),
    ]


def test_the_front_page_shows_collections_by_their_photograph_or_a_products(client: Client) -> None:
    mug, bowl = BuyableProductFactory(title="Mug"), BuyableProductFactory(title="Bowl")
    for product in (mug, bowl):
        ProductImageFactory(product=product, alt=product.title)
    image = ImageAssetFactory()
    choose(mug, name="Own", is_on_home=True, position=0, image=image, image_alt="A table")
    choose(mug, bowl, name="By hand", is_on_home=True, position=1)
    CollectionFactory(name="By rule", is_on_home=True, position=2)
    CollectionFactory(name="Nothing", is_on_home=True, position=3, tags=["none"])

    tiles = client.get("/").context["collections"]

    assert [(tile.name, tile.picture and tile.picture.alt) for tile in tiles] == [
        ("Own", "A table"),
        ("By hand", "Mug"),
        ("By rule", "Bowl"),
        ("Nothing", None),
    ]


@pytest.mark.parametrize("many", [1, 30])
def test_two_statements_whatever_the_rows(client: Client, many: int) -> None:
    products = [BuyableProductFactory() for _ in range(many)]
    addresses = [
        f"/collections/{choose(*products).slug}/",
        f"/collections/{CollectionFactory().slug}/",
    ]
    for path in addresses:
        client.get(path)
        with CaptureQueriesContext(connection) as statements:
            client.get(path)

        assert len(statements) == 2


def test_staff_set_up_a_rule_in_words() -> None:
    seller, cups = SellerFactory(), CategoryFactory()
    AttributeFactory(code="material", name="Material")
    AttributeFactory(code="capacity", name="Capacity", kind=Attribute.Kind.NUMBER, unit="ml")
    Change.objects.all().delete()

    answer = submit(
        sign_in(), ADD, name="Presents", slug="presents", kind="rule", categories=[cups.pk],
        sellers=[seller.pk], tags="gift, tea,gift", facts="Material = Dark clay, capacity=0.5 l",
        price_max="40", is_in_menu="on",
    )  # fmt: skip

    assert answer.status_code == 302, errors(answer)
    collection = Collection.objects.get()
    assert (collection.tags, collection.facts) == (
        ["gift", "tea"],
        ["material=dark-clay", "capacity=500"],
    )
    assert [*collection.categories.all()] == [cups]
    assert [change.subject for change in Change.objects.all()] == ["collections"]


def test_staff_choose_by_hand() -> None:
    mug, bowl = BuyableProductFactory(), BuyableProductFactory()
    browser = sign_in()

    answer = submit(
        browser, ADD, name="Breakfast", slug="breakfast", kind="hand", items__TOTAL_FORMS=2,
        items__0__product=mug.pk, items__0__position=2, items__1__product=bowl.pk,
        items__1__position=1,
    )  # fmt: skip

    assert answer.status_code == 302, errors(answer)
    assert listed(browser, Collection.objects.get()) == [bowl.title, mug.title]
    assert "2 products" in browser.get("/admin/catalog/collection/").text


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({}, "Fill in at least one part of the rule: without any it finds everything."),
        (
            {"facts": "weight=3"},
            "There is no attribute “weight”. Write one like material=stoneware.",
        ),
        ({"facts": "material"}, "Write one value behind material=, such as material=stoneware."),
        ({"price_min": "9", "price_max": "3"}, "The highest price is below the lowest."),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(typed: dict[str, str], complaint: str) -> None:
    AttributeFactory(code="material", name="Material")

    answer = submit(sign_in(), ADD, name="Presents", slug="presents", kind="rule", **typed)

    assert errors(answer) == [complaint]
    assert not Collection.objects.exists()


def test_sellers_see_no_collection_for_it_names_what_others_prepare() -> None:
    collection = CollectionFactory(kind="rule")
    browser = sign_in(SellerMemberFactory(role="owner").user)
    page = address("catalog_collection", "change", collection.pk)

    assert browser.get(page).status_code == 403
    assert browser.post(page, {"name": "Mine"}).status_code == 403
    assert browser.get(ADD).status_code == 403
