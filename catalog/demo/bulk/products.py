"""Made-up products: number n is the same in a catalogue of any size.

Of five products two have one variant, two come in three colours, and one in three colours and two
sizes; the first one has a hundred variants. One in twenty is sold out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.utils.text import slugify

from catalog.demo.bulk import words
from catalog.demo.bulk.parts import PIECES, Axes, PartsMaker
from catalog.demo.bulk.rows import PRODUCTS, Batch, Words
from catalog.demo.bulk.search import write_codes
from catalog.demo.bulk.stated import Stated
from catalog.demo.bulk.words import Draw
from catalog.facts import Fact

LARGE_PRODUCT = 1
SOLD_OUT_EVERY = 20
SENTENCES = 6
DAYS_ON_SALE = 730
SHARE_WITH_CODE = 0.4
SHARE_RATED = 0.6
CARE = "Wipe it with a soft cloth."


@dataclass(frozen=True, slots=True)
class Leaf:
    """A category that holds products: what one of them is called, and what is stated of it."""

    category_id: int
    noun: str
    names: tuple[str, ...]
    stated: Sequence[Stated]


@dataclass(frozen=True, slots=True)
class Ground:
    """What the products stand on; sellers are ids with names, photographs are ids of assets."""

    sellers: Sequence[tuple[int, str]]
    leaves: Sequence[Leaf]
    brand: Stated
    colour: Stated
    tax_class_id: int
    photographs: Sequence[int]
    first_asset: int
    now: datetime


class ProductMaker:
    """Makes products in the order of their numbers."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._leaves = Draw(ground.leaves, exponent=0.6, offset=6)
        self._parts = PartsMaker(first_asset=ground.first_asset, now=ground.now)

    def make(self, numbers: Iterable[int]) -> Batch:
        batch = Batch()
        for number in numbers:
            self._add(batch, number, Random(number))
        return batch

    def _add(self, batch: Batch, number: int, random: Random) -> None:
        ground, leaf = self._ground, self._leaves.pick(random)
        seller_id, seller_name = random.choice(ground.sellers)
        brand, series = words.brands.pick(random), words.series.pick(random)
        adjective, material = words.adjectives.pick(random), words.materials.pick(random)
        sku = f"{brand[:2].upper()}-{1000 + number}{'ABCDEFGH'[number % 8]}"
        title = f"{brand} {series} {adjective} {material} {leaf.noun}"
        if random.random() < SHARE_WITH_CODE:
            title = f"{title} {sku}"
        purpose = words.purposes.pick(random)
        short = f"A {adjective} {leaf.noun} of {material} for {purpose}."
        sentences = words.describe(random, sentences=SENTENCES)
        axes = _choose_axes(number, random)
        is_available = number % SOLD_OUT_EVERY != 0

        offer = self._parts.add_variants(
            batch, number, random, axes=axes, sku=sku, pieces=PIECES if is_available else 0
        )
        facts = self._choose_facts(random, leaf, brand=brand, axes=axes)
        stated = self._parts.add_facts(batch, number, facts)
        self._parts.add_pictures(batch, number, ground.photographs)
        tags = [material, purpose]
        batch.add(
            PRODUCTS,
            *(number, seller_id, leaf.category_id, ground.tax_class_id),
            *(f"{slugify(title)[:140]}-{number}", title, short),
            f"<p>{' '.join(sentences[:3])}</p>\n<p>{' '.join(sentences[3:])}</p>",
            *(CARE, "", tags, "active", ground.now),
            ground.now - timedelta(days=DAYS_ON_SALE * random.random()),
            *(offer.price_from, offer.price_to, offer.compare_at, is_available),
            *(int(1000 * random.random() ** 4), *_rate(random)),
        )
        kind = [seller_name, *leaf.names, *tags, *offer.labels]
        codes = [write_codes(*each) for each in offer.codes]
        batch.words.append(Words(title, kind, codes, stated, [short, " ".join(sentences), CARE]))

    def _choose_facts(
        self, random: Random, leaf: Leaf, *, brand: str, axes: Axes
    ) -> list[tuple[Stated, list[Fact]]]:
        """Choose what is stated, in the order of the attributes; the brand and colours are known."""
        ground = self._ground
        names = [name for name, _swatch in axes.colour_rows]
        colours = ground.colour.of(*names) if names else ground.colour.pick(random)
        return [
            (ground.brand, ground.brand.of(brand)),
            (ground.colour, colours),
            *((stated, stated.pick(random)) for stated in leaf.stated),
        ]


def _rate(random: Random) -> tuple[str | None, int]:
    """Draw a rating and how many gave it; many products have none."""
    if random.random() > SHARE_RATED:
        return None, 0
    return f"{5 - 4 * random.random() ** 2.5:.2f}", 1 + int(200 * random.random() ** 5)


def _choose_axes(number: int, random: Random) -> Axes:
    first = random.randrange(16)
    if number == LARGE_PRODUCT:
        return Axes(colours=10, sizes=10, first=first)
    return Axes(colours=0 if number % 5 < 2 else 3, sizes=2 if number % 5 == 4 else 0, first=first)
