"""From one snapshot to the next: reads what the journal names, and whatever hangs on it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from pyroaring import BitMap

from catalog.index import reading
from catalog.index.applying import CATALOGUE, apply
from catalog.index.loading import load, roll_up
from catalog.index.memory import Memory
from catalog.index.snapshot import MAKERS, Snapshot
from shop.changes import EVERYTHING

logger = logging.getLogger(__name__)

FEW_PRODUCTS = 5_000
"""When more products than this have changed, and a tenth of all, reading everything is cheaper."""


@dataclass(frozen=True, slots=True)
class News:
    """What concerns the index among the subjects of the journal."""

    products: frozenset[int] = frozenset()
    sellers: frozenset[int] = frozenset()
    is_everything: bool = False
    has_categories: bool = False
    has_attributes: bool = False

    @classmethod
    def pick(cls, subjects: Iterable[str]) -> Self:
        subjects = frozenset(subjects)
        numbered: dict[str, set[int]] = {"product": set(), "seller": set()}
        for subject in subjects:
            kind, _colon, number = subject.partition(":")
            if kind in numbered and number.isdecimal():
                numbered[kind].add(int(number))
        return cls(
            products=frozenset(numbered["product"]),
            sellers=frozenset(numbered["seller"]),
            is_everything=EVERYTHING in subjects,
            has_categories="categories" in subjects,
            has_attributes="attributes" in subjects,
        )

    def __bool__(self) -> bool:
        return self != News()


def read_all() -> Snapshot:
    """Build the index anew, and say how long it took when it did."""
    began_at = time.monotonic()
    snapshot = load()
    seconds = time.monotonic() - began_at
    level = logging.INFO if seconds > 1 else logging.DEBUG
    logger.log(
        level, "The catalogue's %d products were read in %.1f s", len(snapshot.for_sale), seconds
    )
    return snapshot


class Step:
    """The way from one snapshot to the next. `subjects` are what changed on the way."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.subjects: set[str] = set()
        self._products: set[int] = set()

    def take(self, news: News) -> None:
        """Take in what changed; what many products hang on leads to these products."""
        if news.is_everything:
            self._read_all()
            return
        self._products |= news.products
        if news.has_categories:
            self._read_ways()
        if news.has_attributes:
            self._read_attributes()
        if news.sellers:
            self._read_makers(news.sellers)
        self._read_products()

    def _read_all(self) -> None:
        self._touch_everything()
        self.snapshot = read_all()
        self._touch_everything()

    def _read_ways(self) -> None:
        """The tree has changed: which products stand in which category is counted anew."""
        self._touch_everything()
        ways = reading.read_ways()
        categories = roll_up(self.snapshot.own, ways)
        self.snapshot = replace(self.snapshot, ways=ways, categories=categories, memory=Memory())
        self._touch_everything()

    def _read_attributes(self) -> None:
        """Other names, another order; what products state of a new attribute is read with them."""
        found = reading.read_attributes()
        new = found.keys() - self.snapshot.attributes.keys() - self.snapshot.too_varied
        attributes = {
            key: attribute
            for key, attribute in found.items()
            if key not in self.snapshot.too_varied
        }
        self.snapshot = replace(self.snapshot, attributes=attributes, memory=Memory())
        self._touch_everything()
        if new:
            self._products |= set(reading.list_products_stating(new))

    def _read_makers(self, seller_ids: frozenset[int]) -> None:
        """A seller has another name, or no longer sells, or does so again."""
        before = {key: self.snapshot.makers.get(key) for key in seller_ids}
        now = reading.read_makers(seller_ids)
        others = {key: each for key, each in self.snapshot.makers.items() if key not in seller_ids}
        values = dict(self.snapshot.values.get(MAKERS, {}))
        for maker in now.values():
            if maker.slug in values:
                values[maker.slug] = replace(values[maker.slug], label=maker.name)
        self.snapshot = replace(
            self.snapshot,
            makers={**others, **now},
            values={**self.snapshot.values, MAKERS: values},
        )
        for maker in (*filter(None, before.values()), *now.values()):
            self._touch_shelf(maker.slug, self.snapshot.made_by(maker.slug))
        self.snapshot = replace(self.snapshot, memory=self.snapshot.memory.without(self.subjects))
        slugs = {key: maker and maker.slug for key, maker in before.items()}
        moved = [key for key in seller_ids if slugs[key] != getattr(now.get(key), "slug", None)]
        if moved:
            self._products |= set(reading.list_products_of(moved))

    def _read_products(self) -> None:
        """Take in single products; so many that it pays are read with all others."""
        if not self._products:
            return
        if len(self._products) > max(FEW_PRODUCTS, len(self.snapshot.for_sale) // 10):
            self._read_all()
            return
        products = reading.read_products(self._products)
        stated = reading.read_statements(self._products)
        strange = {each.attribute_id for each in stated} - self.snapshot.too_varied
        if strange - self.snapshot.attributes.keys():
            self._read_attributes()
            self._read_products()
            return
        if set(products.category.tolist()) - {0} - self.snapshot.ways.keys():
            self._read_ways()
        unknown = set(products.seller.tolist()) - self.snapshot.makers.keys()
        if unknown:
            makers = {**self.snapshot.makers, **reading.read_makers(unknown)}
            self.snapshot = replace(self.snapshot, makers=makers)
        self._read_swatches()
        known = [each for each in stated if each.attribute_id in self.snapshot.attributes]
        applied = apply(self.snapshot, self._products, products, known)
        self.snapshot = applied.snapshot
        self.subjects |= applied.subjects

    def _read_swatches(self) -> None:
        if any(each.kind == "colour" for each in self.snapshot.attributes.values()):
            found = reading.read_swatches(self._products)
            if not found.items() <= self.snapshot.swatches.items():
                swatches = {**self.snapshot.swatches, **found}
                self.snapshot = replace(self.snapshot, swatches=swatches, memory=Memory())
                self._touch_everything()

    def _touch_everything(self) -> None:
        self.subjects.add(CATALOGUE)
        self.subjects |= {f"category:{category_id}" for category_id in self.snapshot.ways}
        self.subjects |= {f"shelf:{maker.slug}" for maker in self.snapshot.makers.values()}

    def _touch_shelf(self, slug: str, products: BitMap) -> None:
        self.subjects |= {CATALOGUE, f"shelf:{slug}"}
        self.subjects |= {
            f"category:{category_id}"
            for category_id, others in self.snapshot.categories.items()
            if products.intersect(others)
        }
