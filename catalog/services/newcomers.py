"""Products that the shop has never seen, many of them in a few statements.

What is written is what `publishing.write_product` would write one by one; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accounts.models import Seller
from catalog import facts
from catalog.errors import ProductRefused
from catalog.models import (
    Attribute,
    AttributeValue,
    Category,
    ImageAsset,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductVariant,
)
from catalog.record_rules import check
from catalog.records import CategoryStep, ProductRecord
from catalog.services import assortment, categories, indexing, publishing, stock, summaries
from catalog.services.publishing import StockTaking
from catalog.services.rows import assign
from shop.services.changes import announce
from shop.transactions import inside_transaction


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A record with whose product it becomes and its stored pictures by their sources."""

    record: ProductRecord
    seller: Seller
    assets: Mapping[str, ImageAsset]


@inside_transaction
def create(newcomers: Sequence[Newcomer], *, stock_taking: StockTaking) -> dict[int, Product]:
    """Create those products that are surely new; return them by their places in the sequence.

    The others, among them all that break a rule, are for `write_product`. Raises `IntegrityError`
    when somebody else creates one of them at this moment.
    """
    slugs = _choose(newcomers)
    if not slugs:
        return {}
    products = _save_products(newcomers, slugs)
    pictures = _save_images(newcomers, products)
    values = _save_options(newcomers, products)
    variants = _save_variants(newcomers, products, values, pictures)
    _link_options(newcomers, variants, values)
    _open_shelves(newcomers, variants, stock_taking)
    _save_facts(newcomers, products)
    ids = [product.pk for product in products.values()]
    summaries.refresh(ids)
    indexing.reindex(ids)
    announce(*(f"product:{pk}" for pk in ids))
    return products


def _choose(newcomers: Sequence[Newcomer]) -> dict[int, str]:
    """Give a slug to each whose slugs and SKUs are neither in the shop nor named before it."""
    slugs: dict[int, list[str]] = {}
    skus: dict[int, list[str]] = {}
    for place, each in enumerate(newcomers):
        try:
            check(each.record)
        except ProductRefused:
            continue
        slugs[place] = publishing.list_slugs(each.record, each.seller)
        skus[place] = [sku for sku, _variant in assortment.name_skus(slugs[place][0], each.record)]
    taken_slugs = _find_taken(Product, "slug", slugs)
    taken_skus = _find_taken(ProductVariant, "sku", skus)
    chosen: dict[int, str] = {}
    for place in slugs:
        own_skus = skus[place]
        is_new = taken_slugs.isdisjoint(slugs[place]) and taken_skus.isdisjoint(own_skus)
        if is_new and len(set(own_skus)) == len(own_skus):
            chosen[place] = slugs[place][0]
        taken_slugs.update(slugs[place])
        taken_skus.update(own_skus)
    return chosen


def _find_taken(
    model: type[Product] | type[ProductVariant], column: str, wanted: Mapping[int, list[str]]
) -> set[str]:
    names = {name for each in wanted.values() for name in each}
    rows = model._default_manager.filter(**{f"{column}__in": names})
    return set(rows.values_list(column, flat=True))


def _save_products(newcomers: Sequence[Newcomer], slugs: Mapping[int, str]) -> dict[int, Product]:
    ways = find_categories(newcomers[place].record.category for place in slugs)
    tax_classes = {}
    products: dict[int, Product] = {}
    for place, slug in slugs.items():
        record = newcomers[place].record
        if record.category not in ways:
            ways[record.category] = categories.ensure_path(record.category)
        if record.tax_class not in tax_classes:
            tax_classes[record.tax_class] = publishing.ensure_tax_class(record)
        product = Product(seller=newcomers[place].seller, slug=slug)
        publishing.describe(
            product,
            record,
            category=ways[record.category],
            tax_class=tax_classes[record.tax_class],
        )
        products[place] = product
    Product.objects.bulk_create(products.values())
    return products


def find_categories(
    ways: Iterable[tuple[CategoryStep, ...]],
) -> dict[tuple[CategoryStep, ...], Category | None]:
    """Find those ways through the categories whose end is there already."""
    paths = {"/".join(step.slug for step in way): way for way in ways if way}
    return {paths[row.path]: row for row in Category.objects.filter(path__in=paths)}


def _save_images(
    newcomers: Sequence[Newcomer], products: Mapping[int, Product]
) -> dict[int, dict[str, ProductImage]]:
    """Save each picture of a product once; return them by place and source."""
    pictures: dict[int, dict[str, ProductImage]] = {}
    rows: list[ProductImage] = []
    for place, product in products.items():
        assets = newcomers[place].assets
        by_asset: dict[int, ProductImage] = {}
        pictures[place] = {}
        for image in newcomers[place].record.images:
            asset = assets.get(image.source)
            if asset is None:
                continue
            if asset.pk not in by_asset:
                by_asset[asset.pk] = ProductImage(
                    product=product,
                    asset=asset,
                    alt=image.alt.strip()[:250],
                    position=len(by_asset),
                )
            pictures[place][image.source] = by_asset[asset.pk]
        rows += by_asset.values()
    ProductImage.objects.bulk_create(rows)
    return pictures


def _save_options(
    newcomers: Sequence[Newcomer], products: Mapping[int, Product]
) -> dict[int, assortment.Values]:
    options = [
        (place, axis, Option(product=product, name=option.name, position=axis))
        for place, product in products.items()
        for axis, option in enumerate(newcomers[place].record.options)
    ]
    Option.objects.bulk_create(option for _place, _axis, option in options)
    values: dict[int, assortment.Values] = {place: {} for place in products}
    for place, axis, option in options:
        for position, choice in enumerate(newcomers[place].record.options[axis].values):
            values[place][axis, choice.label] = OptionValue(
                option=option, label=choice.label, swatch=choice.swatch or "", position=position
            )
    OptionValue.objects.bulk_create(value for each in values.values() for value in each.values())
    return values


def _save_variants(
    newcomers: Sequence[Newcomer],
    products: Mapping[int, Product],
    values: Mapping[int, assortment.Values],
    pictures: Mapping[int, Mapping[str, ProductImage]],
) -> dict[int, list[ProductVariant]]:
    variants: dict[int, list[ProductVariant]] = {}
    for place, product in products.items():
        variants[place] = []
        named = assortment.name_skus(product.slug, newcomers[place].record)
        for position, (sku, variant) in enumerate(named):
            row = ProductVariant(product=product)
            assign(
                row,
                **assortment.describe_variant(
                    variant, row, sku=sku, position=position, pictures=pictures[place]
                ),
            )
            variants[place].append(row)
    ProductVariant.objects.bulk_create(row for rows in variants.values() for row in rows)
    return variants


def _link_options(
    newcomers: Sequence[Newcomer],
    variants: Mapping[int, Sequence[ProductVariant]],
    values: Mapping[int, assortment.Values],
) -> None:
    link = ProductVariant.option_values.through
    link._default_manager.bulk_create(
        link(productvariant_id=row.pk, optionvalue_id=values[place][axis, label].pk)
        for place, rows in variants.items()
        for row, variant in zip(rows, newcomers[place].record.variants, strict=True)
        for axis, label in enumerate(variant.options)
    )


def _open_shelves(
    newcomers: Sequence[Newcomer],
    variants: Mapping[int, Sequence[ProductVariant]],
    taking: StockTaking,
) -> None:
    quantities = {
        row.pk: variant.stock or 0
        for place, rows in variants.items()
        for row, variant in zip(rows, newcomers[place].record.variants, strict=True)
        if row.tracks_stock
    }
    stock.open_shelves(quantities, actor=taking.actor, reason=taking.reason)


def _save_facts(newcomers: Sequence[Newcomer], products: Mapping[int, Product]) -> None:
    records = [each for place in products for each in newcomers[place].record.attributes]
    attributes = assortment.get_attributes(list(reversed(records)))
    AttributeValue.objects.bulk_create(_list_facts(newcomers, products, attributes))


def _list_facts(
    newcomers: Sequence[Newcomer],
    products: Mapping[int, Product],
    attributes: Mapping[str, Attribute],
) -> Iterator[AttributeValue]:
    for place, product in products.items():
        for record in newcomers[place].record.attributes:
            attribute = attributes[assortment.get_code(record)]
            for fact in facts.read(record.values, kind=attribute.kind, unit=attribute.unit):
                yield AttributeValue(
                    product=product,
                    attribute=attribute,
                    facet=fact.facet,
                    text=fact.text,
                    number=fact.number,
                    boolean=fact.boolean,
                )
