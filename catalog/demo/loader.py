"""Loads the demo catalogue: makers, categories, products, pictures and stock."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.text import slugify

from accounts.models import Seller
from accounts.services import sellers
from catalog.demo import facts
from catalog.models import Category, Collection, FormerPrice, ImageAsset, Product, Review
from catalog.records import (
    CategoryStep,
    ImageRecord,
    OptionRecord,
    OptionValueRecord,
    ProductRecord,
    VariantRecord,
)
from catalog.services import categories, collections, media, publishing, reviews
from catalog.services.publishing import Saved, StockTaking
from catalog.services.rows import assign
from shop.clock import now
from shop.richtext import paragraphs
from shop.transactions import no_transaction

FOLDER = Path(__file__).parent
STOCK_REASON = "Demo shop"
REDUCED_SINCE = timedelta(days=7)
Entry = Mapping[str, Any]
"""One object of catalog.json."""


def read_catalog() -> dict[str, list[Entry]]:
    """Read the catalogue as it lies beside this module."""
    catalog: dict[str, list[Entry]] = json.loads((FOLDER / "catalog.json").read_text("utf-8"))
    return catalog


def is_empty() -> bool:
    """Say whether the shop has no product at all."""
    return not Product.objects.exists()


@no_transaction
def load() -> Iterator[Saved]:
    """Create or update the catalogue, one product per transaction; yield each.

    A shelf that was counted before is left alone, so loading again undoes no sale. The first
    product of the file comes last, which makes it the newest.
    """
    catalog = read_catalog()
    makers = save_makers(catalog["makers"])
    ways = _find_ways(catalog["categories"])
    for entry in catalog["categories"]:
        _save_category(entry, ways[entry["slug"]])
    for entry in reversed(catalog["products"]):
        record = make_record(entry, ways)
        saved = publishing.save_product(
            record,
            seller=makers[entry["maker"]],
            stock_taking=StockTaking(reason=STOCK_REASON),
            assets=_store(image.source for image in record.images),
        )
        _make_up_prices(saved.product)
        yield saved
    for place, entry in enumerate(catalog["collections"]):
        _add_collection(entry, place)
    _add_reviews()


@no_transaction
def store_photographs() -> list[int]:
    """Take in the first photograph of every product of the file; return the ids of the assets."""
    sources = [entry["images"][0]["file"] for entry in read_catalog()["products"]]
    return sorted({asset.pk for asset in _store(sources).values()})


@no_transaction
def save_makers(entries: Iterable[Entry]) -> dict[str, Seller]:
    """Create or update the makers as sellers; return them by slug."""
    return {
        entry["slug"]: sellers.save_seller(
            entry["slug"],
            name=entry["name"],
            country=entry["country"],
            tagline=entry["tagline"],
            story=entry["story"],
            place=entry["place"],
            email=f"{entry['slug']}@emporium.example",
            handling_days=entry["handling_days"],
        )
        for entry in entries
    }


def make_record(entry: Entry, ways: Mapping[str, tuple[CategoryStep, ...]]) -> ProductRecord:
    """Turn one product of the file into a record."""
    extras = [text for text in (entry["includes"], entry["not_included"]) if text]
    return ProductRecord(
        handle=entry["slug"],
        title=entry["name"],
        short_description=entry["short_description"],
        description=paragraphs("\n\n".join([entry["description"], *extras])),
        care=entry["care"] or "",
        origin=entry["origin"] or "",
        tags=tuple(entry["tags"]),
        category=ways[entry["category"]],
        options=tuple(
            OptionRecord(
                option["name"],
                tuple(
                    OptionValueRecord(value["label"], value.get("swatch") or "")
                    for value in option["values"]
                ),
            )
            for option in entry["options"]
        ),
        variants=tuple(_make_variant(variant, entry) for variant in entry["variants"]),
        attributes=facts.collect(entry),
        images=tuple(ImageRecord(image["file"], image["alt"]) for image in entry["images"]),
    )


def _make_variant(variant: Entry, entry: Entry) -> VariantRecord:
    before = variant["compare_at_price"]
    return VariantRecord(
        sku=variant["sku"],
        options=tuple(variant["options"][option["name"]] for option in entry["options"]),
        price=Decimal(variant["price"]),
        compare_at_price=Decimal(before) if before else None,
        weight_grams=variant["weight_g"],
        stock=variant["stock"],
        image=variant["image"] or "",
    )


def _find_ways(entries: Iterable[Entry]) -> dict[str, tuple[CategoryStep, ...]]:
    """Return the way from the root to each category; parents come before their children."""
    ways: dict[str, tuple[CategoryStep, ...]] = {}
    for entry in entries:
        above = ways[entry["parent"]] if entry["parent"] else ()
        ways[entry["slug"]] = (*above, CategoryStep(entry["slug"], entry["name"]))
    return ways


def _save_category(entry: Entry, way: tuple[CategoryStep, ...]) -> None:
    path = "/".join(step.slug for step in way)
    above = "/".join(step.slug for step in way[:-1])
    category = Category.objects.filter(path=path).first() or Category(slug=entry["slug"])
    image = _store([entry["image"]["file"]])[entry["image"]["file"]]
    is_changed = assign(
        category,
        parent=Category.objects.get(path=above) if above else None,
        name=entry["name"],
        description=entry["description"],
        position=entry["position"],
        image_id=image.pk,
        image_alt=entry["image"]["alt"],
    )
    if is_changed:
        categories.save(category)


def _make_up_prices(product: Product) -> None:
    """Say that what is reduced cost more until a week ago: without a past, no price was higher."""
    FormerPrice.objects.bulk_create(
        FormerPrice(variant=variant, price=variant.compare_at_price, ended_at=now() - REDUCED_SINCE)
        for variant in product.variants.filter(compare_at_price__gt=F("price"), former_prices=None)
    )


def _add_collection(entry: Entry, place: int) -> None:
    """Add a collection that is missing; what somebody changed of one stays."""
    if Collection.objects.filter(slug=entry["slug"]).exists():
        return
    image = _store([entry["image"]["file"]])[entry["image"]["file"]]
    kind = Collection.Kind.RULE if "rule" in entry else Collection.Kind.HAND
    collection = Collection(
        slug=entry["slug"], name=entry["name"], description=entry["description"], kind=kind,
        image=image, image_alt=entry["image"]["alt"], is_on_home=True, position=place,
        **entry.get("rule", {}),
    )  # fmt: skip
    collections.save(collection, products=entry.get("products", ()))


def _add_reviews() -> None:
    """Give products without any review those of the file, as if staff had published them then."""
    entries: list[Entry] = json.loads((FOLDER / "reviews.json").read_text("utf-8"))
    products = dict(Product.objects.filter(reviews=None).values_list("slug", "pk"))
    wanted = [entry for entry in entries if entry["product"] in products]
    with transaction.atomic():
        Review.objects.bulk_create(_make_review(each, products[each["product"]]) for each in wanted)
        for slug in sorted({entry["product"] for entry in wanted}):
            reviews.rate(products[slug])


def _make_review(entry: Entry, product_id: int) -> Review:
    written_at = now() - timedelta(days=entry["days_ago"])
    answer = entry.get("answer", "")
    return Review(
        product_id=product_id,
        name=entry["name"],
        email=f"{slugify(entry['name'])}@emporium.example",
        language=settings.LANGUAGE_CODE,
        stars=entry["stars"],
        title=entry["title"],
        text=entry["text"],
        status=Review.Status.PUBLISHED,
        created_at=written_at,
        published_at=written_at,
        answer=answer,
        answered_at=written_at + timedelta(days=1) if answer else None,
    )


def _store(sources: Iterable[str]) -> dict[str, ImageAsset]:
    assets = {}
    for source in sources:
        with (FOLDER / source).open("rb") as file:
            assets[source] = media.add_image(file, is_our_own=True)
    return assets
