"""The words of made-up products, drawn as a shop's are: a few all the time, most of them seldom.

Real words for what things are like and made of; coined ones for makers and their series, which
give the vocabulary its long tail.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


BRANDS_COINED, SERIES_COINED = 120, 3_000

ADJECTIVES = _split(
    """
    compact classic small large black white folding heavy light slim round square deep narrow wide
    tall low soft firm plain striped woven knitted brushed polished matt glossy quiet strong sturdy
    portable stackable adjustable reversible padded insulated lined quilted ribbed hammered carved
    painted glazed waxed oiled natural bright dark pale warm cool modern rustic vintage nordic
    coastal urban everyday travel outdoor indoor winter summer autumn spring festive simple double
    single triple twin tiny giant long short curved straight angled tapered hollow solid clear
    tinted frosted textured smooth coarse fine dense airy breathable waterproof washable rotating
    sliding hanging standing floating magnetic wireless silent rapid steady gentle sharp blunt
    broad lean plump crisp mellow northern southern eastern western alpine desert meadow forest
    harbour garden city country island river mountain moonlit sunlit early late second third open
    closed hidden loose tight flexible rigid bold shy noble humble frugal generous patient
    """
)
MATERIALS = (
    "steel", "plastic", "cotton", "oak", "glass", "aluminium", "leather", "stoneware", "bamboo",
    "wool", "linen", "beech", "silicone", "rubber", "brass", "polyester", "walnut", "ceramic",
    "copper", "paper", "cork", "nylon", "porcelain", "ash", "felt", "iron", "canvas", "acacia",
    "concrete", "marble", "rattan", "velvet", "pine", "enamel", "titanium", "hemp", "jute", "silk",
)  # fmt: skip
PURPOSES = _split(
    """
    kitchen travel office garden camping workshop nursery bathroom balcony school studio boat
    caravan hallway breakfast picnic sport hiking cycling running fishing painting sewing baking
    grilling reading sleeping bathing music gaming streaming photography drawing knitting pottery
    gardening cleaning storage laundry dinner coffee tea wine water bread cheese soup salad pasta
    rice fish meat vegetables herbs flowers plants books letters tools keys shoes coats hats gloves
    scarves umbrellas toys children babies pets guests neighbours students beginners professionals
    weekends holidays evenings mornings winters summers rain snow wind sunshine darkness festivals
    """
)
SENTENCES = (
    "Made of {material} in small batches by people who use it themselves.",
    "It wears well and looks better after some years of {purpose}.",
    "The edge is left unfinished on purpose, so no two are the same.",
    "It stands firmly, stacks easily and finds its place on any shelf.",
    "Wash it warm, dry it in the air, and it will outlast the house.",
    "The colour comes from the {material} and does not fade in the sun.",
    "It arrives in paper and cardboard, nothing else.",
    "We mend what breaks; write to us and we will find a way.",
    "A {adjective} companion for {purpose}, whatever the weather does.",
    "Goes well with everything from the {series} range.",
    "The {adjective} shape is comfortable to hold and simple to put away.",
    "Tested by hand for a year before we dared to sell the first one.",
    "With a {material} core and a {adjective} cover that comes off for cleaning.",
    "Fits all common sizes; the measurements are in the table below.",
    "Includes a manual in six languages, two spare screws and a key.",
    "Replaces the older {series} model and takes the same accessories.",
    "Our customers use it for {purpose}, but also for {purpose_too}.",
    "The {material} is certified, its origin is printed on the label.",
    "No tools are needed: unfold, press until it clicks, done.",
    "Batteries are not part of the delivery.",
    "Designed with an architect who could not find one {adjective} enough.",
    "A {series} classic since 1987, now {adjective} and {adjective_too}.",
    "Keeps its temperature for hours thanks to double walls of {material}.",
    "Please keep it away from open fire and strong acids.",
    "The surface resists scratches, stains and the occasional fall.",
    "Spare parts are available for at least ten years.",
    "Holds more than one would think and weighs less than it looks.",
    "Perfect as a present for those who have everything for {purpose}.",
    "The handle is {adjective}, the base is {material}, the rest is patience.",
    "Weight, width and height are averages and may differ a little.",
    "Safe for {purpose}, approved by an independent laboratory.",
    "It connects within seconds and remembers its last settings.",
    "A charge lasts for three weeks of ordinary {purpose}.",
    "The {series} seal stands for honest prices and fair wages.",
    "Once assembled it carries up to eighty kilograms.",
    "Every piece is numbered and checked before it leaves us.",
    "Choose between several colours; all of them match the {series} line.",
    "The {material} needs no care beyond a drop of oil each spring.",
    "Less plastic, fewer parts, and a {adjective} mechanism inside.",
    "Sold in units of one; a box holds twelve.",
)
"""The slots are filled with drawn words; a sentence without one turns up just as often."""

_ONSETS = _split("b br d dr f fl g gr h j k kl kr l m n p pr r s sk sl st str t tr v z")
_VOWELS = _split("a e i o u au ei ia io")
_CODAS = _split("l m n nd nt r rk rn s st v x")
_UNSPEAKABLE = re.compile("[aeiou]{3}|[^aeiou]{4}", re.IGNORECASE)
_ENDINGS = ("a", "o", "en", "er", "ix", "um", "is", "ora", "eno", "ia", "on", "ell")


class Draw(Generic[T]):
    """Draws by Zipf's law: what has rank r, about 1/r as often as the first one."""

    def __init__(self, items: Sequence[T], *, exponent: float = 1.0, offset: float = 2.7) -> None:
        self.items = tuple(items)
        weights = (1 / (rank + offset) ** exponent for rank in range(len(self.items)))
        self._sums = list(accumulate(weights))

    def pick(self, random: Random) -> T:
        place = bisect(self._sums, random.random() * self._sums[-1], hi=len(self.items) - 1)
        return self.items[place]


def coin(count: int, *, seed: int) -> tuple[str, ...]:
    """Make up so many different names that can be spoken, the same ones every time."""
    random = Random(seed)
    known = {*ADJECTIVES, *MATERIALS, *PURPOSES}
    names: dict[str, None] = {}
    while len(names) < count:
        first = random.choice(_ONSETS) + random.choice(_VOWELS) + random.choice(_CODAS)
        middle = random.choice(("", random.choice(_ONSETS) + random.choice(_VOWELS)))
        name = (first + middle + random.choice(_ENDINGS)).capitalize()
        if 4 < len(name) < 11 and not _UNSPEAKABLE.search(name) and name.lower() not in known:
            names[name] = None
    return tuple(names)


BRANDS = coin(BRANDS_COINED, seed=1)
SERIES = tuple(name for name in coin(SERIES_COINED, seed=2) if name not in BRANDS)

adjectives, materials, purposes = Draw(ADJECTIVES), Draw(MATERIALS), Draw(PURPOSES)
brands, series = Draw(BRANDS, exponent=0.8), Draw(SERIES)


_SLOTS = {
    "material": materials,
    "adjective": adjectives,
    "adjective_too": adjectives,
    "purpose": purposes,
    "purpose_too": purposes,
    "series": series,
}
_TEMPLATES = [
    (sentence, [(name, draw) for name, draw in _SLOTS.items() if f"{{{name}}}" in sentence])
    for sentence in SENTENCES
]


def describe(random: Random, *, sentences: int) -> list[str]:
    """Write so many different sentences about a product."""
    return [
        sentence.format(**{name: draw.pick(random) for name, draw in slots}) if slots else sentence
        for sentence, slots in random.sample(_TEMPLATES, sentences)
    ]
