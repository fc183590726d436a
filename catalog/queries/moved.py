"""Where to find what had this address before: one step to where it is now, or nowhere."""

from __future__ import annotations

from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS
from catalog.queries.category import is_path
from catalog.queries.links import category_url, collection_url, product_url, seller_url
from catalog.queries.rows import fetch_row

_PRODUCT = f"""
SELECT p.slug FROM shop_formeraddress former, {FROM_PRODUCTS}
WHERE former.kind = 'product' AND former.path = %(path)s AND p.id = former.target_id AND {FOR_SALE}
  AND NOT EXISTS (
      SELECT FROM catalog_product taker
      WHERE taker.slug = %(path)s AND taker.published_at IS NOT NULL
  )
"""
_CATEGORY = """
SELECT category.path
FROM shop_formeraddress former JOIN catalog_category category ON category.id = former.target_id
WHERE former.kind = 'category' AND former.path = %(path)s
  AND NOT EXISTS (SELECT FROM catalog_category taker WHERE taker.path = %(path)s)
"""
_COLLECTION = """
SELECT collection.slug
FROM shop_formeraddress former JOIN catalog_collection collection ON collection.id = former.target_id
WHERE former.kind = 'collection' AND former.path = %(path)s AND collection.is_public
  AND NOT EXISTS (SELECT FROM catalog_collection taker WHERE taker.slug = %(path)s)
"""
_SELLER = """
SELECT seller.slug
FROM shop_formeraddress former JOIN accounts_seller seller ON seller.id = former.target_id
WHERE former.kind = 'seller' AND former.path = %(path)s AND seller.status = 'active'
  AND NOT EXISTS (SELECT FROM accounts_seller taker WHERE taker.slug = %(path)s)
"""


def find_moved_product(slug: str) -> str | None:
    """Return the address of the product that had this slug before.

    A product that took the slug over and was ever on sale keeps it, even when it is gone itself.
    """
    row = fetch_row(_PRODUCT, {"path": slug})
    return product_url(row[0]) if row and row[0] != slug else None


def find_moved_category(path: str) -> str | None:
    """Return the address of the category that had this path before."""
    row = fetch_row(_CATEGORY, {"path": path}) if is_path(path) else None
    return category_url(row[0]) if row else None


def find_moved_collection(slug: str) -> str | None:
    """Return the address of the collection that had this slug before."""
    row = fetch_row(_COLLECTION, {"path": slug})
    return collection_url(row[0]) if row else None


def find_moved_seller(slug: str) -> str | None:
    """Return the address of the seller who had this slug before."""
    row = fetch_row(_SELLER, {"path": slug})
    return seller_url(row[0]) if row else None
