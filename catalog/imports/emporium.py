"""Reads the shop's own product CSV, as `catalog.exports.emporium` writes it or people do by hand.

A column that is not in the file leaves its values in the shop alone. A row that cannot be used
keeps its whole product out, so that no variant goes off sale for a slip of the pen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog import facts
from catalog.imports.cells import make_slug, read_amount, read_whole
from catalog.imports.reading import Finding, Reader, ReadProduct, Row, RowRefused, refuse_rest
from catalog.models import Attribute, Product
from catalog.product_csv import (
    AXES,
    BETWEEN,
    BETWEEN_DETAILS,
    BETWEEN_STEPS,
    PRODUCT_TITLES,
    VARIANT_TITLES,
    cut,
    list_columns,
    option_columns,
    option_titles,
    read_list,
    restore,
    unescape,
)
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    ImageRecord,
    OptionRecord,
    OptionValueRecord,
    ProductRecord,
    VariantRecord,
)

MOST_AXES = 20
TRUE, FALSE = facts.YES | {"1"}, facts.NO | {"0"}
OPTION_TITLE = re.compile(r"option (\d{1,2})( name| values)?", re.IGNORECASE)
OPTION_COLUMN = re.compile(r"option(\d+)_name")
CHOICE = re.compile(r"(?s)(.*\S)\s+(#[0-9a-fA-F]{6})")
STEP = re.compile(r"(?s)((?:[^\\\[]|\\.)*)(?:\[([^\]]*)\]\s*)?")
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,120}")
FACT = re.compile(r"(?s)((?:[^\\\[:]|\\.)*)(?:\[((?:[^\\\]]|\\.)*)\]\s*)?:(.*)")
CODE = re.compile(r"[-\w]{1,60}")
LAST_POSITION = 32_767
DECIMAL_COMMA = re.compile(r"(-?[0-9]+),([0-9]{1,2})")
SHORTENED = re.compile(r"[0-9][.,][0-9]+E\+[0-9]+")
NUMBERS = ("price", "compare_at_price", "cost", "weight_grams", "stock", "low_stock_at")
LONGEST_PATH = 600
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
            category=_read_category(first),
            tax_class=_read_tax_class(first),
            status=_read_status(first),
            options=tuple(_read_options(first, axes, variants)),
            variants=tuple(variants),
            attributes=tuple(_read_facts(first)),
            images=tuple(_read_images(first, variants)),
            seo_title=first["seo_title"] if "seo_title" in self.columns else None,
            seo_description=first["seo_description"] if "seo_description" in self.columns else None,
            published_at=_read_moment(first),
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
        row = _accept_commas(row)
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
                tracks_stock=_read_flag(row, "tracks_stock"),
                stock=read_whole(row, "stock"),
                low_stock_at=read_whole(row, "low_stock_at"),
                is_active=_read_flag(row, "is_active"),
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


def _accept_commas(row: Row) -> Row:
    """Write numbers with a decimal point: spreadsheets of half of Europe write a comma."""
    commas = {
        name: f"{match[1]}.{match[2]}"
        for name in NUMBERS
        if (match := DECIMAL_COMMA.fullmatch(row[name]))
    }
    return Row(row.line, {**row.cells, **commas}) if commas else row


def _read_flag(row: Row, column: str) -> bool:
    word = row[column].casefold()
    if word and word not in TRUE | FALSE:
        raise RowRefused(column, _("Write yes or no."))
    return word not in FALSE


def _read_status(row: Row) -> Product.Status:
    word = row["status"].lower()
    if not word:
        return Product.Status.ACTIVE
    if word not in Product.Status.values:
        raise RowRefused("status", _("Write active, draft or archived."))
    return Product.Status(word)


def _read_tax_class(row: Row) -> str:
    code = row["tax_class"] or "standard"
    if not re.fullmatch(r"[-a-zA-Z0-9_]{1,40}", code):
        raise RowRefused(
            "tax_class", _("Write the code of a tax class in letters, digits and dashes.")
        )
    return code


def _read_moment(row: Row) -> datetime | None:
    if not row["published_at"]:
        return None
    try:
        moment = datetime.fromisoformat(row["published_at"])
    except ValueError:
        moment = None
    if moment is None or not 1900 < moment.year < 3000:
        raise RowRefused("published_at", _("Write date and time like 2026-03-01T09:00+01:00."))
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _read_category(row: Row) -> tuple[CategoryStep, ...]:
    """Read "Table & kitchen > Mugs"; a slug in brackets stands where it is not made of the name."""
    steps = []
    for piece in cut(row["category"], BETWEEN_STEPS):
        if not piece:
            continue
        match = STEP.fullmatch(piece)
        name = unescape((match[1] if match else piece).strip())
        slug = (match[2] if match else None) or make_slug(name)
        if not name or not SLUG.fullmatch(slug):
            raise RowRefused(
                "category",
                _("“%(step)s” is no category: write names with > between them.")
                % {"step": piece[:40]},
            )
        steps.append(CategoryStep(slug, name))
    if len("/".join(step.slug for step in steps)) > LONGEST_PATH:
        raise RowRefused("category", _("The way through the categories is too long."))
    return tuple(steps)


def _read_options(
    first: Row, axes: Mapping[int, str], variants: Iterable[VariantRecord]
) -> Iterator[OptionRecord]:
    """Read the options with their values in order; values that only variants have come last."""
    for place, (number, name) in enumerate(axes.items()):
        choices: dict[str, str | None] = {}
        for piece in cut(first[option_columns(number)[1]], BETWEEN):
            if piece:
                match = CHOICE.fullmatch(piece)
                label, swatch = (match[1], match[2]) if match else (piece, "")
                choices.setdefault(unescape(label), swatch)
        for variant in variants:
            choices.setdefault(variant.options[place], None)
        yield OptionRecord(name, tuple(OptionValueRecord(*choice) for choice in choices.items()))


def _read_facts(row: Row) -> Iterator[AttributeRecord]:
    """Read one attribute from each line: "Capacity [number; unit=ml]: 320 ml | 450 ml"."""
    seen: set[str] = set()
    for line in row["attributes"].split("\n"):
        if not line.strip():
            continue
        match = FACT.fullmatch(line.strip())
        name = unescape(match[1].strip()) if match else ""
        if match is None or not name:
            raise RowRefused(
                "attributes",
                _("“%(line)s” is no fact: write one on a line, such as Material: oak | steel.")
                % {"line": line.strip()[:40]},
            )
        fact = _describe_fact(name, match[2] or "", read_list(match[3]))
        code = fact.code or facts.make_code(name)
        if code in seen:
            raise RowRefused(
                "attributes",
                _("%(name)s is there twice; write its values on one line.") % {"name": name[:40]},
            )
        seen.add(code)
        yield fact


def _describe_fact(name: str, details: str, values: tuple[str, ...]) -> AttributeRecord:
    kind: Attribute.Kind | None = None
    said: dict[str, str] = {}
    for piece in filter(None, cut(details, BETWEEN_DETAILS)):
        word, sign, rest = unescape(piece).partition("=")
        if sign:
            said[word.strip()] = rest.strip()
        elif word in Attribute.Kind.values:
            kind = Attribute.Kind(word)
        else:
            raise RowRefused(
                "attributes",
                _("“%(word)s” is no kind of fact: write text, number, boolean or colour.")
                % {"word": word[:40]},
            )
    position, code = said.get("position", "0"), said.get("code", "")
    is_place = re.fullmatch(r"[0-9]{1,5}", position) and int(position) <= LAST_POSITION
    if not is_place or (code and not CODE.fullmatch(code)):
        raise RowRefused(
            "attributes",
            _("The words in brackets behind %(name)s do not fit.") % {"name": name[:40]},
        )
    return AttributeRecord(
        name=name,
        values=values,
        kind=kind,
        unit=said.get("unit", ""),
        is_filter=said.get("filter", "yes") not in FALSE,
        position=int(position),
        code=code,
    )


def _read_images(row: Row, variants: Iterable[VariantRecord]) -> Iterator[ImageRecord]:
    """Read one picture from each line, its address and behind it the words for it."""
    seen: set[str] = set()
    for line in row["images"].split("\n"):
        source, _space, alt = line.strip().partition(" ")
        if source and source not in seen:
            seen.add(source)
            yield ImageRecord(source, unescape(alt.strip()))
    for variant in variants:
        if variant.image and variant.image not in seen:
            seen.add(variant.image)
            yield ImageRecord(variant.image)
