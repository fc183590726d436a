"""What must hold of orders; see docs/invariants.md."""

from shop.invariants import declare

declare(
    "I1",
    "an order's total is the sum of its lines and delivery",
    sql="""
    SELECT o.number FROM orders_order o
    LEFT JOIN orders_orderline l ON l.order_id = o.id
    GROUP BY o.id
    HAVING o.items_total <> coalesce(sum(l.unit_price * l.quantity), 0)
        OR o.total <> o.items_total + o.shipping_total - o.discount_total
            + CASE WHEN o.prices_include_tax THEN 0 ELSE o.tax_total END
    """,
)
declare(
    "I3",
    "every captured payment belongs to an order",
    sql="""
    SELECT a.reference FROM payments_paymentattempt a
    LEFT JOIN orders_orderpayment p ON p.attempt_id = a.id
    WHERE a.status = 'captured' AND p.id IS NULL
    """,
)
declare(
    "I4",
    "a placed order keeps exactly its total, any more is on its way back, disputed, or its refund failed",
    sql="""
    WITH attempt AS (
        SELECT p.order_id,
            (SELECT coalesce(sum(amount), 0) FROM payments_paymenttransaction
             WHERE attempt_id = a.id AND kind = 'capture')
            - (SELECT coalesce(sum(amount), 0) FROM payments_refund
               WHERE attempt_id = a.id AND status <> 'failed') AS kept,
            (SELECT coalesce(sum(amount), 0) FROM payments_dispute
             WHERE attempt_id = a.id
               AND status IN ('needs_response', 'under_review', 'lost')) AS disputed,
            EXISTS (SELECT 1 FROM payments_refund
                    WHERE attempt_id = a.id AND status = 'failed') AS is_told
        FROM payments_paymentattempt a
        JOIN orders_orderpayment p ON p.attempt_id = a.id
        WHERE a.status = 'captured'
    ), paid AS (
        SELECT o.id, o.number, o.status, o.payment_status, o.total,
            coalesce(sum(attempt.kept), 0) AS kept,
            coalesce(sum(attempt.kept) FILTER (WHERE attempt.is_told), 0) AS told,
            coalesce(sum(least(attempt.kept, attempt.disputed)), 0) AS disputed
        FROM orders_order o LEFT JOIN attempt ON attempt.order_id = o.id
        GROUP BY o.id
    )
    SELECT number || ': total ' || total || ', kept ' || kept FROM paid
    WHERE (status IN ('placed', 'completed') AND payment_status = 'paid'
           AND (kept < total OR kept - total > told))
       OR (status IN ('pending', 'cancelled', 'expired') AND kept > told + disputed)
    """,
)
declare(
    "I9",
    "line taxes and delivery tax sum to the tax lines, and these to the order's tax",
    sql="""
    SELECT o.number FROM orders_order o
    WHERE o.tax_total <> (
        SELECT coalesce(sum(tax), 0) FROM orders_taxline WHERE order_id = o.id)
       OR (SELECT coalesce(sum(tax), 0) FROM orders_orderline WHERE order_id = o.id)
        > o.tax_total
    """,
)
declare(
    "I12",
    "the sellers' parts sum to the order's items",
    sql="""
    SELECT o.number FROM orders_order o
    WHERE o.items_total <> (
        SELECT coalesce(sum(items_total), 0) FROM orders_sellerorder WHERE order_id = o.id)
    """,
)
declare(
    "I14",
    "allocated stock is exactly what unpaid orders hold",
    sql="""
    SELECT v.sku || ': allocated ' || s.allocated || ', held ' || coalesce(held.quantity, 0)
    FROM catalog_stocklevel s
    JOIN catalog_productvariant v ON v.id = s.variant_id
    LEFT JOIN (
        SELECT l.variant_id, sum(l.quantity) AS quantity
        FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
        WHERE o.status = 'pending' AND l.is_stock_held GROUP BY l.variant_id
    ) AS held ON held.variant_id = s.variant_id
    WHERE s.allocated <> coalesce(held.quantity, 0)
    """,
)
declare(
    "I16",
    "each placed order's counted pieces left the shelf exactly once",
    sql="""
    WITH wanted AS (
        SELECT o.number, s.id AS level_id, sum(l.quantity) AS quantity
        FROM orders_order o
        JOIN orders_orderline l ON l.order_id = o.id AND l.is_stock_held
        JOIN catalog_stocklevel s ON s.variant_id = l.variant_id
        WHERE o.status IN ('placed', 'completed')
        GROUP BY o.number, s.id
    ), sold AS (
        SELECT m.reference AS number, m.level_id, sum(-m.on_hand_change) AS quantity
        FROM catalog_stockmovement m WHERE m.kind = 'sale' GROUP BY m.reference, m.level_id
    )
    SELECT wanted.number FROM wanted LEFT JOIN sold USING (number, level_id)
    WHERE wanted.quantity IS DISTINCT FROM sold.quantity
    """,
)
declare(
    "I19",
    "the three statuses of an order go together",
    sql="""
    SELECT number || ': ' || status || ', ' || payment_status || ', ' || fulfilment_status
    FROM orders_order
    WHERE (status = 'pending' AND payment_status <> 'pending')
       OR (status IN ('placed', 'completed') AND payment_status IN ('pending', 'voided'))
       OR (status = 'expired' AND payment_status NOT IN ('voided', 'refunded'))
       OR (fulfilment_status <> 'unfulfilled' AND status NOT IN ('placed', 'completed'))
       OR (status = 'completed' AND fulfilment_status <> 'delivered')
    """,
)
declare(
    "I23",
    "nobody is told that an order is paid when it is not",
    sql="""
    SELECT m.reference FROM shop_mail m JOIN orders_order o ON o.number = m.reference
    WHERE m.kind = 'orders.confirmation' AND o.paid_at IS NULL
    """,
)
declare(
    "S1",
    "no more is shipped of a line than was bought",
    sql="""
    SELECT l.sku FROM orders_orderline l
    JOIN orders_shipmentline s ON s.order_line_id = l.id
    GROUP BY l.id HAVING sum(s.quantity) > l.quantity
    """,
)
declare(
    "I24",
    "each paid order has its confirmation, or one that is still to be written",
    sql="""
    SELECT o.number FROM orders_order o
    WHERE o.paid_at IS NOT NULL
      AND NOT EXISTS (
        SELECT 1 FROM shop_mail WHERE kind = 'orders.confirmation' AND reference = o.number)
      AND NOT EXISTS (
        SELECT 1 FROM shop_outboxmessage
        WHERE key = 'notice:' || o.id || ':confirmation:' AND done_at IS NULL AND dead_at IS NULL)
    """,
)
