"""What a made-up catalogue writes: the tables, their columns, and the rows of a stretch of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

Row = tuple[Any, ...]

PRODUCTS = "catalog_product"
COLUMNS = {
    PRODUCTS: "id, seller_id, category_id, tax_class_id, slug, title, short_description, "
    "description, care, origin, tags, status, updated_at, published_at, price_from, price_to, "
    "compare_at_from, is_available, popularity, rating, rating_count",
    "catalog_imageasset": "id, original, width, height, checksum, base, renditions, ready_at, error",
    "catalog_productimage": "product_id, asset_id, alt, position",
    "catalog_option": "id, product_id, name, position",
    "catalog_optionvalue": "id, option_id, label, swatch, position",
    "catalog_productvariant": "id, product_id, sku, barcode, label, price, compare_at_price, "
    "weight_grams, is_active, tracks_stock, position",
    "catalog_productvariant_option_values": "productvariant_id, optionvalue_id",
    "catalog_stocklevel": "id, variant_id, on_hand, allocated",
    "catalog_stockmovement": "level_id, kind, on_hand_change, allocated_change, reference, reason",
    "catalog_attributevalue": "product_id, attribute_id, text, number, boolean, facet",
}
"""Parents before children. Columns that are not named keep what the database gives them."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a product can be found by, as `catalog.services.indexing` weighs it.

    `codes` are those of the variants, as the search column takes them.
    """

    title: str
    kind: list[str]
    codes: list[str]
    facts: list[str]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of some products by table; `words` goes with the products, one for each."""

    tables: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    words: list[Words] = field(default_factory=list)

    def add(self, table: str, *row: Any) -> None:
        self.tables[table].append(row)
