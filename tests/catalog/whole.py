"""The whole catalogue as plain values, by names rather than numbers, to compare two shops."""

from __future__ import annotations

import re
from typing import Any

from catalog.models import (
    Attribute,
    AttributeValue,
    Category,
    Collection,
    CollectionItem,
    Product,
    ProductImage,
    ProductVariant,
    StockMovement,
)

LEXEME = re.compile(r"'((?:[^']|'')+)'")
WORDS = (
    *("seller__slug", "category__path", "tax_class__code", "title", "short_description"),
    *("description", "care", "origin", "tags", "status", "published_at", "seo_title"),
    *("seo_description", "price_from", "price_to", "compare_at_from", "is_available"),
)
PARTS = (
    *("sku", "barcode", "label", "price", "compare_at_price", "cost", "weight_grams", "is_active"),
    *("tracks_stock", "stock_level__on_hand", "low_stock_at", "image__asset__checksum"),
)
FACT = (
    *("attribute__code", "attribute__name", "attribute__kind", "attribute__unit"),
    *("attribute__is_filter", "attribute__position", "text", "number", "boolean", "facet"),
)


def describe_catalogue() -> dict[str, Any]:
    """Describe every product, the newest last, and the categories."""
    return {
        "products": [_describe(product) for product in Product.objects.order_by("pk")],
        "categories": sorted(Category.objects.values_list("path", "name", "parent__path")),
    }


def _describe(product: Product) -> dict[str, Any]:
    return {
        "slug": product.slug,
        "words": Product.objects.filter(pk=product.pk).values(*WORDS).get()
        | {"search": sorted(LEXEME.findall(product.search or ""))},
        "options": [
            (option.name, list(option.values.values_list("label", "swatch")))
            for option in product.options.all()
        ],
        "variants": [
            variant
            | {
                "options": sorted(
                    ProductVariant.objects.get(sku=variant["sku"]).option_values.values_list(
                        "option__name", "label"
                    )
                )
            }
            for variant in product.variants.values(*PARTS)
        ],
        "images": list(
            ProductImage.objects.filter(product=product).values_list("asset__checksum", "alt")
        ),
        "collections": sorted(
            CollectionItem.objects.filter(product=product, collection__kind="hand").values_list(
                "collection__slug", "collection__name"
            )
        ),
        "facts": list(
            AttributeValue.objects.filter(product=product)
            .order_by("attribute__position", "attribute__name", "pk")
            .values(*FACT)
        ),
    }


def list_differences(before: dict[str, Any], after: dict[str, Any]) -> list[Any]:
    """Say what is not the same in two descriptions, part by part."""
    found: list[Any] = []
    if before["categories"] != after["categories"]:
        found.append(("categories", before["categories"], after["categories"]))
    old = {product["slug"]: product for product in before["products"]}
    new = {product["slug"]: product for product in after["products"]}
    if list(old) != list(new):
        found.append(("products", list(old), list(new)))
    for slug in old.keys() & new.keys():
        was, now = _flatten(old[slug]), _flatten(new[slug])
        found += [(slug, part, was[part], now[part]) for part in was if was[part] != now[part]]
    return found


def _flatten(product: dict[str, Any]) -> dict[str, Any]:
    return {**product, **product["words"], "words": None}


def empty_the_shop() -> None:
    """Delete products, categories, attributes and what was chosen by hand; sellers stay, and pictures."""
    StockMovement.objects.all().delete()
    Product.objects.all().delete()
    for category in Category.objects.order_by("-path"):
        category.delete()
    Attribute.objects.all().delete()
    Collection.objects.filter(kind=Collection.Kind.HAND).delete()
