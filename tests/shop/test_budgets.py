"""What a page may weigh on its way to a phone, compressed as weakly as a server would."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from shop.bundles import BUNDLES
from tests.factories.catalog import (
    BuyableProductFactory,
    CategoryFactory,
    ImageAssetFactory,
    OptionFactory,
    OptionValueFactory,
    ProductImageFactory,
)
from tests.factories.orders import make_delivery

KILOBYTE = 1024
STYLES, *SCRIPTS = BUNDLES
SOURCES = Path(settings.BASE_DIR) / "static"
WIDTHS = [320, 480, 640, 960, 1280]


def weigh(content: bytes) -> int:
    return len(gzip.compress(content, 6))


@pytest.fixture
def _full_shelves() -> None:
    """Two dozen products, each with the names, colours and picture files a real one has."""
    above = CategoryFactory(name="Table and kitchen", slug="table-kitchen")
    category = CategoryFactory(name="Tableware", slug="tableware", parent=above)
    for number in range(24):
        digest = sha256(str(number).encode()).hexdigest()
        product = BuyableProductFactory(
            slug=f"product-{digest[:12]}", title=f"Bowl {digest[:9]}, glazed by hand",
            category=category, short_description="A wide bowl on a narrow foot.",
        )  # fmt: skip
        asset = ImageAssetFactory(
            base=f"pictures/{digest[:2]}/{digest[:24]}",
            renditions=dict.fromkeys(("avif", "webp", "jpeg"), WIDTHS),
        )
        ProductImageFactory(product=product, asset=asset, alt=f"A bowl, number {number}")
        glaze = OptionFactory(product=product, name="Glaze")
        for label, colour in (("Sand", "#d8c6ab"), ("Moss", "#5b6a4c"), ("Ink", "#2f3a45")):
            OptionValueFactory(option=glaze, label=label, swatch=colour)


@pytest.mark.django_db
@pytest.mark.usefixtures("_full_shelves")
@pytest.mark.parametrize(
    "address",
    ["/", "/categories/table-kitchen/", "/search/?q=bowl", "/sellers/{seller}/", "/products/{}/"],
)
def test_page_of_two_dozen_products_keeps_to_its_budget(client, address: str) -> None:
    category = client.get("/categories/table-kitchen/").context
    product = client.get(category["listing"].cards[0].url).context["product"]
    seller = product.seller.url.strip("/").rpartition("/")[2]
    slug = product.canonical_url.strip("/").rpartition("/")[2]

    page = client.get(address.format(slug, seller=seller))

    assert len(category["listing"].cards) == 24
    assert page.status_code == 200
    assert weigh(page.content) <= 14 * KILOBYTE


@pytest.mark.django_db
@pytest.mark.usefixtures("_full_shelves")
def test_cart_and_checkout_keep_to_their_budget(client) -> None:
    make_delivery()
    card = client.get("/categories/table-kitchen/").context["listing"].cards[0]
    variant = client.get(card.url).context["product"].variant
    client.post("/cart/add/", {"variant": variant.id, "quantity": 2})

    pages = [client.get("/cart/"), client.get("/checkout/")]

    assert [page.status_code for page in pages] == [200, 200]
    assert max(weigh(page.content) for page in pages) <= 14 * KILOBYTE


def test_style_sheet_keeps_to_its_budget() -> None:
    assert weigh(STYLES.text(SOURCES).encode()) <= 15 * KILOBYTE


def test_scripts_of_any_page_keep_to_their_budget() -> None:
    """Each page has htmx and the first bundle, and at most one for what it alone shows."""
    htmx = Path(str(finders.find("django_htmx/htmx-2.min.js"))).read_bytes()

    everywhere, *elsewhere = (weigh(bundle.text(SOURCES).encode()) for bundle in SCRIPTS)

    assert weigh(htmx) + everywhere + max(elsewhere) <= 20 * KILOBYTE
