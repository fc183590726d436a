"""What a product repeats of its variants, so that lists need no join: prices and availability."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from shop.services.changes import announce
from shop.transactions import inside_transaction

_LOCK = """
SELECT id FROM catalog_product WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""

_REFRESH = """
UPDATE catalog_product AS product SET
    price_from = summary.price_from,
    price_to = summary.price_to,
    compare_at_from = summary.compare_at_from,
    is_available = summary.is_available
FROM (
    SELECT p.id,
           min(v.price) AS price_from,
           max(v.price) AS price_to,
           (array_agg(v.compare_at_price ORDER BY v.price, v.position, v.id))[1] AS compare_at_from,
           coalesce(bool_or(NOT v.tracks_stock OR s.on_hand > s.allocated), false) AS is_available
    FROM catalog_product p
    LEFT JOIN catalog_productvariant v ON v.product_id = p.id AND v.is_active
    LEFT JOIN catalog_stocklevel s ON s.variant_id = v.id
    WHERE p.id = ANY(%s)
    GROUP BY p.id
) AS summary
WHERE product.id = summary.id
  AND (product.price_from, product.price_to, product.compare_at_from, product.is_available)
      IS DISTINCT FROM
      (summary.price_from, summary.price_to, summary.compare_at_from, summary.is_available)
RETURNING product.id
"""


@inside_transaction
def refresh(product_ids: Collection[int]) -> int:
    """Recompute the summaries of some products; announce those that changed, return how many.

    Locks the product rows by primary key, always after their stock levels, and in a statement of
    their own: only the next one sees what whoever held the lock has done to the other variants.
    """
    if not product_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [sorted(product_ids)])
        cursor.execute(_REFRESH, [sorted(product_ids)])
        changed = [f"product:{row[0]}" for row in cursor.fetchall()]
    announce(*changed)
    return len(changed)
