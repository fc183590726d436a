"""Reads Shopify's product CSV, in the older column layouts and the current one.

Rows with one handle are one product: the first says what it is, each adds a variant, a picture, or
both. The columns are described at https://help.shopify.com/en/manual/products/import-export.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.errors import ProductRefused
from catalog.facts import make_facet
from catalog.imports.cells import RowRefused, read_amount, read_whole, unquote
from catalog.imports.report import Finding, ReadFile, ReadProduct, UnreadableFile
from catalog.imports.tables import Row, read_table
from catalog.models import Attribute, Product
from catalog.record_rules import check_variant
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    ImageRecord,
    OptionRecord,
    OptionValueRecord,
    ProductRecord,
    VariantRecord,
)

ALIASES: dict[str, tuple[str, ...]] = {
    "handle": ("Handle", "URL handle"),
    "title": ("Title",),
    "body": ("Body (HTML)", "Body HTML", "Description"),
    "vendor": ("Vendor",),
    "category": ("Product Category", "Standard Product Type", "Standardized Product Type"),
    "type": ("Type", "Custom Product Type"),
    "tags": ("Tags",),
    "published": ("Published", "Published on online store"),
    "status": ("Status",),
    "option1": ("Option1 Name",),
    "value1": ("Option1 Value",),
    "option2": ("Option2 Name",),
    "value2": ("Option2 Value",),
    "option3": ("Option3 Name",),
    "value3": ("Option3 Value",),
    "sku": ("Variant SKU", "SKU"),
    "grams": ("Variant Grams", "Weight value (grams)"),
    "tracker": ("Variant Inventory Tracker", "Inventory tracker"),
    "quantity": ("Variant Inventory Qty", "Inventory quantity"),
    "policy": ("Variant Inventory Policy", "Continue selling when out of stock"),
    "price": ("Variant Price", "Price"),
    "compare_at": ("Variant Compare At Price", "Compare-at price"),
    "taxable": ("Variant Taxable", "Charge tax"),
    "barcode": ("Variant Barcode", "Barcode"),
    "cost": ("Cost per item",),
    "image": ("Image Src", "Product image URL"),
    "alt": ("Image Alt Text",),
    "variant_image": ("Variant Image", "Variant image URL"),
    "gift_card": ("Gift Card",),
}
NEEDED = ("handle", "title", "price")
AXES = (1, 2, 3)
STATUSES = {
    "active": Product.Status.ACTIVE,
    "draft": Product.Status.DRAFT,
    "archived": Product.Status.ARCHIVED,
    "": Product.Status.ACTIVE,
}
COLUMNS = {
    "title": "title",
    "price": "price",
    "compare_at_price": "compare_at",
    "cost": "cost",
    "sku": "sku",
    "barcode": "barcode",
    "weight_grams": "grams",
    "stock": "quantity",
    "option": "option1",
    "value": "value1",
    "options": "value1",
    "tag": "tags",
    "attribute": "vendor",
}
"""Which column a field of a product record comes from."""
DEEPEST = 6
LONGEST_STEP = 90


def read(content: bytes) -> ReadFile:
    """Read a whole export. Raises `UnreadableFile` when it is not one."""
    table = read_table(content, aliases=ALIASES)
    missing = [ALIASES[name][0] for name in NEEDED if name not in table.columns]
    if missing:
        raise UnreadableFile(
            _(
                "This is no Shopify product export: the column %(columns)s is missing. Export the "
                "products in Shopify as “CSV for Excel, Numbers or other spreadsheet programs”."
            )
            % {"columns": ", ".join(missing)}
        )
    return _Reader(table.columns).read(table.rows)


class _Reader:
    """Collects products, refusals and remarks while it goes through the rows of one file."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns
        self.refused: list[Finding] = []
        self.remarks: list[Finding] = []
        self.lines_by_sku: dict[str, int] = {}

    def read(self, rows: Iterable[Row]) -> ReadFile:
        products = tuple(self._read_groups(self._group(rows)))
        return ReadFile(products, tuple(self.refused), tuple(self.remarks))

    def _group(self, rows: Iterable[Row]) -> dict[str, list[Row]]:
        groups: dict[str, list[Row]] = {}
        for row in rows:
            if row.is_blank:
                continue
            if row.surplus:
                message = _("The row has more cells than the header; a quotation mark is missing.")
                self._refuse(row, "", message)
            elif not row["handle"]:
                self._refuse(row, "handle", _("The handle is missing: give the product's."))
            else:
                groups.setdefault(row["handle"], []).append(row)
        return groups

    def _read_groups(self, groups: Mapping[str, list[Row]]) -> Iterator[ReadProduct]:
        for rows in groups.values():
            try:
                yield ReadProduct(self._read_product(rows), line=rows[0].line)
            except RowRefused as refusal:
                rest = len(rows) - 1
                message = refusal.message
                if rest:
                    message += " " + _("Its %(count)d other rows were left out too.") % {
                        "count": rest
                    }
                self._refuse(rows[0], refusal.column, message)

    def _read_product(self, rows: list[Row]) -> ProductRecord:
        first = rows[0]
        if not first["title"]:
            raise RowRefused("title", _("The title is missing on the product's first row."))
        if _is_true(first["gift_card"]):
            raise RowRefused("gift_card", _("Gift cards cannot be sold here yet."))
        status = STATUSES.get(first["status"].lower())
        if status is None:
            raise RowRefused("status", _("Write active, draft or archived."))
        if status == Product.Status.ACTIVE and first["published"].lower() in {"false", "no"}:
            status = Product.Status.DRAFT
        axes = _read_axes(rows)
        variants = self._read_variants(rows, axes)
        if not variants:
            raise RowRefused("price", _("No row of the product can be sold: each was refused."))
        is_taxed = any(row["taxable"].lower() != "false" for row in rows if _is_variant(row))
        return ProductRecord(
            handle=first["handle"],
            title=first["title"],
            description=first["body"],
            tags=_read_tags(first["tags"]),
            category=_read_category(first),
            tax_class="standard" if is_taxed else "untaxed",
            status=status,
            options=_collect_options(axes, variants),
            variants=tuple(variants),
            attributes=_read_attributes(first),
            images=_read_images(rows),
        )

    def _read_variants(self, rows: list[Row], axes: Mapping[int, str]) -> list[VariantRecord]:
        variants: list[VariantRecord] = []
        lines: dict[tuple[str, ...], int] = {}
        for row in rows:
            if not _is_variant(row) and row is not rows[0]:
                continue
            try:
                variant = self._read_variant(row, axes)
                if variant.options in lines:
                    raise RowRefused(
                        "value1",
                        _("Line %(line)d has the same options already: %(options)s.")
                        % {
                            "line": lines[variant.options],
                            "options": " / ".join(variant.options) or _("none"),
                        },
                    )
            except RowRefused as refusal:
                self._refuse(row, refusal.column, refusal.message)
            else:
                lines[variant.options] = row.line
                variants.append(replace(variant, sku=self._claim_sku(row, variant.sku)))
        return variants

    def _read_variant(self, row: Row, axes: Mapping[int, str]) -> VariantRecord:
        for axis, name in axes.items():
            if not row[f"value{axis}"]:
                raise RowRefused(
                    f"value{axis}",
                    _("The value of the option %(name)s is missing.") % {"name": name},
                )
        price = read_amount(row, "price")
        if price is None:
            raise RowRefused("price", _("The price is missing."))
        tracks_stock = bool(row["tracker"]) and row["policy"].lower() not in {"continue", "true"}
        variant = VariantRecord(
            sku=unquote(row["sku"]),
            options=tuple(row[f"value{axis}"] for axis in axes),
            price=price,
            compare_at_price=read_amount(row, "compare_at") or None,
            cost=read_amount(row, "cost"),
            weight_grams=read_whole(row, "grams") or 0,
            barcode=unquote(row["barcode"]),
            tracks_stock=tracks_stock,
            stock=self._read_stock(row) if tracks_stock else None,
            image=row["variant_image"],
        )
        try:
            check_variant(variant)
        except ProductRefused as refusal:
            raise RowRefused(COLUMNS.get(refusal.field, ""), str(refusal)) from None
        return variant

    def _read_stock(self, row: Row) -> int | None:
        quantity = read_whole(row, "quantity", may_be_negative=True)
        if quantity is not None and quantity < 0:
            message = _("Oversold by %(count)d pieces; counted as 0.") % {"count": -quantity}
            self.remarks.append(self._find(row, "quantity", message))
            return 0
        return quantity

    def _claim_sku(self, row: Row, sku: str) -> str:
        """Return the SKU, or none when an earlier row has it: Shopify lets SKUs repeat."""
        line = self.lines_by_sku.setdefault(sku, row.line)
        if sku and line != row.line:
            message = _("%(sku)s stands on line %(line)d already; this variant got its own SKU.")
            self.remarks.append(self._find(row, "sku", message % {"sku": sku, "line": line}))
            return ""
        return sku

    def _refuse(self, row: Row, column: str, message: str) -> None:
        self.refused.append(self._find(row, column, message))

    def _find(self, row: Row, column: str, message: str) -> Finding:
        return Finding(row.line, row["handle"], self.columns.get(column, ""), message)


def name_column(field: str) -> str:
    """Name the column, as older files call it, that a field of a product record comes from."""
    name = COLUMNS.get(field, "")
    return ALIASES[name][0] if name else ""


def _is_variant(row: Row) -> bool:
    return bool(row["price"] or row["value1"] or row["sku"])


def _is_true(cell: str) -> bool:
    return cell.lower() in {"true", "yes", "1"}


def _read_axes(rows: list[Row]) -> dict[int, str]:
    """Name the product's options by column; "Title / Default Title" stands for none at all."""
    first = rows[0]
    if first["option1"].lower() == "title" and first["value1"].lower() == "default title":
        return {}
    return {axis: first[f"option{axis}"] for axis in AXES if first[f"option{axis}"]}


def _collect_options(
    axes: Mapping[int, str], variants: Iterable[VariantRecord]
) -> tuple[OptionRecord, ...]:
    labels: list[dict[str, None]] = [{} for _axis in axes]
    for variant in variants:
        for choices, label in zip(labels, variant.options, strict=True):
            choices[label] = None
    return tuple(
        OptionRecord(name, tuple(OptionValueRecord(label) for label in choices))
        for name, choices in zip(axes.values(), labels, strict=True)
    )


def _read_images(rows: Iterable[Row]) -> tuple[ImageRecord, ...]:
    images: dict[str, ImageRecord] = {}
    for row in rows:
        if row["image"]:
            images.setdefault(row["image"], ImageRecord(row["image"], row["alt"]))
    for row in rows:
        if row["variant_image"]:
            images.setdefault(row["variant_image"], ImageRecord(row["variant_image"]))
    return tuple(images.values())


def _read_tags(cell: str) -> tuple[str, ...]:
    tags = (" ".join(tag.split()) for tag in cell.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _read_category(row: Row) -> tuple[CategoryStep, ...]:
    names = [" ".join(name.split()) for name in (row["category"] or row["type"]).split(">")]
    steps = [name for name in names if name][:DEEPEST]
    return tuple(
        CategoryStep(slugify(name)[:LONGEST_STEP].strip("-") or f"c-{make_facet(name)[:12]}", name)
        for name in steps
        if not name.isdigit()
    )


def _read_attributes(row: Row) -> tuple[AttributeRecord, ...]:
    facts = {"Brand": row["vendor"], "Type": row["type"] if row["category"] else ""}
    return tuple(
        AttributeRecord(name, (text,), kind=Attribute.Kind.TEXT, position=5)
        for name, text in facts.items()
        if text
    )
