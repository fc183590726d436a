"""The catalogue's own words, kept for help with the spelling."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from catalog.search.text import configuration
from shop.services.changes import announce
from shop.transactions import inside_transaction, own_transaction

SAMPLE = 20_000
"""So many products are looked at when words are counted."""

# Most words are known, and told apart without taking a number for each from the sequence.
_LEARN = """
INSERT INTO catalog_word (word, lexeme, products)
SELECT asked.word, stem.lexeme, 1
FROM unnest(%(words)s::text[]) AS asked(word)
CROSS JOIN LATERAL (
    SELECT (tsvector_to_array(to_tsvector(%(configuration)s::regconfig, asked.word)))[1] AS lexeme
) AS stem
WHERE stem.lexeme IS NOT NULL
  AND NOT EXISTS (SELECT FROM catalog_word AS known WHERE known.word = asked.word)
ON CONFLICT (word) DO NOTHING
"""
# One statement sees words and products at one moment: a word that is learnt meanwhile is not in it,
# and not forgotten.
_COUNT = """
CREATE TEMPORARY TABLE word_count AS
SELECT word.id, ceil(stem.ndoc * {scale})::int AS products
FROM catalog_word AS word
LEFT JOIN ts_stat('SELECT search FROM catalog_product WHERE id % {step} = 0') AS stem
    ON stem.word = word.lexeme
"""
_WRITE = """
UPDATE catalog_word AS word SET products = counted.products
FROM word_count AS counted
WHERE counted.id = word.id AND counted.products <> word.products
"""
_FORGET = """
DELETE FROM catalog_word AS word USING word_count AS counted
WHERE counted.id = word.id AND counted.products IS NULL
"""


@inside_transaction
def learn(words: Collection[str]) -> int:
    """Add words that are not known yet, in one order, so that two writers never cross."""
    if not words:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_LEARN, {"words": sorted(words), "configuration": configuration()})
        added = int(cursor.rowcount)
    if added:
        announce("vocabulary")
    return added


@own_transaction
def count() -> int:
    """Count how many products have each word, by a sample of a large catalogue.

    Forgets words that no product has any more, when all were looked at. Returns how many changed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM catalog_product")
        step = max(1, cursor.fetchone()[0] // SAMPLE)
        cursor.execute(_COUNT.format(scale=float(step), step=step))
        cursor.execute(_WRITE)
        changed = int(cursor.rowcount)
        if step == 1:
            cursor.execute(_FORGET)
            changed += int(cursor.rowcount)
        cursor.execute("DROP TABLE word_count")
    if changed:
        announce("vocabulary")
    return changed
