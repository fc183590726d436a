"""Whole products, from a record to rows: create, update, or find that nothing changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.text import slugify

from accounts.models import Seller
from catalog.models import Category, ImageAsset, Product, ProductImage, ProductVariant, StockLevel
from catalog.record_rules import check
from catalog.records import ImageRecord, ProductRecord
from catalog.services import assortment, categories, indexing, stock, summaries
from catalog.services.rows import assign, choose_positions
from shop.clock import now
from shop.models import TaxClass
from shop.richtext import clean_html
from shop.services.changes import announce
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User


COLUMNS = {"tax_class": "tax_class_id", "category": "category_id"}
"""Which column holds a field of a record, where they are called differently."""
SLUG = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_]{0,158}[A-Za-z0-9])?")


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Saved:
    product: Product
    change: Change


@dataclass(frozen=True, slots=True)
class StockTaking:
    """How the pieces that a record names reach the shelf: with this reason in the ledger.

    A shelf that was counted before is left alone unless `recounts`: what was sold since then would
    come back otherwise.
    """

    reason: str
    recounts: bool = False
    actor: User | None = None


@own_transaction
def save_product(
    record: ProductRecord,
    *,
    seller: Seller,
    stock_taking: StockTaking,
    assets: Mapping[str, ImageAsset] | None = None,
) -> Saved:
    """Create or update one product, as `write_product` does, in a transaction of its own."""
    return write_product(record, seller=seller, stock_taking=stock_taking, assets=assets)


@inside_transaction
def write_product(
    record: ProductRecord,
    *,
    seller: Seller,
    stock_taking: StockTaking,
    assets: Mapping[str, ImageAsset] | None = None,
) -> Saved:
    """Create or update one of a seller's products with everything that belongs to it.

    The product is found by its handle, else by its SKUs; variants by SKU, else by their options.
    Variants that the record no longer names are taken off sale. Pictures come as stored `assets`
    by their source; without any, those in place stay. Locks stock levels, then the product.
    Raises `ProductRefused` when the record breaks a rule.
    """
    check(record)
    product = _find(record, seller) or Product(seller=seller)
    is_new = product.pk is None
    is_changed = _describe(product, record)
    if is_new:
        product.slug = _choose_slug(record, seller)
        product.save()

    pictures, pictures_changed = _save_images(product, record.images, assets or {})
    parts_changed = assortment.save(product, record, pictures=pictures)
    stock_changed = _count_stock(product, record, stock_taking)
    facts_changed = assortment.save_attributes(product, record.attributes)

    rows_changed = any([is_changed, pictures_changed, parts_changed, facts_changed])
    if rows_changed and not is_new:
        product.save()
    if rows_changed or is_new:
        summaries.refresh([product.pk])
        indexing.reindex([product.pk])
        announce(f"product:{product.pk}")
    if is_new:
        return Saved(product, Change.CREATED)
    return Saved(product, Change.UPDATED if rows_changed or stock_changed else Change.UNCHANGED)


@inside_transaction
def set_pictures(
    product_id: int,
    images: Sequence[ImageRecord],
    *,
    assets: Mapping[str, ImageAsset],
    of_variants: Mapping[str, str],
) -> bool:
    """Show these pictures of a product, in this order; `of_variants` gives some SKUs a source.

    Locks the product. Says whether anything changed; a product that is gone has no pictures.
    """
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        return False
    pictures, is_changed = _save_images(product, images, assets)
    for variant in product.variants.filter(sku__in=of_variants):
        picture = pictures.get(of_variants[variant.sku])
        if picture and assign(variant, image_id=picture.pk):
            variant.save(update_fields=["image_id"])
            is_changed = True
    if is_changed:
        announce(f"product:{product.pk}")
    return is_changed


@inside_transaction
def finish(product: Product) -> Product:
    """Bring a product that a person edited in the admin into shape.

    Its text is made safe, its variants get labels and empty shelves, and what lists show is
    computed anew.
    """
    product.description = clean_html(product.description)
    _mark_published(product)
    product.save()
    assortment.relabel(product)
    for variant in product.variants.filter(tracks_stock=True, stock_level=None):
        stock.count(variant, 0, reason="")
    summaries.refresh([product.pk])
    indexing.reindex([product.pk])
    announce(f"product:{product.pk}")
    return product


def _find(record: ProductRecord, seller: Seller) -> Product | None:
    for slug in list_slugs(record, seller):
        if product := Product.objects.filter(slug=slug, seller=seller).first():
            return product
    skus = {variant.sku for variant in record.variants}
    if "" in skus:
        return None
    owners = ProductVariant.objects.filter(sku__in=skus, product__seller=seller)
    found = set(owners.values_list("product_id", flat=True))
    if len(found) == 1 and len(owners) == len(skus):
        return Product.objects.get(pk=found.pop())
    return None


def list_slugs(record: ProductRecord, seller: Seller) -> list[str]:
    """Name the slugs a record may have: its handle, and that with the seller's name behind."""
    slug = slugify(record.handle)[:120] or slugify(record.title)[:120] or "product"
    exact = [record.handle] if SLUG.fullmatch(record.handle) else []
    return list(dict.fromkeys([*exact, slug, f"{slug[: 159 - len(seller.slug)]}-{seller.slug}"]))


def _choose_slug(record: ProductRecord, seller: Seller) -> str:
    candidates = list_slugs(record, seller)
    candidates += [f"{candidates[0][:150]}-{number}" for number in range(2, 100)]
    taken = set(Product.objects.filter(slug__in=candidates).values_list("slug", flat=True))
    return next(slug for slug in candidates if slug not in taken)


def _describe(product: Product, record: ProductRecord) -> bool:
    category = categories.ensure_path(record.category)
    return describe(product, record, category=category, tax_class=ensure_tax_class(record))


@inside_transaction
def ensure_tax_class(record: ProductRecord) -> TaxClass:
    """Return the tax class that the record names, creating it without rates."""
    tax_class, _is_new = TaxClass.objects.get_or_create(
        code=record.tax_class, defaults={"name": record.tax_class.capitalize()}
    )
    return tax_class


def describe(
    product: Product, record: ProductRecord, *, category: Category | None, tax_class: TaxClass
) -> bool:
    """Set the product's own columns, unsaved; say whether any of them changed."""
    values = {
        "title": record.title.strip(),
        "short_description": record.short_description.strip(),
        "description": clean_html(record.description),
        "care": record.care.strip(),
        "origin": record.origin.strip(),
        "tags": list(record.tags),
        "tax_class_id": tax_class.pk,
        "status": record.status,
        "category_id": category.pk if category else product.category_id,
        "published_at": record.published_at or product.published_at,
        "seo_title": _say(record.seo_title, product.seo_title),
        "seo_description": _say(record.seo_description, product.seo_description),
    }
    if product.pk is not None:
        unsaid = {COLUMNS.get(field, field) for field in record.unsaid}
        values = {name: value for name, value in values.items() if name not in unsaid}
    changed = assign(product, **values)
    return _mark_published(product) or changed


def _say(said: str | None, before: str) -> str:
    return before if said is None else said.strip()


def _mark_published(product: Product) -> bool:
    if product.status != Product.Status.ACTIVE or product.published_at:
        return False
    product.published_at = now()
    return True


def _save_images(
    product: Product, images: Sequence[ImageRecord], assets: Mapping[str, ImageAsset]
) -> tuple[dict[str, ProductImage], bool]:
    """Set the product's pictures, each once, to those that are stored; return them by source."""
    wanted: dict[int, ImageRecord] = {}
    for image in images:
        if image.source in assets:
            wanted.setdefault(assets[image.source].pk, image)
    if not wanted:
        return {}, False
    present = {image.asset_id: image for image in product.images.all()}
    rows = {
        asset_id: present.pop(asset_id, ProductImage(product=product, asset_id=asset_id))
        for asset_id in wanted
    }
    is_changed = False
    for row, position in zip(rows.values(), choose_positions([*rows.values()]), strict=True):
        alt = wanted[row.asset_id].alt.strip()[:250]
        if assign(row, alt=alt, position=position) or row.pk is None:
            row.save()
            is_changed = True
    for leftover in present.values():
        leftover.delete()
    pictures = {
        image.source: rows[assets[image.source].pk] for image in images if image.source in assets
    }
    return pictures, is_changed or bool(present)


def _count_stock(product: Product, record: ProductRecord, taking: StockTaking) -> bool:
    """Count each variant that has no shelf yet, or all of them anew.

    Takes all locks first: each count also locks the product, which comes after the levels.
    """
    named = dict(assortment.name_skus(product.slug, record))
    if taking.recounts:
        levels = StockLevel.objects.filter(variant__product=product).order_by("pk")
        list(levels.select_for_update(of=["self"]))
    rows = ProductVariant.objects.filter(product=product, sku__in=named).select_related(
        "stock_level"
    )
    is_changed = False
    for row in sorted(rows, key=lambda row: row.pk):
        quantity = named[row.sku].stock
        level = getattr(row, "stock_level", None)
        if not row.tracks_stock or (level and (quantity is None or not taking.recounts)):
            continue
        is_changed = is_changed or level is None or level.on_hand != quantity
        stock.count(row, quantity or 0, actor=taking.actor, reason=taking.reason)
    return is_changed
