"""What a product looks like outside the database: importers and the demo shop build these.

`catalog.services.publishing` turns a `ProductRecord` into rows, creating or updating.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalog.models import Attribute, Product


@dataclass(frozen=True, slots=True)
class CategoryStep:
    """One category on the way from the root to where a product stands."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class OptionValueRecord:
    """A choice; a `swatch` of None means that the origin does not say."""

    label: str
    swatch: str | None = None


@dataclass(frozen=True, slots=True)
class OptionRecord:
    """An axis with its choices, in the order in which shoppers see them."""

    name: str
    values: tuple[OptionValueRecord, ...]


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """What is bought. `options` are value labels in the order of the product's options.

    Amounts are in the shop's currency. An empty SKU is filled from the product's slug and the
    options. `cost`, `stock` and `low_stock_at` of None mean that the origin does not say.
    """

    price: Decimal
    sku: str = ""
    options: tuple[str, ...] = ()
    compare_at_price: Decimal | None = None
    cost: Decimal | None = None
    weight_grams: int = 0
    barcode: str = ""
    tracks_stock: bool = True
    stock: int | None = None
    image: str = ""
    is_active: bool = True
    low_stock_at: int | None = None


@dataclass(frozen=True, slots=True)
class AttributeRecord:
    """A fact in words; kind and unit are guessed from the words unless they are given.

    The attribute is found by its code, which is made of the name unless it is given.
    """

    name: str
    values: tuple[str, ...]
    kind: Attribute.Kind | None = None
    unit: str = ""
    is_filter: bool = True
    position: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A picture by its file name or address; the bytes are stored before the product is."""

    source: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A whole product. `handle` is its name in the origin, and its slug unless that is taken.

    None means that the origin does not say, and so does a name of a field, of the variants too, in
    `unsaid`: a product that is in the shop already keeps what it has there. One that `may_be_empty`
    is active without a variant on purpose. `collections` are those chosen by hand, by slug and name;
    imports alone see to them.
    """

    handle: str
    title: str
    variants: tuple[VariantRecord, ...]
    options: tuple[OptionRecord, ...] = ()
    short_description: str = ""
    description: str = ""
    care: str = ""
    origin: str = ""
    tags: tuple[str, ...] = ()
    collections: tuple[CategoryStep, ...] | None = None
    category: tuple[CategoryStep, ...] = ()
    tax_class: str = "standard"
    status: Product.Status = Product.Status.ACTIVE
    attributes: tuple[AttributeRecord, ...] = ()
    images: tuple[ImageRecord, ...] = ()
    seo_title: str | None = None
    seo_description: str | None = None
    published_at: datetime | None = None
    may_be_empty: bool = False
    unsaid: frozenset[str] = frozenset()
