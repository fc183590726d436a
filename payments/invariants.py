"""What must hold of payments; see docs/invariants.md."""

from shop.invariants import declare

declare(
    "I2",
    "refunds never exceed what was captured",
    sql="""
    SELECT a.reference FROM payments_paymentattempt a
    WHERE (SELECT coalesce(sum(amount), 0) FROM payments_refund
           WHERE attempt_id = a.id AND status <> 'failed')
        > (SELECT coalesce(sum(amount), 0) FROM payments_paymenttransaction
           WHERE attempt_id = a.id AND kind = 'capture')
    """,
)
declare(
    "I5",
    "a captured attempt took exactly the amount and currency asked for, once",
    sql="""
    SELECT a.reference || ': asked ' || a.amount || ', took ' || coalesce(sum(t.amount), 0)
    FROM payments_paymentattempt a
    LEFT JOIN payments_paymenttransaction t ON t.attempt_id = a.id AND t.kind = 'capture'
    WHERE a.status = 'captured'
    GROUP BY a.id
    HAVING count(t.id) <> 1 OR sum(t.amount) <> a.amount OR min(t.currency) <> a.currency
    """,
)
declare(
    "I7",
    "each settled refund has exactly one transaction of its amount",
    sql="""
    SELECT r.key FROM payments_refund r
    LEFT JOIN payments_paymenttransaction t
        ON t.attempt_id = r.attempt_id AND t.kind = 'refund' AND t.provider_id = r.provider_id
    WHERE r.status = 'succeeded'
    GROUP BY r.id HAVING count(t.id) <> 1 OR sum(t.amount) <> r.amount
    """,
)
declare(
    "I21",
    "a provider event that was worked on says what came of it",
    sql="""
    SELECT event_id FROM payments_providerevent WHERE processed_at IS NOT NULL AND outcome = ''
    """,
)
