"""Book what was paid, placed and refunded before there was a ledger, so that old shops balance.

In batches by primary key, each a transaction of its own; what is booked already is left alone, so
it may be broken off and run again.
"""

from django.db import migrations, transaction

BATCH = 2_000

# Money at the providers.
MOVEMENTS = """
WITH moved AS (
    SELECT t.id, t.kind, t.amount, t.currency, t.provider, t.created_at, p.order_id,
           CASE t.kind WHEN 'refund' THEN -t.amount ELSE t.amount END AS change,
           CASE t.kind WHEN 'capture' THEN 'unapplied' ELSE 'refunds' END AS other
    FROM payments_paymenttransaction t
    LEFT JOIN orders_orderpayment p ON p.attempt_id = t.attempt_id
    WHERE t.id > %(after)s AND t.id <= %(up_to)s AND t.kind IN ('capture', 'refund', 'reversal')
), posted AS (
    INSERT INTO orders_ledgertransaction (kind, key, order_id, currency, created_at)
    SELECT kind, kind || ':' || id, order_id, currency, created_at FROM moved
    ON CONFLICT (key) DO NOTHING
    RETURNING id, key
)
INSERT INTO orders_ledgerentry (transaction_id, account, amount, created_at)
SELECT posted.id, entry.account, entry.amount, moved.created_at
FROM posted JOIN moved ON posted.key = moved.kind || ':' || moved.id
CROSS JOIN LATERAL (
    VALUES ('provider:' || moved.provider, moved.change), (moved.other, -moved.change)
) AS entry(account, amount)
"""

# What a paid order's total is made of; negative is owed or earned.
_SHARES = """
SELECT o.id AS order_id, 'unapplied' AS account, NULL::bigint AS seller_id, o.total AS amount
FROM placed o
UNION ALL
SELECT o.id, 'sellers', part.seller_id, -sum(line.net)
FROM placed o
JOIN orders_orderline line ON line.order_id = o.id
JOIN orders_sellerorder part ON part.id = line.seller_order_id
GROUP BY o.id, part.seller_id
UNION ALL
SELECT o.id, 'tax', part.seller_id, -sum(line.tax)
FROM placed o
JOIN orders_orderline line ON line.order_id = o.id
JOIN orders_sellerorder part ON part.id = line.seller_order_id
GROUP BY o.id, part.seller_id
UNION ALL
SELECT o.id, 'tax', NULL, goods.tax - o.tax_total FROM placed o JOIN goods ON goods.id = o.id
UNION ALL
SELECT o.id, 'delivery', NULL,
       goods.gross - goods.tax + o.tax_total - o.total - o.discount_total
FROM placed o JOIN goods ON goods.id = o.id
UNION ALL
SELECT o.id, 'discounts', NULL, o.discount_total FROM placed o
"""
_PLACED = """
placed AS (
    SELECT * FROM orders_order
    WHERE id > %(after)s AND id <= %(up_to)s AND paid_at IS NOT NULL
), goods AS (
    SELECT o.id, coalesce(sum(line.gross), 0) AS gross, coalesce(sum(line.tax), 0) AS tax
    FROM placed o LEFT JOIN orders_orderline line ON line.order_id = o.id GROUP BY o.id
)"""
PLACEMENTS = f"""
WITH {_PLACED}, share AS ({_SHARES}), posted AS (
    INSERT INTO orders_ledgertransaction (kind, key, order_id, currency, created_at)
    SELECT 'placement', 'placement:' || id, id, currency, paid_at FROM placed
    WHERE EXISTS (SELECT 1 FROM share WHERE share.order_id = placed.id AND share.amount <> 0)
    ON CONFLICT (key) DO NOTHING
    RETURNING id, order_id, created_at
)
INSERT INTO orders_ledgerentry (transaction_id, account, seller_id, amount, created_at)
SELECT posted.id, share.account, share.seller_id, share.amount, posted.created_at
FROM posted JOIN share ON share.order_id = posted.order_id WHERE share.amount <> 0
"""

# A paid order that was cancelled gave everything back: as of today, piece by piece.
GIVEN_BACK = f"""
WITH {_PLACED}, given AS (
    INSERT INTO orders_orderrefund
        (order_id, key, amount, shipping_amount, shipping_tax, other_amount, reason, created_at)
    SELECT o.id, 'cancel:' || o.id, o.total, o.total + o.discount_total - goods.gross,
           o.tax_total - goods.tax, -o.discount_total, '', coalesce(o.closed_at, o.paid_at)
    FROM placed o JOIN goods ON goods.id = o.id
    WHERE o.status = 'cancelled'
    ON CONFLICT (key) DO NOTHING
    RETURNING id, order_id
), counted AS (
    UPDATE orders_orderline line SET refunded_quantity = line.quantity
    FROM given WHERE line.order_id = given.order_id
)
INSERT INTO orders_orderrefundline
    (order_refund_id, order_line_id, quantity, amount, tax, restocked)
SELECT given.id, line.id, line.quantity, line.gross, line.tax,
       CASE WHEN line.is_stock_held AND EXISTS (
           SELECT 1 FROM catalog_stockmovement m
           JOIN catalog_stocklevel level ON level.id = m.level_id
           WHERE m.kind = 'return' AND m.reference = o.number AND level.variant_id = line.variant_id
       ) THEN line.quantity ELSE 0 END
FROM given
JOIN orders_order o ON o.id = given.order_id
JOIN orders_orderline line ON line.order_id = given.order_id
"""
RETURNS = """
WITH given AS (
    SELECT refund.id, refund.order_id, refund.created_at, o.currency
    FROM orders_orderrefund refund JOIN orders_order o ON o.id = refund.order_id
    WHERE refund.order_id > %(after)s AND refund.order_id <= %(up_to)s
      AND refund.key = 'cancel:' || refund.order_id
), posted AS (
    INSERT INTO orders_ledgertransaction (kind, key, order_id, currency, created_at)
    SELECT 'return', 'return:' || given.id, order_id, currency, given.created_at FROM given
    WHERE EXISTS (
        SELECT 1 FROM orders_ledgertransaction WHERE key = 'placement:' || given.order_id)
    ON CONFLICT (key) DO NOTHING
    RETURNING id, order_id, created_at
)
INSERT INTO orders_ledgerentry (transaction_id, account, seller_id, amount, created_at)
SELECT posted.id, entry.account, entry.seller_id, -entry.amount, posted.created_at
FROM posted
JOIN orders_ledgertransaction placement ON placement.key = 'placement:' || posted.order_id
JOIN orders_ledgerentry entry ON entry.transaction_id = placement.id
"""
JOINED = """
INSERT INTO orders_orderrefundpayment (order_refund_id, refund_id)
SELECT given.id, refund.id
FROM orders_orderrefund given
JOIN orders_orderpayment p ON p.order_id = given.order_id
JOIN payments_refund refund ON refund.attempt_id = p.attempt_id
WHERE given.order_id > %(after)s AND given.order_id <= %(up_to)s
  AND given.key = 'cancel:' || given.order_id AND refund.key LIKE '%%:cancel%%'
ON CONFLICT DO NOTHING
"""

# Refunds that are decided or done; those that failed are as if they had never been.
SENDINGS = """
WITH sent AS (
    SELECT refund.id, refund.amount, refund.currency, refund.created_at, p.order_id
    FROM payments_refund refund
    LEFT JOIN orders_orderpayment p ON p.attempt_id = refund.attempt_id
    WHERE refund.id > %(after)s AND refund.id <= %(up_to)s AND refund.status <> 'failed'
), posted AS (
    INSERT INTO orders_ledgertransaction (kind, key, order_id, currency, created_at)
    SELECT 'sending', 'sending:' || id, order_id, currency, created_at FROM sent
    ON CONFLICT (key) DO NOTHING
    RETURNING id, key
)
INSERT INTO orders_ledgerentry (transaction_id, account, amount, created_at)
SELECT posted.id, entry.account, entry.amount, sent.created_at
FROM posted JOIN sent ON posted.key = 'sending:' || sent.id
CROSS JOIN LATERAL (
    VALUES ('unapplied', sent.amount), ('refunds', -sent.amount)
) AS entry(account, amount)
"""
STEPS = (
    ("payments_paymenttransaction", (MOVEMENTS,)),
    ("orders_order", (PLACEMENTS, GIVEN_BACK, RETURNS, JOINED)),
    ("payments_refund", (SENDINGS,)),
)


def post(apps, schema_editor):
    connection = schema_editor.connection
    for table, statements in STEPS:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            (highest,) = cursor.fetchone()
        for after in range(0, highest, BATCH):
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement, {"after": after, "up_to": after + BATCH})


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0004_ledger_and_refunds")]

    operations = [migrations.RunPython(post, migrations.RunPython.noop)]
