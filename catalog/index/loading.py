"""Building the index anew from everything that PostgreSQL holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from pyroaring import BitMap

from catalog.index import reading
from catalog.index.arrays import Column, Ids, Numbers, Statements, to_bitmap, to_ids
from catalog.index.reading import Products, Stated
from catalog.index.snapshot import MAKERS, RATINGS, Attribute, Keys, Maker, Snapshot, Value

MOST_VALUES = 20_000
"""What has more values than this, such as a part number, is for searching and not for filtering."""


def load() -> Snapshot:
    """Read everything. A change that commits meanwhile is in the journal, and applied afterwards."""
    with reading.at_leisure():
        attributes = reading.read_attributes()
        makers = reading.read_makers()
        ways = reading.read_ways()
        products = reading.read_products()
        stated = reading.read_statements()
        swatches = reading.read_swatches()
    return build(
        products, stated, attributes=attributes, makers=makers, ways=ways, swatches=swatches
    )


def build(
    products: Products, stated: Sequence[Stated], *, attributes: Mapping[int, Attribute],
    makers: Mapping[int, Maker], ways: Mapping[int, tuple[int, ...]], swatches: Mapping[str, str],
) -> Snapshot:  # fmt: skip
    """Turn what was read into bitmaps and arrays."""
    for_sale = to_bitmap(products.ids)
    own = group(products.ids, products.category)
    own.pop(0, None)
    too_varied = find_too_varied(stated)
    values, facets, attributes_of, statements = _number_values(
        [
            *(
                each
                for each in stated
                if each.attribute_id in attributes and each.attribute_id not in too_varied
            ),
            *(
                Stated(MAKERS, makers[seller].slug, makers[seller].name, to_ids(of_seller))
                for seller, of_seller in group(products.ids, products.seller).items()
                if seller in makers
            ),
        ],
        products.ids,
    )
    return Snapshot(
        for_sale=for_sale,
        available=to_bitmap(products.ids[products.available]),
        rated={stars: to_bitmap(products.ids[products.rating >= stars * 100]) for stars in RATINGS},
        own=own,
        categories=roll_up(own, ways),
        ways=ways,
        makers=makers,
        attributes={
            attribute_id: attribute
            for attribute_id, attribute in attributes.items()
            if attribute_id not in too_varied
        },
        too_varied=too_varied,
        values=values,
        facets=facets,
        attributes_of=attributes_of,
        swatches=swatches,
        keys=Keys(
            category=Column(np.int32).put(products.ids, products.category),
            price=Column(np.int64).put(products.ids, products.price),
            published=Column(np.int64).put(products.ids, products.published),
            popularity=Column(np.int32).put(products.ids, products.popularity),
            rated=Column(np.int64).put(products.ids, products.rated),
        ),
        stated=statements,
    )


def group(ids: Ids, keys: Numbers) -> dict[int, BitMap]:
    """Part products by a number that each of them has."""
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    found, starts = np.unique(sorted_keys, return_index=True)
    parts = np.split(ids[order], starts[1:])
    return {int(key): to_bitmap(part) for key, part in zip(found, parts, strict=False)}


def roll_up(own: Mapping[int, BitMap], ways: Mapping[int, tuple[int, ...]]) -> dict[int, BitMap]:
    """Add to each category what stands below it."""
    families: dict[int, list[BitMap]] = {}
    for category_id, products in own.items():
        for above in ways.get(category_id, (category_id,)):
            families.setdefault(above, []).append(products)
    return {category_id: BitMap.union(*family) for category_id, family in families.items()}


def find_too_varied(stated: Iterable[Stated]) -> frozenset[int]:
    """Name the attributes with so many values that no shopper could choose among them."""
    found: dict[int, int] = {}
    for each in stated:
        found[each.attribute_id] = found.get(each.attribute_id, 0) + 1
    return frozenset(key for key, many in found.items() if many > MOST_VALUES)


def _number_values(
    stated: Iterable[Stated], for_sale: Ids
) -> tuple[dict[int, dict[str, Value]], list[str], Numbers, Statements]:
    """Give each value a number; what only products state that are not for sale has none yet."""
    last = int(for_sale[-1]) + 1 if len(for_sale) else 1
    is_for_sale = np.zeros(last + 1, dtype=bool)
    is_for_sale[for_sale] = True
    values: dict[int, dict[str, Value]] = {}
    facets: list[str] = []
    attributes_of: list[int] = []
    products: list[Numbers] = []
    for each in stated:
        shown = each.products[is_for_sale[np.minimum(each.products, last)]]
        if not len(shown):
            continue
        value = Value(len(facets), each.label, to_bitmap(shown))
        values.setdefault(each.attribute_id, {})[each.facet] = value
        facets.append(each.facet)
        attributes_of.append(each.attribute_id)
        products.append(shown)
    numbers = np.repeat(np.arange(len(products), dtype=np.uint32), [len(part) for part in products])
    pairs = np.concatenate(products) if products else np.empty(0, dtype=np.uint32)
    return (
        values,
        facets,
        np.array(attributes_of, dtype=np.int32),
        Statements().put(for_sale, pairs, numbers),
    )
