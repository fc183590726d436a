"""What an index holds, in plain values that can be compared."""

from __future__ import annotations

from typing import Any

from catalog.index import Snapshot
from catalog.index.arrays import to_ids


def describe(snapshot: Snapshot) -> dict[str, Any]:
    """Return everything that pages read of a snapshot, however it came about."""
    ids = to_ids(snapshot.for_sale)
    keys = snapshot.keys
    return {
        "for_sale": set(snapshot.for_sale),
        "available": set(snapshot.available),
        "rated": {stars: set(products) for stars, products in snapshot.rated.items()},
        "own": {key: set(products) for key, products in snapshot.own.items() if products},
        "categories": {
            key: set(products) for key, products in snapshot.categories.items() if products
        },
        "ways": dict(snapshot.ways),
        "makers": dict(snapshot.makers),
        "attributes": list(snapshot.attributes.values()),
        "swatches": dict(snapshot.swatches),
        "values": {
            (attribute_id, facet): (value.label, set(value.products))
            for attribute_id, values in snapshot.values.items()
            if not attribute_id or attribute_id in snapshot.attributes
            for facet, value in values.items()
            if value.products
        },
        "numbers": {
            column: dict(zip(ids.tolist(), getattr(keys, column).take(ids).tolist(), strict=True))
            for column in ("category", "price", "published", "popularity", "rated")
        },
        "stated": {
            product: sorted(
                (int(snapshot.attributes_of[number]), snapshot.facets[number])
                for number in snapshot.stated.of(product)
                if not snapshot.attributes_of[number]
                or int(snapshot.attributes_of[number]) in snapshot.attributes
            )
            for product in ids.tolist()
        },
    }
