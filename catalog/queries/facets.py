"""Facets of a listing, as people read them: labels, counts and the addresses behind them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import get_language, ngettext, to_locale
from django.utils.translation import gettext as _

from catalog.index import MAKERS, Attribute, Snapshot, Value
from catalog.index.tallying import Tally
from catalog.models import Attribute as AttributeRow
from catalog.queries.filters import IN_STOCK, MAKER, RATING, STARS, Filters

Kind = AttributeRow.Kind
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class FacetOption:
    value: str
    label: str
    count: int
    selected: bool
    url: str
    swatch: str


@dataclass(frozen=True, slots=True)
class Facet:
    """`kind` says how the options are drawn: "list" or "swatch"."""

    code: str
    label: str
    kind: str
    options: tuple[FacetOption, ...]

    @property
    def is_used(self) -> bool:
        """Say whether something of it is chosen."""
        return any(option.selected for option in self.options)


@dataclass(frozen=True, slots=True)
class _Page:
    """What the address of an option is made of."""

    filters: Filters
    url: str
    sort: str

    def option(
        self, code: str, value: str, label: str, count: int, swatch: str = ""
    ) -> FacetOption:
        return FacetOption(
            value=value,
            label=label,
            count=count,
            selected=(code, value) in self.filters.choices,
            url=self.url + self.filters.toggle(code, value).query_string(sort=self.sort),
            swatch=swatch,
        )


def list_facets(
    tally: Tally, *, snapshot: Snapshot, filters: Filters, url: str, sort: str,
    without: Collection[str] = (),
) -> tuple[Facet, ...]:  # fmt: skip
    """Lay out the facets. An option nobody offers is left out, unless it is chosen."""
    page = _Page(filters, url, sort)
    facets = [
        *(
            _list_values(attribute, tally, snapshot, page)
            for attribute in snapshot.attributes.values()
        ),
        _list_values(Attribute(MAKERS, MAKER, _("Maker"), Kind.TEXT, ""), tally, snapshot, page),
        Facet(RATING, _("Rating"), "list", tuple(_list_ratings(tally, page))),
        Facet(IN_STOCK, _("Availability"), "list", tuple(_list_stock(tally, page))),
    ]
    return tuple(facet for facet in facets if facet.options and facet.code not in without)


def number_label(number: Decimal, unit: str) -> str:
    """Write a measure in the page's language: "1,200 ml"."""
    return f"{_format(number, get_language() or 'en')} {unit}".strip()


@lru_cache(maxsize=4096)
def _format(number: Decimal, language: str) -> str:
    return format_decimal(number, locale=to_locale(language))


def _list_values(attribute: Attribute, tally: Tally, snapshot: Snapshot, page: _Page) -> Facet:
    counts = tally.counts.get(attribute.id, {})
    chosen = page.filters.values(attribute.code)
    values: Mapping[str, Value] = snapshot.values.get(attribute.id, {})
    options = []
    for facet in dict.fromkeys((*counts, *chosen)):
        label = _label(attribute, facet, values.get(facet))
        swatch = snapshot.swatches.get(label.lower(), "") if attribute.kind == Kind.COLOUR else ""
        options.append(page.option(attribute.code, facet, label, counts.get(facet, 0), swatch))
    options.sort(key=lambda option: _rank(option, attribute))
    kind = "swatch" if any(option.swatch for option in options) else "list"
    return Facet(attribute.code, attribute.name, kind, tuple(options))


def _list_ratings(tally: Tally, page: _Page) -> Iterator[FacetOption]:
    chosen = page.filters.values(RATING)
    for value in STARS:
        stars, count = int(value), tally.rated[int(value)]
        if count or value in chosen:
            label = ngettext("%(count)d star and up", "%(count)d stars and up", stars)
            yield page.option(RATING, value, label % {"count": stars}, count)


def _list_stock(tally: Tally, page: _Page) -> Iterator[FacetOption]:
    if tally.available or page.filters.values(IN_STOCK):
        yield page.option(IN_STOCK, "1", _("In stock"), tally.available)


def _label(attribute: Attribute, facet: str, value: Value | None) -> str:
    """Write a facet's value as people read it."""
    if value and value.label:
        return value.label
    if attribute.kind == Kind.BOOLEAN and facet in ("yes", "no"):
        return _("Yes") if facet == "yes" else _("No")
    number = _number(facet) if attribute.kind == Kind.NUMBER else None
    if number is not None:
        return number_label(number, attribute.unit)
    return facet.replace("-", " ").capitalize()


def _rank(option: FacetOption, attribute: Attribute) -> tuple[Any, ...]:
    if attribute.kind == Kind.NUMBER:
        number = _number(option.value)
        return (number is None, number or 0, option.label)
    if attribute.kind == Kind.BOOLEAN:
        return (option.value != "yes", option.label)
    return (option.label.casefold(),)


def _number(facet: str) -> Decimal | None:
    """Read a number as facets have it; what else an address says is none, however large."""
    return Decimal(facet) if _NUMBER.fullmatch(facet) else None
