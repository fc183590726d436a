"""What is bought together: pairs of products in paid orders, told to the catalogue."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from catalog.services import bought_together
from catalog.services.bought_together import MOST_COMPANIONS
from orders.services.best_sellers import PAID, SOLD
from shop.clock import now
from shop.transactions import no_transaction

WINDOW = timedelta(days=365)
LEAST_ORDERS = 2
"""One order with both may be chance."""
MOST_PRODUCTS = 30
"""Who orders more kinds of things than this stocks up: what is among them says nothing."""

# Of equals, what was bought together last comes first.
_PAIRS = """
WITH bought AS (
    SELECT DISTINCT line.order_id, variant.product_id
    FROM orders_orderline line
    JOIN orders_order AS whole ON whole.id = line.order_id
    JOIN catalog_productvariant variant ON variant.id = line.variant_id
    WHERE whole.status = ANY(%(sold)s) AND whole.payment_status = ANY(%(paid)s)
      AND whole.paid_at >= %(since)s
), telling AS (
    SELECT order_id FROM bought GROUP BY order_id HAVING count(*) BETWEEN 2 AND %(most)s
), pairs AS (
    SELECT one.product_id, other.product_id AS other_id, count(*) AS orders,
           max(telling.order_id) AS latest
    FROM telling JOIN bought one USING (order_id) JOIN bought other USING (order_id)
    WHERE one.product_id <> other.product_id
    GROUP BY 1, 2 HAVING count(*) >= %(least)s
), ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY product_id ORDER BY orders DESC, latest DESC, other_id
    ) AS place
    FROM pairs
)
SELECT product_id, other_id, orders FROM ranked WHERE place <= %(companions)s
ORDER BY product_id, place
"""


@no_transaction
def count() -> int:
    """Tell each product what it was bought with; return how many products changed."""
    return bought_together.set_companions(count_companions())


@no_transaction
def count_companions() -> dict[int, list[tuple[int, int]]]:
    """Return for each product what lay beside it in at least two orders that were paid lately."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PAIRS,
            {
                "sold": [status.value for status in SOLD],
                "paid": [status.value for status in PAID],
                "since": now() - WINDOW,
                "most": MOST_PRODUCTS,
                "least": LEAST_ORDERS,
                "companions": MOST_COMPANIONS,
            },
        )
        rows = cursor.fetchall()
    companions: dict[int, list[tuple[int, int]]] = {}
    for product, other, orders in rows:
        companions.setdefault(product, []).append((other, orders))
    return companions
