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
    "a captured attempt took exactly the amount and currency asked for, or decided on, once",
    sql="""
    SELECT a.reference || ': asked ' || a.amount || ', took ' || coalesce(sum(t.amount), 0)
    FROM payments_paymentattempt a
    LEFT JOIN payments_paymenttransaction t ON t.attempt_id = a.id AND t.kind = 'capture'
    LEFT JOIN payments_capture c ON c.attempt_id = a.id AND c.status = 'succeeded'
    WHERE a.status = 'captured'
    GROUP BY a.id
    HAVING count(t.id) <> 1 OR sum(t.amount) <> coalesce(min(c.amount), a.amount)
        OR min(t.currency) <> a.currency
    """,
)
declare(
    "I7",
    "each settled refund has exactly one transaction of its amount, one that failed later a reversal",
    sql="""
    SELECT r.key FROM payments_refund r
    LEFT JOIN payments_paymenttransaction t ON t.attempt_id = r.attempt_id
        AND t.kind IN ('refund', 'reversal') AND t.provider_id = r.provider_id
    GROUP BY r.id
    HAVING coalesce(sum(t.amount) FILTER (WHERE t.kind = 'refund'), 0)
         - coalesce(sum(t.amount) FILTER (WHERE t.kind = 'reversal'), 0)
        <> CASE r.status WHEN 'succeeded' THEN r.amount ELSE 0 END
        OR count(t.id) > CASE r.status WHEN 'failed' THEN 2 ELSE 1 END
    """,
)
declare(
    "I21",
    "a provider event that was worked on says what came of it",
    sql="""
    SELECT event_id FROM payments_providerevent WHERE processed_at IS NOT NULL AND outcome = ''
    """,
)
declare(
    "P1",
    "a dispute is about money that was taken, and no more comes back of it than was withdrawn",
    sql="""
    SELECT a.reference FROM payments_paymentattempt a
    LEFT JOIN payments_paymenttransaction t ON t.attempt_id = a.id
    WHERE EXISTS (SELECT 1 FROM payments_dispute WHERE attempt_id = a.id)
       OR a.id IN (SELECT attempt_id FROM payments_paymenttransaction
                   WHERE kind IN ('dispute', 'dispute_won'))
    GROUP BY a.id
    HAVING count(t.id) FILTER (WHERE t.kind = 'capture') = 0
        OR coalesce(sum(t.amount) FILTER (WHERE t.kind = 'dispute_won'), 0)
         > coalesce(sum(t.amount) FILTER (WHERE t.kind = 'dispute'), 0)
    """,
)
declare(
    "P2",
    "a refund begun at the provider is known by the number it has there",
    sql="""
    SELECT key FROM payments_refund
    WHERE key LIKE 'provider:%' AND (provider_id = '' OR key <> 'provider:' || provider_id)
    """,
)
declare(
    "P3",
    "of money that is only set aside nothing is booked, and nothing more is taken of it than that",
    sql="""
    SELECT a.reference || ': ' || a.status FROM payments_paymentattempt a
    WHERE a.status = 'authorised' AND (a.authorised_at IS NULL OR a.authorised_until IS NULL
        OR EXISTS (SELECT 1 FROM payments_paymenttransaction WHERE attempt_id = a.id)
        OR EXISTS (SELECT 1 FROM payments_refund WHERE attempt_id = a.id))
    UNION ALL
    SELECT c.key || ': ' || c.status FROM payments_capture c
    JOIN payments_paymentattempt a ON a.id = c.attempt_id
    WHERE c.amount > a.amount OR c.currency <> a.currency
       OR (c.status = 'pending' AND a.status <> 'authorised')
       OR (c.status = 'succeeded' AND a.status <> 'captured')
    """,
)
