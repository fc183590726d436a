"""The catalogue at one moment. A snapshot never changes; the next one shares what stayed the same.

Only products that are for sale are in it: active, of an active seller, with at least one variant
that can be bought. The id of a product is its number in every bitmap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from catalog.index.arrays import Column, Statements
from catalog.index.memory import Memory

MAKERS = 0
"""Stands for the sellers where others give the id of an attribute; a facet is a seller's slug."""
RATINGS = (1, 2, 3, 4)
"""A product with 3.25 stars is among those with at least 1, 2 and 3."""
PRICE_DIGITS = 4
"""Prices are whole numbers of ten-thousandths, which is how finely PostgreSQL keeps them."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that shoppers can filter by."""

    id: int
    code: str
    name: str
    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class Value:
    """Who states one value of an attribute. `label` is "" where the facet says it all."""

    number: int
    label: str
    products: BitMap


@dataclass(frozen=True, slots=True)
class Maker:
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Keys:
    """What products are sorted by. `published` counts microseconds; `rated` weighs stars first."""

    category: Column
    price: Column
    published: Column
    popularity: Column
    rated: Column


@dataclass(frozen=True)
class Snapshot:
    """`own` are the products of a category itself, `categories` also those below it.

    `ways` leads from each category to the root, itself first. `attributes` stand in the order in
    which they are shown; `values` has a facet's value by the attribute's id. `facets` and
    `attributes_of` say by a value's number what it is. `swatches` are colours by lower-case label.
    """

    for_sale: BitMap
    available: BitMap
    rated: Mapping[int, BitMap]
    own: Mapping[int, BitMap]
    categories: Mapping[int, BitMap]
    ways: Mapping[int, tuple[int, ...]]
    makers: Mapping[int, Maker]
    attributes: Mapping[int, Attribute]
    too_varied: frozenset[int]
    values: Mapping[int, Mapping[str, Value]]
    facets: Sequence[str]
    attributes_of: NDArray[np.int32]
    swatches: Mapping[str, str]
    keys: Keys
    stated: Statements
    memory: Memory = field(default_factory=Memory)

    @cached_property
    def by_code(self) -> Mapping[str, Attribute]:
        """Find attributes by what stands in addresses."""
        return {attribute.code: attribute for attribute in self.attributes.values()}

    @property
    def has_ratings(self) -> bool:
        """Say whether any product is rated: until then nobody is offered to sort by it."""
        return bool(self.rated[1])

    def in_category(self, category_id: int) -> BitMap:
        """Return what is for sale in a category or below it."""
        return self.categories.get(category_id) or BitMap()

    def made_by(self, slug: str) -> BitMap:
        """Return what a seller offers."""
        return self.products_of(MAKERS, slug)

    def products_of(self, attribute_id: int, facet: str) -> BitMap:
        """Return who states a value."""
        value = self.values.get(attribute_id, {}).get(facet)
        return value.products if value else BitMap()
