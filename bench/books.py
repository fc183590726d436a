"""How long `check_invariants` takes: fill a shop with paid orders by SQL, and time each invariant.

`python -m bench.books --orders 1000000`. Each order has one piece, its taxes, address, payment,
movements, ledger and mail, as the services write them; one in twenty was cancelled and refunded.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from bench import server

REFUNDED = "n % 20 = 0"
_ORDERS = (
    """
    CREATE TABLE bench_n AS
    SELECT n, v.variant_id, v.level_id, v.seller_id
    FROM generate_series(1, {orders}) AS n
    JOIN (
        SELECT row_number() OVER (ORDER BY v.id) - 1 AS place, count(*) OVER () AS count,
               v.id AS variant_id, s.id AS level_id, p.seller_id
        FROM catalog_productvariant v
        JOIN catalog_stocklevel s ON s.variant_id = v.id
        JOIN catalog_product p ON p.id = v.product_id
        WHERE v.tracks_stock
    ) AS v ON v.place = n % v.count
    """,
    """
    INSERT INTO orders_order (id, number, submit_key, email, language, status, payment_status,
        fulfilment_status, currency, prices_include_tax, items_total, shipping_total, discount_total,
        tax_total, total, shipping_method, shipping_label, expires_at, paid_at, closed_at)
    SELECT n, 'N' || lpad(n::text, 9, '0'), gen_random_uuid(), 'ada@example.com', 'en',
        CASE WHEN {refunded} THEN 'cancelled' ELSE 'placed' END,
        CASE WHEN {refunded} THEN 'refunded' ELSE 'paid' END,
        'unfulfilled', 'EUR', true, 10.00, 5.95, 0, 2.55, 15.95, 'standard', 'Standard',
        now(), now(), CASE WHEN {refunded} THEN now() END
    FROM bench_n
    """,
    """
    INSERT INTO orders_orderaddress
        (order_id, kind, name, street, postcode, city, region, country, phone)
    SELECT n, 'shipping', 'Ada Lovelace', 'Unter den Linden 1', '10117', 'Berlin', '', 'DE', ''
    FROM bench_n
    """,
    """
    INSERT INTO orders_sellerorder (id, order_id, seller_id, items_total, fulfilment_status)
    SELECT n, n, seller_id, 10.00, 'unfulfilled' FROM bench_n
    """,
    """
    INSERT INTO orders_orderline (order_id, seller_order_id, variant_id, sku, title, variant_label,
        quantity, unit_price, net, tax, gross, tax_percent, weight_grams, is_stock_held, position,
        refunded_quantity)
    SELECT n, n, variant_id, 'SKU', 'A thing', '', 1, 10.00, 8.40, 1.60, 10.00, 19, 100, true, 0,
        CASE WHEN {refunded} THEN 1 ELSE 0 END
    FROM bench_n
    """,
    """
    INSERT INTO orders_taxline (order_id, name, percent, net, tax)
    SELECT n, 'VAT', 19, 13.40, 2.55 FROM bench_n
    """,
    """
    INSERT INTO payments_paymentattempt (id, reference, provider, status, amount, currency,
        provider_session_id, provider_payment_id, redirect_url, failure, checked_at, expires_at,
        closed_at)
    SELECT n, 'pay_' || n, 'stripe', 'captured', 15.95, 'EUR', 'cs_' || n, 'pi_' || n, '', '',
        now(), now(), now()
    FROM bench_n
    """,
    "INSERT INTO orders_orderpayment (order_id, attempt_id) SELECT n, n FROM bench_n",
    """
    INSERT INTO payments_paymenttransaction
        (attempt_id, kind, amount, currency, provider, provider_id)
    SELECT n, 'capture', 15.95, 'EUR', 'stripe', 'ch_' || n FROM bench_n
    UNION ALL
    SELECT n, 'refund', 15.95, 'EUR', 'stripe', 're_' || n FROM bench_n WHERE {refunded}
    """,
    """
    INSERT INTO payments_refund
        (attempt_id, key, amount, currency, reason, status, provider_id, failure, closed_at)
    SELECT n, 'pay_' || n || ':cancel', 15.95, 'EUR', '', 'succeeded', 're_' || n, '', now()
    FROM bench_n WHERE {refunded}
    """,
    """
    INSERT INTO catalog_stockmovement
        (level_id, kind, on_hand_change, allocated_change, reference, reason)
    SELECT level_id, kind, on_hand, allocated, 'N' || lpad(n::text, 9, '0'), ''
    FROM bench_n
    CROSS JOIN (VALUES ('allocation', 0, 1), ('sale', -1, -1), ('return', 1, 0))
        AS moved (kind, on_hand, allocated)
    WHERE kind <> 'return' OR {refunded}
    UNION ALL
    SELECT level_id, 'receipt', (count(*) FILTER (WHERE NOT {refunded}))::int, 0, 'bench', ''
    FROM bench_n GROUP BY level_id
    """,
    """
    INSERT INTO shop_mail
        (kind, reference, recipient, subject, text, html, language, sent_at, error)
    SELECT 'orders.confirmation', 'N' || lpad(n::text, 9, '0'), 'ada@example.com', 'Your order',
        '', '', 'en', now(), ''
    FROM bench_n
    """,
    """
    INSERT INTO orders_orderrefund
        (id, order_id, key, amount, shipping_amount, shipping_tax, other_amount, reason)
    SELECT n, n, 'cancel:' || n, 15.95, 5.95, 0.95, 0, '' FROM bench_n WHERE {refunded}
    """,
    """
    INSERT INTO orders_orderrefundline
        (order_refund_id, order_line_id, quantity, amount, tax, restocked)
    SELECT order_id, id, 1, 10.00, 1.60, 1 FROM orders_orderline WHERE refunded_quantity = 1
    """,
    """
    INSERT INTO orders_orderrefundpayment (order_refund_id, refund_id)
    SELECT attempt_id, id FROM payments_refund
    """,
    """
    CREATE TABLE bench_booked AS
    SELECT nextval('orders_ledgertransaction_id_seq') AS id, *
    FROM (
        SELECT kind, kind || ':' || id AS key, attempt_id AS n FROM payments_paymenttransaction
        UNION ALL SELECT 'placement', 'placement:' || n, n FROM bench_n
        UNION ALL SELECT 'return', 'return:' || n, n FROM bench_n WHERE {refunded}
        UNION ALL SELECT 'sending', 'sending:' || id, attempt_id FROM payments_refund
    ) AS booked
    """,
    """
    INSERT INTO orders_ledgertransaction (id, kind, key, order_id, currency)
    SELECT id, kind, key, n, 'EUR' FROM bench_booked
    """,
    """
    INSERT INTO orders_ledgerentry (transaction_id, account, seller_id, amount)
    SELECT b.id, e.account, CASE WHEN e.of_seller THEN v.seller_id END, e.amount
    FROM bench_booked b
    JOIN bench_n v USING (n)
    JOIN (VALUES
        ('capture', 'provider:stripe', false, 15.95), ('capture', 'unapplied', false, -15.95),
        ('placement', 'sellers', true, -8.40), ('placement', 'tax', true, -1.60),
        ('placement', 'tax', false, -0.95), ('placement', 'delivery', false, -5.00),
        ('placement', 'unapplied', false, 15.95),
        ('return', 'sellers', true, 8.40), ('return', 'tax', true, 1.60),
        ('return', 'tax', false, 0.95), ('return', 'delivery', false, 5.00),
        ('return', 'unapplied', false, -15.95),
        ('sending', 'unapplied', false, 15.95), ('sending', 'refunds', false, -15.95),
        ('refund', 'refunds', false, 15.95), ('refund', 'provider:stripe', false, -15.95)
    ) AS e (kind, account, of_seller, amount) USING (kind)
    """,
    "DROP TABLE bench_booked",
    "DROP TABLE bench_n",
    "ANALYZE",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.books", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000, help="(%(default)s)")
    parser.add_argument("--size", type=int, default=1_000, help="products (%(default)s)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the database here")
    options = parser.parse_args()
    with server.place(options.keep):
        import django

        django.setup()
        from django.core.management import call_command

        from bench import catalogue

        call_command("migrate", interactive=False, verbosity=0)
        if not catalogue.is_filled(options.size):
            catalogue.fill(options.size)
            began = time.monotonic()
            fill(options.orders)
            print(f"{options.orders:,} orders written in {time.monotonic() - began:.0f} s")
        total = 0.0
        for id, seconds, count in check():
            total += seconds
            print(f"{id:<4}{seconds:>9.2f} s{count:>6} violations", flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{'all':<4}{total:>9.2f} s, at most {peak:,.0f} MB in this process")


def fill(orders: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in _ORDERS:
            cursor.execute(
                statement.format(orders=orders, refunded=REFUNDED).replace("%", "%%"), []
            )


def check() -> Iterator[tuple[str, float, int]]:
    """Check each invariant; yield its id, the seconds, and how many rows break it."""
    from shop import invariants

    for invariant in invariants.list_invariants():
        began = time.monotonic()
        count = len(invariants.find_violations_of(invariant))
        yield invariant.id, time.monotonic() - began, count


if __name__ == "__main__":
    main()
