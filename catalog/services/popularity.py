"""How well products sell, as lists, search and the home page rank by it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from shop.locking import retry_when_busy
from shop.services.changes import announce
from shop.transactions import no_transaction, own_transaction

BATCH = 500
MOST_PRODUCTS = 100_000
"""Written at once; without a broker mails wait for it, and the next run goes on."""

# What was sold goes first: where there is much to forget, that may take several runs.
_FIND = """
SELECT product.id, coalesce(sold.pieces, 0)
FROM catalog_product AS product
LEFT JOIN unnest(%(ids)s::bigint[], %(pieces)s::int[]) AS sold(id, pieces)
    ON sold.id = product.id
WHERE product.popularity <> coalesce(sold.pieces, 0)
ORDER BY sold.id IS NULL, product.id
LIMIT {most:d}
"""
_LOCK = """
SELECT id FROM catalog_product WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
_WRITE = """
UPDATE catalog_product AS product SET popularity = sold.pieces
FROM unnest(%(ids)s::bigint[], %(pieces)s::int[]) AS sold(id, pieces)
WHERE product.id = sold.id AND product.popularity <> sold.pieces
RETURNING product.id
"""


@no_transaction
def set_pieces_sold(pieces: Mapping[int, int]) -> int:
    """Write how many pieces each product sold, 0 for all others; return how many rows changed.

    Nothing sold at all changes nothing: a demo shop, or one filled by `manage.py demo --products`,
    keeps its made-up popularity until its first sale.
    """
    if not pieces:
        return 0
    found = _find_stale(pieces)
    return sum(
        _write_batch(dict(found[start : start + BATCH])) for start in range(0, len(found), BATCH)
    )


def _find_stale(pieces: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return the products whose row says something else, with the pieces that it should say."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FIND.format(most=MOST_PRODUCTS),
            {"ids": list(pieces), "pieces": list(pieces.values())},
        )
        return [(product_id, sold) for product_id, sold in cursor.fetchall()]


@retry_when_busy
@own_transaction
def _write_batch(pieces: Mapping[int, int]) -> int:
    """Write and announce what still differs; locks the products in primary-key order."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [sorted(pieces)])
        cursor.execute(_WRITE, {"ids": list(pieces), "pieces": list(pieces.values())})
        changed = [f"product:{row[0]}" for row in cursor.fetchall()]
    announce(*changed)
    return len(changed)
