"""Facets of a listing, with counts that follow every filter but the facet's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from catalog.models import Attribute
from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS
from catalog.queries.filters import IN_STOCK, MAKER, RESERVED, Condition, Facetable, Filters
from catalog.queries.rows import fetch_rows

MOST_OPTIONS = 40


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


@dataclass(frozen=True, slots=True)
class FacetCount:
    """How many products say `value`; `label` and `swatch` are "" where the catalogue has none."""

    code: str
    value: str
    label: str
    swatch: str
    count: int


# `misses` counts the filters that a product fails. It is shown when it fails none, and counted
# under a facet when that facet's own filter is the only one it fails.
_COUNTS = """
WITH judged AS (
    SELECT p.id, p.is_available, s.slug AS maker, s.name AS maker_name{verdicts}
    FROM {products}
    WHERE {for_sale} AND p.category_id = ANY(%(categories)s)
), near AS (
    SELECT judged.*, {misses} AS misses FROM judged WHERE {misses} <= 1
), stated AS (
    SELECT value.attribute_id, value.facet, min(value.text) AS label, min(near.id) AS sample,
           count(*) AS products
    FROM near JOIN catalog_attributevalue value ON value.product_id = near.id
    WHERE value.attribute_id = ANY(%(attributes)s) AND {counts_for_attribute}
    GROUP BY value.attribute_id, value.facet
)
SELECT '', '', '', '', count(*) FROM near WHERE misses = 0
UNION ALL
SELECT '{in_stock}', '1', '', '', count(*) FROM near WHERE is_available AND {counts_for_stock}
UNION ALL
SELECT '{maker}', near.maker, min(near.maker_name), '', count(*)
FROM near WHERE {counts_for_maker} GROUP BY near.maker
UNION ALL
SELECT attribute.code, stated.facet, stated.label, coalesce((
           SELECT swatch.swatch
           FROM catalog_option option
           JOIN catalog_optionvalue swatch ON swatch.option_id = option.id
           WHERE attribute.kind = 'colour' AND option.product_id = stated.sample
             AND lower(swatch.label) = lower(stated.label)
           LIMIT 1
       ), ''), stated.products
FROM stated JOIN catalog_attribute attribute ON attribute.id = stated.attribute_id
"""


def list_facetables() -> list[Facetable]:
    """List the attributes that shoppers can filter by, in the order in which they are shown."""
    rows = fetch_rows(
        """
        SELECT id, code, name, kind, unit FROM catalog_attribute
        WHERE is_filter AND code <> ALL(%(reserved)s) ORDER BY position, name, id
        """,
        {"reserved": sorted(RESERVED)},
    )
    return [Facetable(*row) for row in rows]


def count_products(
    *, category_ids: Sequence[int], conditions: Sequence[Condition], facetables: Sequence[Facetable]
) -> tuple[int, list[FacetCount]]:
    """Count the products that pass all conditions, and those behind each facet; one statement."""
    params: dict[str, Any] = {
        "categories": list(category_ids),
        "attributes": [facetable.id for facetable in facetables],
    }
    for condition in conditions:
        params.update(condition.params)
    rows = fetch_rows(_counts_sql(conditions, facetables), params)
    total: int = next(row[-1] for row in rows if not row[0])
    return total, [FacetCount(*row) for row in rows if row[0] and row[-1]]


def list_facets(
    counts: Sequence[FacetCount], *, filters: Filters, facetables: Sequence[Facetable], path: str,
    sort: str,
) -> list[Facet]:  # fmt: skip
    """Lay out the facets. An option nobody offers is left out, unless it is chosen."""
    return list(_lay_out(tuple(counts), filters, tuple(facetables), path, sort, get_language()))


@lru_cache(maxsize=128)
def _lay_out(
    counts: tuple[FacetCount, ...], filters: Filters, facetables: tuple[Facetable, ...], path: str,
    sort: str, language: str | None,
) -> tuple[Facet, ...]:  # fmt: skip
    """Write the labels and addresses once for equal counts: a listing has a hundred of them."""
    by_code: dict[str, list[FacetCount]] = defaultdict(list)
    for count in counts:
        by_code[count.code].append(count)
    facets = []
    for facetable in _all_facetables(facetables):
        found = _with_chosen(by_code[facetable.code], filters, facetable)
        if not found:
            continue
        options = [
            FacetOption(
                value=count.value,
                label=option_label(facetable, count),
                count=count.count,
                selected=(facetable.code, count.value) in filters.choices,
                url=path + filters.toggle(facetable.code, count.value).query_string(sort=sort),
                swatch=count.swatch,
            )
            for count in _most_frequent(found, filters)
        ]
        options.sort(key=lambda option: _rank(option, facetable))
        kind = "swatch" if any(option.swatch for option in options) else "list"
        facets.append(Facet(facetable.code, facetable.name, kind, tuple(options)))
    return tuple(facets)


def option_label(facetable: Facetable, count: FacetCount) -> str:
    """Write a facet's value as people read it."""
    if facetable.code == IN_STOCK:
        return _("In stock")
    if count.label:
        return count.label
    if facetable.kind == Attribute.Kind.BOOLEAN and count.value in ("yes", "no"):
        return _("Yes") if count.value == "yes" else _("No")
    number = _number(count.value) if facetable.kind == Attribute.Kind.NUMBER else None
    if number is not None:
        return number_label(number, facetable.unit)
    return count.value.replace("-", " ").capitalize()


def number_label(number: Decimal, unit: str) -> str:
    """Write a measure in the page's language: "1,200 ml"."""
    return f"{_format(number, get_language() or 'en')} {unit}".strip()


@lru_cache(maxsize=4096)
def _format(number: Decimal, language: str) -> str:
    return format_decimal(number, locale=to_locale(language))


def _all_facetables(facetables: Sequence[Facetable]) -> list[Facetable]:
    return [
        *facetables,
        Facetable(0, MAKER, _("Maker"), Attribute.Kind.TEXT, ""),
        Facetable(0, IN_STOCK, _("Availability"), Attribute.Kind.TEXT, ""),
    ]


def _counts_sql(conditions: Sequence[Condition], facetables: Sequence[Facetable]) -> str:
    verdicts = [f"verdict_{number}" for number, _condition in enumerate(conditions)]

    def counts_for(code: str) -> str:
        own = [
            f"NOT {verdict}"
            for verdict, condition in zip(verdicts, conditions, strict=True)
            if condition.code == code
        ]
        return f"({' OR '.join(['misses = 0', *own])})"

    cases = " ".join(
        f"WHEN {facetable.id:d} THEN {counts_for(facetable.code)}"
        for facetable in facetables
        if any(condition.code == facetable.code for condition in conditions)
    )
    return _COUNTS.format(
        products=FROM_PRODUCTS,
        for_sale=FOR_SALE,
        verdicts="".join(
            f", ({condition.sql}) AS {verdict}"
            for verdict, condition in zip(verdicts, conditions, strict=True)
        ),
        misses=" + ".join(f"(NOT {verdict})::int" for verdict in verdicts) or "0",
        counts_for_attribute=f"CASE value.attribute_id {cases} ELSE misses = 0 END"
        if cases
        else "misses = 0",
        counts_for_stock=counts_for(IN_STOCK),
        counts_for_maker=counts_for(MAKER),
        in_stock=IN_STOCK,
        maker=MAKER,
    )


def _with_chosen(
    counts: list[FacetCount], filters: Filters, facetable: Facetable
) -> list[FacetCount]:
    known = {count.value for count in counts}
    missing = [value for value in filters.values(facetable.code) if value not in known]
    return [*counts, *(FacetCount(facetable.code, value, "", "", 0) for value in missing)]


def _most_frequent(counts: list[FacetCount], filters: Filters) -> list[FacetCount]:
    if len(counts) <= MOST_OPTIONS:
        return counts
    chosen = set(filters.choices)
    return sorted(counts, key=lambda c: ((c.code, c.value) not in chosen, -c.count))[:MOST_OPTIONS]


def _rank(option: FacetOption, facetable: Facetable) -> tuple[Any, ...]:
    if facetable.kind == Attribute.Kind.NUMBER:
        number = _number(option.value)
        return (number is None, number or 0, option.label)
    if facetable.kind == Attribute.Kind.BOOLEAN:
        return (option.value != "yes", option.label)
    return (option.label.casefold(),)


def _number(facet: str) -> Decimal | None:
    try:
        number = Decimal(facet)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
