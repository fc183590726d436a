"""Reads the shop's own product CSV, as `catalog.exports.emporium` writes it or people do by hand.

A column that is not in the file leaves its values in the shop alone. A row that cannot be used
keeps its whole product out, so that no variant goes off sale for a slip of the pen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.imports.cells import read_amount, read_whole
from catalog.imports.emporium_cells import (
    accept_commas,
    read_category,
    read_collections,
    read_facts,
    read_flag,
    read_images,
    read_moment,
    read_options,
    read_status,
    read_tax_class,
)
from catalog.imports.reading import Finding, Reader, ReadProduct, Row, RowRefused, refuse_rest
from catalog.product_csv import (
    AXES,
    PRODUCT_TITLES,
    VARIANT_TITLES,
    list_columns,
    option_columns,
    option_titles,
    read_list,
    restore,
)
from catalog.records import (
    ProductRecord,
    VariantRecord,
)

MOST_AXES = 20
OPTION_TITLE = re.compile(r"option (\d{1,2})( name| values)?", re.IGNORECASE)
OPTION_COLUMN = re.compile(r"option(\d+)_name")
SHORTENED = re.compile(r"[0-9][.,][0-9]+E\+[0-9]+")
UNSAID = {
    **{name: name for name in ("status", "tax_class", "short_description", "description", "care")},
    **{name: name for name in ("origin", "tags", "compare_at_price", "weight_grams", "barcode")},
    **{name: name for name in ("tracks_stock", "is_active")},
}
"""Fields of a record that stay as they are when their column is missing."""


class EmporiumReader(Reader):
    """Reads the columns that docs/product-csv.md describes."""

    aliases = {name: (title,) for name, title in list_columns(AXES).items()}
    needed = ("handle", "title", "price")
    advice = gettext_noop(
        "This is no product list of our own. docs/product-csv.md describes every column; an export "
        "shows them filled in."
    )
    fields = {
        **{name: name for name in (*PRODUCT_TITLES, *VARIANT_TITLES)},
        "tag": "tags",
        "attribute": "attributes",
        "unit": "attributes",
        "option": "option1_name",
        "value": "option1",
        "options": "option1",
    }

    @classmethod
    def adopt(cls, title: str) -> str:
        match = OPTION_TITLE.fullmatch(title)
        if match is None or not AXES < int(match[1]) <= MOST_AXES:
            return ""
        titles = [each.casefold() for each in option_titles(int(match[1]))]
        return option_columns(int(match[1]))[titles.index(title.casefold())]

    def key(self, row: Row) -> str:
        handle = restore(row["handle"])
        if not handle:
            raise RowRefused("handle", _("The handle is missing: give the product's."))
        return handle

    def handle(self, row: Row) -> str:
        return restore(row["handle"])

    def marks(self, row: Row) -> Sequence[str]:
        return (restore(row["sku"]),) if row["sku"] else ()

    def read(self, rows: Sequence[Row]) -> Iterator[ReadProduct | Finding]:
        rows = [
            Row(row.line, {name: restore(cell) for name, cell in row.cells.items()}) for row in rows
        ]
        first = rows[0]
        try:
            axes = self._read_axes(first)
            variants, findings = self._read_variants(rows, axes)
            if findings:
                yield from findings
                count = len(rows) - len(findings)
                if count:
                    yield self._keep_out(first, count)
                return
            yield ReadProduct(
                self._read_product(first, axes, variants), line=first.line, seller=first["seller"]
            )
        except RowRefused as refusal:
            yield self.refuse(first, first["handle"], refuse_rest(refusal, rows))

    def _keep_out(self, first: Row, count: int) -> Finding:
        message = _("The product was left out whole, with %(count)d rows that are right.")
        return self.refuse(first, first["handle"], RowRefused("", message % {"count": count}))

    def _read_product(
        self, first: Row, axes: Mapping[int, str], variants: Sequence[VariantRecord]
    ) -> ProductRecord:
        if not first["title"]:
            raise RowRefused("title", _("The title is missing on the product's first row."))
        return ProductRecord(
            handle=first["handle"],
            title=first["title"],
            short_description=first["short_description"],
            description=first["description"],
            care=first["care"],
            origin=first["origin"],
            tags=tuple(dict.fromkeys(read_list(first["tags"]))),
            collections=read_collections(first) if "collections" in self.columns else None,
            category=read_category(first),
            tax_class=read_tax_class(first),
            status=read_status(first),
            options=tuple(read_options(first, axes, variants)),
            variants=tuple(variants),
            attributes=tuple(read_facts(first)),
            images=tuple(read_images(first, variants)),
            seo_title=first["seo_title"] if "seo_title" in self.columns else None,
            seo_description=first["seo_description"] if "seo_description" in self.columns else None,
            published_at=read_moment(first),
            may_be_empty=not variants and not read_flag(first, "is_active"),
            unsaid=frozenset(
                field for field, column in UNSAID.items() if column not in self.columns
            ),
        )

    def _read_axes(self, first: Row) -> dict[int, str]:
        """Name the product's options by the number of their columns."""
        numbers = sorted(
            int(match[1]) for name in self.columns if (match := OPTION_COLUMN.fullmatch(name))
        )
        named = {number: first[option_columns(number)[0]] for number in numbers}
        axes = {number: name for number, name in named.items() if name}
        names = list(axes.values())
        for number, name in axes.items():
            if names.count(name) > 1:
                raise RowRefused(
                    option_columns(number)[0],
                    _("Two options are called %(name)s.") % {"name": name},
                )
        return axes

    def _read_variants(
        self, rows: Sequence[Row], axes: Mapping[int, str]
    ) -> tuple[list[VariantRecord], list[Finding]]:
        """Read every row as a variant; a product of one row may have none yet."""
        variants: list[VariantRecord] = []
        findings: list[Finding] = []
        lines: dict[tuple[str, ...], int] = {}
        if len(rows) == 1 and not _is_variant(rows[0]):
            return variants, findings
        for row in rows:
            try:
                variant = self._read_variant(row, rows[0], axes)
                _refuse_repeat(variant.options, lines)
            except RowRefused as refusal:
                findings.append(self.refuse(row, rows[0]["handle"], refusal))
            else:
                lines[variant.options] = row.line
                variants.append(variant)
        return variants, findings

    def _read_variant(self, row: Row, first: Row, axes: Mapping[int, str]) -> VariantRecord:
        if row["title"] not in ("", first["title"]):
            raise RowRefused(
                "title",
                _("Line %(line)d has the same handle for another product.") % {"line": first.line},
            )
        self._check_options(row, axes)
        self._check_currency(row)
        self._check_codes(row)
        row = accept_commas(row)
        price = read_amount(row, "price")
        if price is None:
            raise RowRefused("price", _("The price is missing."))
        return self.check(
            VariantRecord(
                sku=row["sku"],
                options=tuple(row[option_columns(number)[2]] for number in axes),
                price=price,
                compare_at_price=read_amount(row, "compare_at_price"),
                cost=read_amount(row, "cost"),
                weight_grams=read_whole(row, "weight_grams") or 0,
                barcode=row["barcode"],
                tracks_stock=read_flag(row, "tracks_stock"),
                stock=read_whole(row, "stock"),
                low_stock_at=read_whole(row, "low_stock_at"),
                is_active=read_flag(row, "is_active"),
                image=row["variant_image"],
            )
        )

    def _check_options(self, row: Row, axes: Mapping[int, str]) -> None:
        for number, name in axes.items():
            value = option_columns(number)[2]
            if not row[value]:
                raise RowRefused(
                    value, _("The value of the option %(name)s is missing.") % {"name": name}
                )
        for number in range(1, MOST_AXES + 1):
            name, _values, value = option_columns(number)
            if number not in axes and row[value]:
                raise RowRefused(
                    value,
                    _("The option has no name on the product's first row (%(title)s).")
                    % {"title": self.title(name) or option_titles(number)[0]},
                )

    def _check_currency(self, row: Row) -> None:
        currency = row["currency"]
        if currency and currency.upper() != settings.SHOP_CURRENCY:
            raise RowRefused(
                "currency",
                _("The amounts are in %(currency)s; this shop sells in %(own)s.")
                % {"currency": currency[:10], "own": settings.SHOP_CURRENCY},
            )

    def _check_codes(self, row: Row) -> None:
        if SHORTENED.fullmatch(row["barcode"]):
            raise RowRefused(
                "barcode",
                _(
                    "A spreadsheet has shortened the number to %(cell)s. Write it whole, in a column "
                    "formatted as text."
                )
                % {"cell": row["barcode"]},
            )
        line = self.find_first(row["sku"])
        if row["sku"] and line and line != row.line:
            raise RowRefused(
                "sku",
                _("%(sku)s stands on line %(line)d already; every variant needs its own SKU.")
                % {"sku": row["sku"], "line": line},
            )


def _is_variant(row: Row) -> bool:
    return bool(row["price"] or row["sku"] or row["option1"])


def _refuse_repeat(options: tuple[str, ...], lines: Mapping[tuple[str, ...], int]) -> None:
    if options in lines:
        raise RowRefused(
            "option1" if options else "sku",
            _("Line %(line)d has the same options already: %(options)s.")
            % {"line": lines[options], "options": " / ".join(options) or _("none")},
        )
