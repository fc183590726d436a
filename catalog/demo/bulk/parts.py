"""The parts of one made-up product: options and variants with stock, facts, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count, product
from random import Random

from catalog.demo.bulk.rows import Batch
from catalog.demo.bulk.stated import COLOURS, Stated
from catalog.facts import Fact

PIECES = 100_000
SIZES = ("S", "M", "L", "XL", "XXL", "3XL", "XS", "XXS", "4XL", "5XL")
ENDINGS = (Decimal("0.00"), Decimal("0.50"), Decimal("0.90"), Decimal("0.95"))
VIEWS = ("front", "side", "top")
RENDITIONS = (
    '{"avif": [320, 480, 640, 960, 1280], "webp": [320, 480, 640, 960, 1280],'
    ' "jpeg": [320, 480, 640, 960, 1280]}'
)


@dataclass(frozen=True, slots=True)
class Axes:
    """How many colours and sizes a product comes in, and which colour is the first."""

    colours: int
    sizes: int
    first: int

    @property
    def colour_rows(self) -> list[tuple[str, str]]:
        return [COLOURS[(self.first + step) % len(COLOURS)] for step in range(self.colours)]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a product repeats of its variants, and what leads to them: labels, SKUs and barcodes."""

    price_from: Decimal
    price_to: Decimal
    compare_at: Decimal | None
    labels: list[str]
    codes: list[tuple[str, str]]


class PartsMaker:
    """Counts the ids of options, their values, variants and assets while it makes them."""

    def __init__(self, *, first_asset: int, now: datetime) -> None:
        self._options, self._values, self._variants = count(1), count(1), count(1)
        self._assets = count(first_asset)
        self._now = now

    def add_variants(
        self, batch: Batch, number: int, random: Random, *, axes: Axes, sku: str, pieces: int
    ) -> Offer:
        """Add options, variants and their shelves; each bigger size costs one more."""
        colours = self._add_option(batch, number, "Colour", 0, axes.colour_rows)
        sizes = self._add_option(batch, number, "Size", 1, [(s, "") for s in SIZES[: axes.sizes]])
        price = int(4 * 100 ** random.random()) + random.choice(ENDINGS)
        before = round(price * Decimal("1.25")) + Decimal("0.00") if number % 9 == 0 else None
        weight = random.randint(50, 5000)
        codes = []
        chosen = product(enumerate(colours or [None]), enumerate(sizes or [None]))
        for position, ((colour, of_colour), (size, of_size)) in enumerate(chosen):
            variant = next(self._variants)
            values = [value for value in (of_colour, of_size) if value]
            suffix = f"-{colour + 1}{size + 1}" if values else ""
            barcode = _barcode(variant)
            codes.append((sku + suffix, barcode))
            batch.add(
                "catalog_productvariant",
                *(variant, number, sku + suffix, barcode),
                " / ".join(label for _id, label in values),
                *(price + size, before + size if before else None),
                *(weight, True, True, position),
            )
            for value, _label in values:
                batch.add("catalog_productvariant_option_values", variant, value)
            batch.add("catalog_stocklevel", variant, variant, pieces, 0)
            if pieces:
                batch.add("catalog_stockmovement", variant, "receipt", pieces, 0, "", "first count")
        highest = price + max(0, axes.sizes - 1)
        return Offer(price, highest, before, _in_order_of_position(colours, sizes), codes)

    def add_facts(
        self, batch: Batch, number: int, stated: Sequence[tuple[Stated, list[Fact]]]
    ) -> list[str]:
        """Add what is stated; return the words of it that can be searched for."""
        words: list[str] = []
        for attribute, found in stated:
            for fact in found:
                batch.add(
                    "catalog_attributevalue",
                    *(number, attribute.id, fact.text, fact.number, fact.boolean, fact.facet),
                )
                words += attribute.words(fact)
        return words

    def add_pictures(self, batch: Batch, number: int, photographs: Sequence[int]) -> None:
        """Show the given photographs, or without any, pictures of which only the rows exist."""
        for position, view in enumerate(VIEWS):
            if photographs:
                asset = photographs[(number * 7 + position) % len(photographs)]
            else:
                asset = next(self._assets)
                batch.add(
                    "catalog_imageasset",
                    *(asset, f"originals/{asset:024x}.jpg", 1600, 2000, f"{asset:064x}"),
                    *(f"images/{asset:016x}", RENDITIONS, self._now, ""),
                )
            batch.add("catalog_productimage", number, asset, f"Seen from the {view}", position)

    def _add_option(
        self, batch: Batch, number: int, name: str, axis: int, choices: Sequence[tuple[str, str]]
    ) -> list[tuple[int, str]]:
        if not choices:
            return []
        option = next(self._options)
        batch.add("catalog_option", option, number, name, axis)
        values = []
        for position, (label, swatch) in enumerate(choices):
            value = next(self._values)
            batch.add("catalog_optionvalue", value, option, label, swatch, position)
            values.append((value, label))
        return values


def _in_order_of_position(
    colours: Sequence[tuple[int, str]], sizes: Sequence[tuple[int, str]]
) -> list[str]:
    """List the labels as the search index reads them: the first of each axis, then the second."""
    placed = [*enumerate(colours), *enumerate(sizes)]
    return [label for _position, (_id, label) in sorted(placed)]


def _barcode(number: int) -> str:
    """Return an EAN-13 of the range that shops use among themselves."""
    digits = f"20{number:010d}"
    total = sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))
    return f"{digits}{-total % 10}"
