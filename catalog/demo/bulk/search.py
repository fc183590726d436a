"""The search column of made-up products: the words come along, PostgreSQL stems them on the way."""

from __future__ import annotations

from django.db import connection

from catalog.demo.bulk.rows import COLUMNS, PRODUCTS, Batch, Words
from catalog.search.text import configuration, write_words
from catalog.search.vocabulary import is_word
from catalog.services import vocabulary
from catalog.services.indexing import weigh

_PREPARE = f"""
CREATE TEMPORARY TABLE made_product ON COMMIT DROP AS
SELECT {COLUMNS[PRODUCTS]}, '' AS title_words, '' AS kind_words, '' AS fact_words,
       '' AS description_words
FROM catalog_product WITH NO DATA
"""
_COPY = f"""
COPY made_product ({COLUMNS[PRODUCTS]}, title_words, kind_words, fact_words, description_words)
FROM STDIN
"""
_MOVE = f"""
INSERT INTO catalog_product ({COLUMNS[PRODUCTS]}, search)
SELECT {COLUMNS[PRODUCTS]},
       {weigh("title_words", "kind_words", "fact_words", "description_words")}
FROM made_product ORDER BY id
"""


class SearchWriter:
    """Moves products through a table of its own, where their words wait to be stemmed."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}
        self._vocabulary: set[str] = set()
        with connection.cursor() as cursor:
            cursor.execute(_PREPARE)

    def copy_products(self, batch: Batch) -> None:
        with connection.wrap_database_errors, connection.cursor() as cursor:
            with cursor.copy(_COPY) as copy:
                for row, words in zip(batch.tables[PRODUCTS], batch.words, strict=True):
                    copy.write_row((*row, *self._write(words)))
            cursor.execute(_MOVE, {"config": configuration()})
            cursor.execute("TRUNCATE made_product")

    def learn_words(self) -> None:
        """Tell the vocabulary which words there are."""
        vocabulary.learn({word for word in self._vocabulary if is_word(word)})

    def _write(self, words: Words) -> tuple[str, str, str, str]:
        title = write_words([words.title])
        self._vocabulary.update(title.split())
        return (
            title,
            " ".join([*map(self._write_known, dict.fromkeys(words.kind)), *words.codes]),
            " ".join(map(self._write_known, dict.fromkeys(words.facts))),
            write_words(words.texts),
        )

    def _write_known(self, text: str) -> str:
        """Write a text that very many products share."""
        written = self._written.get(text)
        if written is None:
            written = self._written[text] = write_words([text])
            self._vocabulary.update(written.split())
        return written


def write_codes(sku: str, barcode: str) -> str:
    """Write the codes of a variant as `write_words` does, for SKUs with a dash."""
    words = sku.lower().replace("-", " ")
    whole = words.replace(" ", "")
    return f"{words} {whole} {barcode} {whole}"
