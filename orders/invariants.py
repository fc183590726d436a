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
    "a placed order keeps exactly what it did not give back, any more is on its way back, disputed, "
    "or its refund failed",
    sql="""
    WITH attempt AS (
        SELECT p.order_id,
            (SELECT coalesce(sum(amount), 0) FROM payments_paymenttransaction
             WHERE attempt_id = a.id AND kind = 'capture')
            - (SELECT coalesce(sum(amount), 0) FROM payments_refund
               WHERE attempt_id = a.id AND status <> 'failed'
               AND NOT (status = 'pending' AND NOT EXISTS (
                   SELECT 1 FROM orders_ledgertransaction
                   WHERE key = 'sending:' || payments_refund.id))) AS kept,
            (SELECT coalesce(sum(amount), 0) FROM payments_dispute
             WHERE attempt_id = a.id
               AND status IN ('needs_response', 'under_review', 'lost')) AS disputed,
            EXISTS (SELECT 1 FROM payments_refund
                    WHERE attempt_id = a.id AND status = 'failed') AS is_told
        FROM payments_paymentattempt a
        JOIN orders_orderpayment p ON p.attempt_id = a.id
        WHERE a.status = 'captured'
    ), paid AS (
        SELECT o.id, o.number, o.status, o.paid_at,
            o.total - (SELECT coalesce(sum(amount), 0) FROM orders_orderrefund
                       WHERE order_id = o.id AND failed_at IS NULL) AS owed,
            coalesce(sum(attempt.kept), 0) AS kept,
            coalesce(sum(attempt.kept) FILTER (WHERE attempt.is_told), 0) AS told,
            coalesce(sum(least(attempt.kept, attempt.disputed)), 0) AS disputed
        FROM orders_order o LEFT JOIN attempt ON attempt.order_id = o.id
        GROUP BY o.id
    )
    SELECT number || ': owed ' || owed || ', kept ' || kept FROM paid
    WHERE (status IN ('placed', 'completed') AND paid_at IS NOT NULL
           AND (kept < owed OR kept - owed > told + disputed))
       OR (paid_at IS NULL AND status IN ('placed', 'completed') AND kept <> 0)
       OR (status IN ('pending', 'cancelled', 'expired') AND kept > told + disputed)
    """,
)
declare(
    "I6",
    "each ledger transaction sums to zero, and each movement at a provider is booked in it once",
    sql="""
    SELECT l.key || ' is off by ' || sum(e.amount)
    FROM orders_ledgertransaction l JOIN orders_ledgerentry e ON e.transaction_id = l.id
    GROUP BY l.id HAVING sum(e.amount) <> 0
    UNION ALL
    SELECT t.kind || ' ' || t.provider_id || ' is not booked'
    FROM payments_paymenttransaction t
    LEFT JOIN orders_ledgertransaction l ON l.key = t.kind || ':' || t.id
    LEFT JOIN orders_ledgerentry e
        ON e.transaction_id = l.id AND e.account = 'provider:' || t.provider
    WHERE abs(e.amount) IS DISTINCT FROM t.amount OR l.currency <> t.currency
    UNION ALL
    SELECT coalesce(o.number, '') || ': at ' || account || ' ' || coalesce(booked, 0)
        || ', moved ' || coalesce(moved, 0)
    FROM (
        SELECT l.order_id, e.account, l.currency, sum(e.amount) AS booked
        FROM orders_ledgertransaction l JOIN orders_ledgerentry e ON e.transaction_id = l.id
        WHERE e.account LIKE 'provider:%' GROUP BY 1, 2, 3
    ) AS ledger
    FULL JOIN (
        SELECT p.order_id, 'provider:' || t.provider AS account, t.currency,
            sum(CASE WHEN t.kind IN ('refund', 'dispute', 'fee') THEN -t.amount ELSE t.amount END) AS moved
        FROM payments_paymenttransaction t
        LEFT JOIN orders_orderpayment p ON p.attempt_id = t.attempt_id
        GROUP BY 1, 2, 3
    ) AS provider USING (order_id, account, currency)
    LEFT JOIN orders_order o ON o.id = order_id
    WHERE order_id IS NOT NULL AND booked IS DISTINCT FROM moved
    UNION ALL
    SELECT r.key || ' is not set aside' FROM payments_refund r
    LEFT JOIN orders_ledgertransaction l ON l.key = 'sending:' || r.id
    WHERE l.id IS NULL AND (r.status = 'succeeded'
        OR (r.status = 'pending' AND r.provider_id = ''))
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
    "the sellers' parts sum to the order's items, and sellers, taxes and delivery share out in the "
    "ledger what a paid order keeps, to the cent",
    sql="""
    SELECT o.number FROM orders_order o
    WHERE o.items_total <> (
        SELECT coalesce(sum(items_total), 0) FROM orders_sellerorder WHERE order_id = o.id)
    UNION ALL
    SELECT o.number || ': keeps ' || kept.amount || ', shared out ' || shared.amount
    FROM orders_order o
    CROSS JOIN LATERAL (
        SELECT CASE WHEN o.paid_at IS NULL THEN 0 ELSE o.total - coalesce(sum(amount), 0) END
            AS amount
        FROM orders_orderrefund WHERE order_id = o.id AND failed_at IS NULL
    ) AS kept
    CROSS JOIN LATERAL (
        SELECT -coalesce(sum(e.amount), 0) AS amount
        FROM orders_ledgertransaction l JOIN orders_ledgerentry e ON e.transaction_id = l.id
        WHERE l.order_id = o.id AND e.account IN ('sellers', 'tax', 'delivery', 'discounts')
    ) AS shared
    WHERE kept.amount <> shared.amount
    UNION ALL
    SELECT o.number || ': ' || part.seller_id || ' is owed ' || owed.amount
    FROM orders_order o
    JOIN orders_sellerorder part ON part.order_id = o.id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(line.net - given.net), 0) AS amount
        FROM orders_orderline line
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(back.amount - back.tax), 0) AS net
            FROM orders_orderrefundline back
            JOIN orders_orderrefund refund ON refund.id = back.order_refund_id
            WHERE back.order_line_id = line.id AND refund.failed_at IS NULL
        ) AS given
        WHERE line.seller_order_id = part.id
    ) AS owed
    CROSS JOIN LATERAL (
        SELECT -coalesce(sum(e.amount), 0) AS amount
        FROM orders_ledgertransaction l JOIN orders_ledgerentry e ON e.transaction_id = l.id
        WHERE l.order_id = o.id AND e.account = 'sellers' AND e.seller_id = part.seller_id
    ) AS booked
    WHERE o.paid_at IS NOT NULL AND owed.amount <> booked.amount
      AND NOT EXISTS (
        SELECT 1 FROM orders_orderrefund WHERE order_id = o.id AND other_amount <> 0)
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
    "each placed order's counted pieces left the shelf exactly once, and came back as often as "
    "they were put back",
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
    ), put_back AS (
        SELECT o.number, s.id AS level_id, sum(back.restocked) AS quantity
        FROM orders_orderrefundline back
        JOIN orders_orderline l ON l.id = back.order_line_id
        JOIN orders_order o ON o.id = l.order_id
        JOIN catalog_stocklevel s ON s.variant_id = l.variant_id
        WHERE back.restocked > 0
        GROUP BY o.number, s.id
    ), returned AS (
        SELECT m.reference AS number, m.level_id, sum(m.on_hand_change) AS quantity
        FROM catalog_stockmovement m
        JOIN orders_order o ON o.number = m.reference
        WHERE m.kind = 'return' GROUP BY m.reference, m.level_id
    )
    SELECT wanted.number FROM wanted LEFT JOIN sold USING (number, level_id)
    WHERE wanted.quantity IS DISTINCT FROM sold.quantity
    UNION ALL
    SELECT number || ': put back ' || coalesce(put_back.quantity, 0)
        || ', returned ' || coalesce(returned.quantity, 0)
    FROM put_back FULL JOIN returned USING (number, level_id)
    WHERE put_back.quantity IS DISTINCT FROM returned.quantity
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
       OR (payment_status = 'authorized'
           AND (status <> 'placed' OR paid_at IS NOT NULL OR fulfilment_status <> 'unfulfilled'))
       OR (status IN ('placed', 'completed') AND paid_at IS NULL AND payment_status <> 'authorized')
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
    WHERE m.kind IN ('orders.confirmation', 'orders.charged') AND o.paid_at IS NULL
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
    WHERE o.paid_at IS NOT NULL AND o.erased_at IS NULL AND o.forgotten_at IS NULL
      AND NOT EXISTS (
        SELECT 1 FROM shop_mail
        WHERE kind IN ('orders.confirmation', 'orders.charged') AND reference = o.number)
      AND NOT EXISTS (
        SELECT 1 FROM shop_outboxmessage
        WHERE key IN ('notice:' || o.id || ':confirmation:', 'notice:' || o.id || ':charged:') AND done_at IS NULL AND dead_at IS NULL)
    """,
)
declare(
    "S2",
    "no more is given back of a line than was bought, and an order refund is the sum of its parts",
    sql="""
    SELECT l.sku || ': given back ' || coalesce(sum(back.quantity), 0)
        || ', counted ' || l.refunded_quantity
    FROM orders_orderline l
    LEFT JOIN (
        SELECT line.order_line_id, line.quantity, line.amount, line.tax
        FROM orders_orderrefundline line
        JOIN orders_orderrefund refund ON refund.id = line.order_refund_id
        WHERE refund.failed_at IS NULL
    ) AS back ON back.order_line_id = l.id
    GROUP BY l.id
    HAVING coalesce(sum(back.quantity), 0) <> l.refunded_quantity
        OR l.refunded_quantity > l.quantity
        OR coalesce(sum(back.amount), 0) > l.gross
        OR (l.refunded_quantity = l.quantity
            AND (coalesce(sum(back.amount), 0) <> l.gross OR coalesce(sum(back.tax), 0) <> l.tax))
    UNION ALL
    SELECT o.number || ': refund ' || refund.amount FROM orders_orderrefund refund
    JOIN orders_order o ON o.id = refund.order_id
    LEFT JOIN orders_orderrefundline line ON line.order_refund_id = refund.id
    GROUP BY refund.id, o.number
    HAVING refund.amount <> coalesce(sum(line.amount), 0) + refund.shipping_amount
        + refund.other_amount
    """,
)
declare(
    "S3",
    "an order whose money is only set aside has it set aside, or staff see why not; nothing of it is "
    "booked",
    sql="""
    SELECT o.number FROM orders_order o
    WHERE o.payment_status = 'authorized'
      AND (EXISTS (SELECT 1 FROM orders_ledgertransaction
                   WHERE order_id = o.id AND kind IN ('placement', 'return'))
        OR NOT EXISTS (
            SELECT 1 FROM orders_orderpayment p
            JOIN payments_paymentattempt a ON a.id = p.attempt_id
            WHERE p.order_id = o.id AND a.authorised_at IS NOT NULL
              AND a.status IN ('authorised', 'held')))
    UNION ALL
    SELECT o.number || ': given out of it before ' || refund.id FROM orders_orderrefund refund
    JOIN orders_order o ON o.id = refund.order_id
    WHERE refund.is_uncharged AND o.paid_at IS NOT NULL AND refund.amount <> 0 AND NOT EXISTS (
        SELECT 1 FROM orders_ledgertransaction WHERE key = 'return:' || refund.id)
    """,
)
