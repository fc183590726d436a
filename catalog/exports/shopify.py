"""Writes Shopify's product CSV in the layout that its import has taken for years.

It holds what Shopify has a column for; the shop's own format holds everything. Rows with one handle
are one product: the first says what it is, each adds a variant, a picture, or both.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from catalog import facts
from catalog.exports.pages import OwnedProduct
from catalog.models import Product
from catalog.product_csv import AXES, neutralise
from catalog.records import ImageRecord, ProductRecord, VariantRecord

TITLES = {
    "handle": "Handle",
    "title": "Title",
    "body": "Body (HTML)",
    "vendor": "Vendor",
    "category": "Product Category",
    "type": "Type",
    "tags": "Tags",
    "published": "Published",
    "option1": "Option1 Name",
    "value1": "Option1 Value",
    "option2": "Option2 Name",
    "value2": "Option2 Value",
    "option3": "Option3 Name",
    "value3": "Option3 Value",
    "sku": "Variant SKU",
    "grams": "Variant Grams",
    "tracker": "Variant Inventory Tracker",
    "quantity": "Variant Inventory Qty",
    "policy": "Variant Inventory Policy",
    "fulfilment": "Variant Fulfillment Service",
    "price": "Variant Price",
    "compare_at": "Variant Compare At Price",
    "shipping": "Variant Requires Shipping",
    "taxable": "Variant Taxable",
    "barcode": "Variant Barcode",
    "image": "Image Src",
    "place": "Image Position",
    "alt": "Image Alt Text",
    "gift_card": "Gift Card",
    "seo_title": "SEO Title",
    "seo_description": "SEO Description",
    "variant_image": "Variant Image",
    "unit": "Variant Weight Unit",
    "cost": "Cost per item",
    "status": "Status",
}
BRAND, TYPE = "brand", "type"
UNTAXED = "untaxed"
Cells = dict[str, str]


class ShopifyWriter:
    """Turns products into rows. Shopify knows three options: of others only the SKU tells."""

    def __init__(self, axes: int) -> None:
        self.axes = axes

    def header(self) -> list[str]:
        return list(TITLES.values())

    def rows(self, product: OwnedProduct) -> Iterator[list[str]]:
        record = product.record
        variants = [each for each in record.variants if each.is_active]
        cells = _describe_product(product)
        pairs = list(zip_longest(variants, record.images)) or [(None, None)]
        for place, (variant, image) in enumerate(pairs, start=1):
            if variant:
                cells |= _describe_variant(variant, record)
            if image:
                cells |= _describe_image(image, place)
            yield [neutralise(cells.get(name, "")) for name in TITLES]
            cells = {"handle": record.handle}


def _describe_product(product: OwnedProduct) -> Cells:
    record = product.record
    cells = {
        "handle": record.handle,
        "title": record.title,
        "body": record.description,
        "vendor": _find_fact(record, BRAND) or product.seller,
        "type": _find_fact(record, TYPE) or (record.category[-1].name if record.category else ""),
        "category": " > ".join(step.name.replace(">", "/") for step in record.category),
        "tags": ", ".join(tag.replace(",", " ") for tag in record.tags),
        "published": _write_flag(record.status == Product.Status.ACTIVE),
        "gift_card": _write_flag(False),
        "seo_title": record.seo_title or "",
        "seo_description": record.seo_description or "",
        "status": record.status.value,
    }
    for number, option in enumerate(record.options[:AXES], start=1):
        cells[f"option{number}"] = option.name
    if not record.options:
        cells |= {"option1": "Title", "value1": "Default Title"}
    return cells


def _describe_variant(variant: VariantRecord, record: ProductRecord) -> Cells:
    cells = {
        "sku": variant.sku,
        "grams": str(variant.weight_grams),
        "tracker": "shopify" if variant.tracks_stock else "",
        "quantity": "" if variant.stock is None else str(variant.stock),
        "policy": "deny",
        "fulfilment": "manual",
        "price": f"{variant.price:f}",
        "compare_at": "" if variant.compare_at_price is None else f"{variant.compare_at_price:f}",
        "shipping": _write_flag(True),
        "taxable": _write_flag(record.tax_class != UNTAXED),
        "barcode": variant.barcode,
        "variant_image": variant.image,
        "unit": "g",
        "cost": "" if variant.cost is None else f"{variant.cost:f}",
    }
    for number, label in enumerate(variant.options[:AXES], start=1):
        cells[f"value{number}"] = label
    return cells


def _describe_image(image: ImageRecord, place: int) -> Cells:
    return {"image": image.source, "place": str(place), "alt": image.alt}


def _find_fact(record: ProductRecord, code: str) -> str:
    """Return what the product states for an attribute, if it is one value."""
    for fact in record.attributes:
        if (fact.code or facts.make_code(fact.name)) == code and len(fact.values) == 1:
            return fact.values[0]
    return ""


def _write_flag(flag: bool) -> str:
    return "true" if flag else "false"
