"""The search column of products: which words count, and how much."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from django.db import connection
from django.db.models import Q, QuerySet

from catalog.models import AttributeValue, Category, OptionValue, Product, ProductVariant
from catalog.search.text import configuration, to_code, write_words
from catalog.search.vocabulary import list_words
from catalog.services import vocabulary
from shop.richtext import to_text
from shop.services import outbox
from shop.services.changes import announce
from shop.transactions import inside_transaction, no_transaction, own_transaction

REINDEX_TASK = "catalog.reindex"
LATER = 8
BATCH = 200
LONGEST_DESCRIPTION = 20_000
Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Show nobody how far it is."""


def weigh(title: str, kind: str, facts: str, description: str) -> str:
    """Say in SQL what the search column is, made of four columns of written words.

    The statement gives the text search configuration as `config`.
    """
    sections = {"A": title, "B": kind, "C": facts, "D": description}
    return " || ".join(
        f"setweight(to_tsvector(%(config)s::regconfig, {words}), '{weight}')"
        for weight, words in sections.items()
    )


_REINDEX = f"""
UPDATE catalog_product AS product SET search = indexed.search
FROM (
    SELECT words.id,
           {weigh("words.title", "words.kind", "words.facts", "words.description")} AS search
    FROM unnest(%(ids)s::bigint[], %(titles)s::text[], %(kinds)s::text[], %(facts)s::text[],
                %(descriptions)s::text[]) AS words(id, title, kind, facts, description)
) AS indexed
WHERE product.id = indexed.id AND product.search IS DISTINCT FROM indexed.search
RETURNING product.id
"""


@inside_transaction
def reindex(product_ids: Collection[int]) -> int:
    """Write the search column of some products, announce those that changed, return how many.

    Weights: A title; B seller, categories, tags, options, SKUs and barcodes; C attributes;
    D description. Words that the catalogue did not know are learnt, except those of descriptions.
    """
    products = list(
        Product.objects.filter(pk__in=product_ids)
        .select_related("seller", "category")
        .defer("search")
        .order_by("pk")
    )
    if not products:
        return 0
    ids = [product.pk for product in products]
    titles = [write_words([product.title]) for product in products]
    collected = _collect_kinds(products)
    kinds = [write_words(collected[pk]) for pk in ids]
    stated = _collect_facts(ids)
    facts = [write_words(stated[pk]) for pk in ids]
    with connection.cursor() as cursor:
        cursor.execute(
            _REINDEX,
            {
                "config": configuration(),
                "ids": ids,
                "titles": titles,
                "kinds": kinds,
                "facts": facts,
                "descriptions": [_describe(product) for product in products],
            },
        )
        changed = [f"words:{pk}" for (pk,) in cursor.fetchall()]
    if changed:
        announce(*changed)
        vocabulary.learn(set().union(*map(list_words, (*titles, *kinds, *facts))))
    return len(changed)


@no_transaction
def reindex_all(*, progress: Progress = no_progress) -> int:
    """Write the search column of every product, a batch per transaction; return how many changed."""
    return _reindex_in_batches(Product.objects.all(), progress)


@inside_transaction
def reindex_later(**what: int) -> None:
    """Have products found by a new name soon: `category`, `seller` or `attribute` says whose."""
    ((kind, id),) = what.items()
    outbox.enqueue(
        REINDEX_TASK, key=f"reindex:{kind}:{id}:{secrets.token_hex(8)}", priority=LATER, **what
    )


@no_transaction
def reindex_those_of(*, category: int = 0, seller: int = 0, attribute: int = 0) -> int:
    """Write the search column of products that repeat a name; return how many changed.

    Of a category these are its own and those of all below it.
    """
    path = Category.objects.filter(pk=category).values_list("path", flat=True).first()
    chosen = Q(pk=None)
    if path:
        chosen |= Q(category=category) | Q(category__path__startswith=f"{path}/")
    if seller:
        chosen |= Q(seller=seller)
    if attribute:
        chosen |= Q(attribute_values__attribute=attribute)
    return _reindex_in_batches(Product.objects.filter(chosen).distinct())


def _reindex_in_batches(products: QuerySet[Product], progress: Progress = no_progress) -> int:
    ids = sorted(products.values_list("pk", flat=True))
    changed = 0
    for start in range(0, len(ids), BATCH):
        changed += _reindex_batch(ids[start : start + BATCH])
        progress(min(start + BATCH, len(ids)), len(ids))
    return changed


@own_transaction
def _reindex_batch(product_ids: Collection[int]) -> int:
    return reindex(product_ids)


def _collect_kinds(products: Collection[Product]) -> dict[int, list[str]]:
    words: dict[int, list[str]] = {}
    names = _name_categories(products)
    for product in products:
        path = product.category.path if product.category else ""
        words[product.pk] = [product.seller.name, *names.get(path, []), *product.tags]
    for product_id, label in OptionValue.objects.filter(
        option__product_id__in=words.keys()
    ).values_list("option__product_id", "label"):
        words[product_id].append(label)
    for product_id, *codes in ProductVariant.objects.filter(
        product_id__in=words.keys()
    ).values_list("product_id", "sku", "barcode"):
        words[product_id] += [*codes, *map(to_code, codes)]
    return words


def _name_categories(products: Iterable[Product]) -> dict[str, list[str]]:
    """Name each category used, with those above it, by its path."""
    ways: dict[str, list[str]] = {}
    for path in {product.category.path for product in products if product.category}:
        steps = path.split("/")
        ways[path] = ["/".join(steps[: depth + 1]) for depth in range(len(steps))]
    above = {step for way in ways.values() for step in way}
    names = dict(Category.objects.filter(path__in=above).values_list("path", "name"))
    return {path: [names[step] for step in way if step in names] for path, way in ways.items()}


def _collect_facts(ids: Collection[int]) -> dict[int, list[str]]:
    facts: dict[int, list[str]] = defaultdict(list)
    for value in AttributeValue.objects.filter(product_id__in=ids).select_related("attribute"):
        if value.boolean is not False:
            number = "" if value.number is None else f"{value.number.normalize():f}"
            words = (value.attribute.name, value.text, number, value.attribute.unit)
            facts[value.product_id] += [word for word in words if word]
    return facts


def _describe(product: Product) -> str:
    parts = [product.short_description, to_text(product.description), product.care, product.origin]
    return write_words(parts)[:LONGEST_DESCRIPTION]
