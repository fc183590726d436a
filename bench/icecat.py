"""The Icecat products of the shared data: as a shop's catalogue, and as a plain BM25 sees them."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from math import log
from pathlib import Path
from typing import Any

Entry = dict[str, Any]

BATCH = 1_000
LONGEST_SKU = 80
K1, B = 1.2, 0.75
_WORD = re.compile(r"[a-z0-9]+")


def read(path: Path) -> list[Entry]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load(entries: Sequence[Entry]) -> dict[int, str]:
    """Write the products into an empty shop, and return their names in the data by their ids.

    Rows go in by the thousand, as an import of single products would leave them; what lists repeat
    and what search reads is then written by the services that importing calls too.
    """
    from django.db import transaction

    from catalog.models import Product
    from catalog.services import indexing, summaries, vocabulary

    makers = _make_sellers(entries)
    tax_class = _make_tax_class()
    skus: Counter[str] = Counter()
    names: dict[int, str] = {}
    attributes: dict[str, Any] = {}
    for start in range(0, len(entries), BATCH):
        batch = entries[start : start + BATCH]
        with transaction.atomic():
            products = Product.objects.bulk_create(
                _make_product(entry, makers[entry["supplier"]], tax_class) for entry in batch
            )
            _make_variants(products, batch, skus)
            _make_facts(products, batch, attributes)
            ids = [product.pk for product in products]
            summaries.refresh(ids)
            indexing.reindex(ids)
            names |= dict(zip(ids, (entry["id"] for entry in batch), strict=True))
    vocabulary.count()
    return names


def _make_sellers(entries: Sequence[Entry]) -> dict[str, Any]:
    from django.utils.text import slugify

    from accounts.models import Seller

    makers = sorted({entry["supplier"] for entry in entries})
    rows = Seller.objects.bulk_create(
        Seller(slug=f"{slugify(name)[:70]}-{number}", name=name, country="DE")
        for number, name in enumerate(makers)
    )
    return dict(zip(makers, rows, strict=True))


def _make_tax_class() -> Any:
    from shop.models import TaxClass

    return TaxClass.objects.get_or_create(code="standard", defaults={"name": "Standard"})[0]


def _make_product(entry: Entry, seller: Any, tax_class: Any) -> Any:
    from catalog.models import Product

    return Product(
        seller=seller,
        tax_class=tax_class,
        slug=f"icecat-{entry['id']}",
        title=entry["title"][:250],
        short_description=entry.get("short_description", "")[:400],
        status=Product.Status.ACTIVE,
        published_at=entry["date_released"],
    )


def _make_variants(products: Sequence[Any], batch: Sequence[Entry], skus: Counter[str]) -> None:
    """Give each product its part number as SKU; one that was used before gets a number behind."""
    from catalog.models import ProductVariant

    variants = []
    for product, entry in zip(products, batch, strict=True):
        sku = entry["name"][: LONGEST_SKU - 4]
        skus[sku.upper()] += 1
        times = skus[sku.upper()]
        variants.append(
            ProductVariant(
                product=product,
                sku=sku if times == 1 else f"{sku}~{times}",
                barcode=(entry.get("ean") or [""])[0],
                price=Decimal(entry["price"]) / 100,
                tracks_stock=False,
            )
        )
    ProductVariant.objects.bulk_create(variants)


def _make_facts(
    products: Sequence[Any], batch: Sequence[Entry], attributes: dict[str, Any]
) -> None:
    from catalog import facts
    from catalog.models import Attribute, AttributeValue

    stated = [
        (product, code, label, text)
        for product, entry in zip(products, batch, strict=True)
        for code, label, text in _list_facts(entry)
    ]
    samples = {code: (label, text) for _product, code, label, text in stated}
    new = []
    for code in samples.keys() - attributes.keys():
        label, text = samples[code]
        kind, unit = facts.guess_kind([text])
        new.append(Attribute(code=code, name=label[:80], kind=kind, unit=unit))
    attributes |= {row.code: row for row in Attribute.objects.bulk_create(new)}
    AttributeValue.objects.bulk_create(
        AttributeValue(
            product=product,
            attribute=attributes[code],
            facet=fact.facet,
            text=fact.text,
            number=fact.number,
            boolean=fact.boolean,
        )
        for product, code, _label, text in stated
        for fact in facts.read([text], kind=attributes[code].kind, unit=attributes[code].unit)
    )


def _list_facts(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Yield code, name and value of what is stated; the letter in front of a name is its type."""
    seen = set()
    for name, value in entry.items():
        if not name.startswith("attr_"):
            continue
        label = " ".join(name[len("attr_t_") :].replace("_", " ").split())
        code = label.replace(" ", "-")[:60].strip("-")
        text = {True: "Yes", False: "No"}.get(value, value) if isinstance(value, bool) else value
        if code and code not in seen and value not in ("", None):
            seen.add(code)
            yield code, label.capitalize(), f"{text:g}" if isinstance(text, float) else str(text)


class Bm25:
    """The yardstick: title twice, part number, brand and short description; final s dropped."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self.lengths: list[int] = []
        self.postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, entry in enumerate(self.entries):
            fields = (entry["title"], entry["title"], entry["name"], entry["supplier"])
            words = _list_words(" ".join([*fields, entry.get("short_description", "")]))
            self.lengths.append(len(words))
            for word, times in Counter(words).items():
                self.postings[word].append((number, times))
        self.usual_length = sum(self.lengths) / len(self.lengths)

    def rank(self, query: str) -> list[str]:
        scores: dict[int, float] = defaultdict(float)
        for word in _list_words(query):
            found = self.postings.get(word, [])
            idf = log(1 + (len(self.entries) - len(found) + 0.5) / (len(found) + 0.5))
            for number, times in found:
                norm = K1 * (1 - B + B * self.lengths[number] / self.usual_length)
                scores[number] += idf * times * (K1 + 1) / (times + norm)
        best = sorted(scores, key=lambda number: (-scores[number], number))
        return [self.entries[number]["id"] for number in best[:10]]


def _list_words(text: str) -> list[str]:
    from catalog.search.text import fold

    words = _WORD.findall(fold(text))
    return [
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
        for word in words
    ]
