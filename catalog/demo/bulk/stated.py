"""What made-up products state: three facts everywhere, and five that depend on the department."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from catalog import facts
from catalog.demo.bulk import words
from catalog.demo.bulk.words import Draw
from catalog.facts import Fact
from catalog.models import Attribute

Kind = Attribute.Kind
BY_DEPARTMENT = 5
SHARE_THAT_STATES = 0.9
SHARE_WITH_TWO = 0.15

COLOURS = (
    ("Black", "#25262a"), ("White", "#f4f2ec"), ("Slate", "#6a7178"), ("Sand", "#d6c6a5"),
    ("Moss", "#7b7f63"), ("Clay", "#b0704f"), ("Ink", "#2b3a55"), ("Rust", "#96492c"),
    ("Fog", "#c3c5c1"), ("Sea", "#5d8a8a"), ("Plum", "#6d4457"), ("Straw", "#d8bf7c"),
    ("Rose", "#cf9a98"), ("Pine", "#3f5a4a"), ("Sky", "#9fb8cc"), ("Brick", "#9c4a3c"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """An attribute with the values to draw from, the common ones first."""

    name: str
    kind: Kind
    values: tuple[str, ...]
    unit: str = ""
    has_several: bool = False

    @property
    def code(self) -> str:
        return self.name.lower().replace(" ", "-")


def _numbers(name: str, unit: str, *values: int) -> Definition:
    return Definition(name, Kind.NUMBER, tuple(map(str, values)), unit)


def _texts(name: str, values: str, *, has_several: bool = False) -> Definition:
    names = tuple(value.strip() for value in values.split(","))
    return Definition(name, Kind.TEXT, names, has_several=has_several)


def _question(name: str) -> Definition:
    return Definition(name, Kind.BOOLEAN, ("yes", "no"))


EVERYWHERE = (
    Definition("Brand", Kind.TEXT, words.BRANDS),
    Definition("Colour", Kind.COLOUR, tuple(name for name, _swatch in COLOURS)),
    _numbers("Weight", "g", 250, 500, 100, 750, 1000, 150, 2000, 1500, 350, 3000, 5000, 80, 12000),
)
SOMEWHERE = (
    Definition("Material", Kind.TEXT, tuple(word.capitalize() for word in words.MATERIALS)),
    _numbers("Width", "cm", *range(5, 125, 5)),
    _question("Dishwasher safe"),
    _texts("Style", "Modern, Classic, Rustic, Industrial, Nordic, Minimal, Country, Art deco"),
    _numbers("Capacity", "ml", 250, 500, 1000, 330, 750, 200, 1500, 2000, 3000, 50, 5000),
    _numbers("Height", "cm", *range(4, 204, 8)),
    _texts("Finish", "Matt, Glossy, Brushed, Polished, Oiled, Lacquered, Raw, Waxed"),
    _question("Handmade"),
    _texts(
        "Room", "Kitchen, Living room, Bedroom, Bathroom, Hall, Study, Nursery", has_several=True
    ),
    _numbers("Power", "W", 60, 40, 100, 800, 1200, 2000, 5, 10, 25, 1500, 500),
    _question("Waterproof"),
    _texts("Connection", "USB-C, Bluetooth, Wi-Fi, HDMI, USB-A, Jack, Ethernet", has_several=True),
    _numbers("Battery life", "h", 8, 12, 24, 6, 10, 48, 4, 72, 100),
    _texts("Energy class", "C, D, B, E, A, F, G"),
    _numbers("Screen size", "cm", 35, 40, 60, 68, 33, 81, 109, 140, 165),
    _texts("Season", "All year, Summer, Winter, Spring, Autumn", has_several=True),
    _numbers("Length", "cm", *range(10, 310, 15)),
    _question("Recycled"),
    _texts("Pattern", "Plain, Striped, Checked, Floral, Dotted, Geometric, Herringbone"),
    _numbers("Age from", "years", 3, 0, 6, 8, 10, 12, 14, 16, 18),
    _texts("Format", "A5, A4, A6, A3, Letter, Square, Pocket"),
    _numbers("Pages", "", 96, 64, 128, 160, 192, 48, 240, 320),
    _question("Refillable"),
    _texts("Language", "German, English, French, Italian, Spanish, Dutch", has_several=True),
)
DEFINITIONS = (*EVERYWHERE, *SOMEWHERE)


class Stated:
    """An attribute that is in the database, and what can be said of it."""

    def __init__(self, attribute_id: int, definition: Definition) -> None:
        self.id = attribute_id
        self.definition = definition
        self._draw = Draw(definition.values, exponent=0.8)
        self._facts = {
            value: facts.read(
                [f"{value} {definition.unit}"], kind=definition.kind, unit=definition.unit
            )[0]
            for value in definition.values
        }
        self._words = {fact.facet: self._list_words(fact) for fact in self._facts.values()}

    def pick(self, random: Random) -> list[Fact]:
        """Draw what one product states; now and then two values, or nothing."""
        if random.random() > SHARE_THAT_STATES:
            return []
        chosen = {self._draw.pick(random)}
        if self.definition.has_several and random.random() < SHARE_WITH_TWO:
            chosen.add(self._draw.pick(random))
        return [self._facts[value] for value in sorted(chosen)]

    def of(self, *values: str) -> list[Fact]:
        return [self._facts[value] for value in values]

    def words(self, fact: Fact) -> list[str]:
        """Return what the search index takes of a fact."""
        return self._words[fact.facet]

    def _list_words(self, fact: Fact) -> list[str]:
        if fact.boolean is False:
            return []
        number = "" if fact.number is None else f"{fact.number.normalize():f}"
        words = (self.definition.name, fact.text, number, self.definition.unit)
        return [word for word in words if word]


def define() -> list[Stated]:
    """Write the attributes, in the order of `DEFINITIONS`."""
    rows = Attribute.objects.bulk_create(
        Attribute(
            code=definition.code,
            name=definition.name,
            kind=definition.kind,
            unit=definition.unit,
            is_filter=True,
            position=position,
        )
        for position, definition in enumerate(DEFINITIONS, start=1)
    )
    return [Stated(row.pk, each) for row, each in zip(rows, DEFINITIONS, strict=True)]


def of_department(number: int, stated: list[Stated]) -> list[Stated]:
    """Choose what the products of a department state beside brand and colour, in order."""
    weight, some = stated[len(EVERYWHERE) - 1], stated[len(EVERYWHERE) :]
    places = sorted((number * 3 + step * 5) % len(some) for step in range(BY_DEPARTMENT))
    return [weight, *(some[place] for place in places)]
