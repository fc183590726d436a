"""A small shop to buy in: the same words in every test, because the menu is cached for a minute."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from accounts.models import Seller
from cart.models import ShippingBand, ShippingMethod, ShippingZone
from catalog.models import Product, ProductVariant
from catalog.services import indexing
from shop.models import TaxRate
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import (
    AttributeFactory,
    AttributeValueFactory,
    BuyableProductFactory,
    CategoryFactory,
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
    TaxClassFactory,
    VariantFactory,
)


@dataclass(frozen=True)
class Shelves:
    """The mug has three glazes: sand, moss and, sold out, ink."""

    seller: Seller
    mug: Product
    moss: ProductVariant
    board: Product


def fill_shelves() -> Shelves:
    """Put two products into "Tableware", and deliver to Germany for 4.90 and to France for 9.90."""
    _make_delivery()
    seller = SellerFactory(slug="haven", name="Haven Studio")
    above = CategoryFactory(slug="table", name="Table")
    tableware = CategoryFactory(slug="tableware", name="Tableware", parent=above)
    board = BuyableProductFactory(
        slug="alm-board", title="Alm board", category=tableware, seller=seller,
        variant__sku="BOARD", variant__price=Decimal("54.00"),
    )  # fmt: skip
    mug = ProductFactory(
        slug="dune-mug", title="Dune mug", category=tableware, seller=seller,
        short_description="Thrown by hand.",
    )  # fmt: skip
    material = AttributeFactory(code="material", name="Material")
    AttributeValueFactory(product=board, attribute=material, text="Oak")
    AttributeValueFactory(product=mug, attribute=material, text="Stoneware")
    glaze = OptionFactory(product=mug, name="Glaze")
    variants = {
        label: VariantFactory(
            product=mug, sku=f"MUG-{label.upper()}", stock=stock,
            values=[OptionValueFactory(option=glaze, label=label)],
        )
        for label, stock in {"Sand": 10, "Moss": 5, "Ink": 0}.items()
    }  # fmt: skip
    index_all()
    return Shelves(seller=seller, mug=mug, moss=variants["Moss"], board=board)


@transaction.atomic
def index_all() -> None:
    """Let the search find whatever factories have made."""
    indexing.reindex(Product.objects.values_list("pk", flat=True))


def fill_up(shelves: Shelves) -> None:
    """Put 24 bowls, from 20 to 43, beside mug and board, so that the category has two pages."""
    for number in range(24):
        product = ProductFactory(
            title=f"Bowl {number}", category=shelves.mug.category, seller=shelves.seller
        )
        VariantFactory(product=product, price=Decimal(20 + number))
    index_all()


def _make_delivery() -> None:
    tax_class = TaxClassFactory()
    for country, percent, price in (("DE", 19, "4.90"), ("FR", 20, "9.90")):
        TaxRate.objects.create(
            tax_class=tax_class, country=country, name="VAT", percent=Decimal(percent)
        )
        zone = ShippingZone.objects.create(name=country, countries=[country])
        method = ShippingMethod.objects.create(
            zone=zone, code=f"standard-{country.lower()}", name="Standard", tax_class=tax_class
        )
        ShippingBand.objects.create(method=method, minimum=0, price=Decimal(price))
