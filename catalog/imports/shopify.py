"""Reads Shopify's product CSV, in the older column layouts and the current one.

Rows with one handle are one product: the first says what it is, each adds a variant, a picture, or
both. The columns are described at https://help.shopify.com/en/manual/products/import-export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.imports.cells import (
    each_once,
    is_true,
    read_amount,
    read_category,
    read_list,
    read_whole,
    unquote,
)
from catalog.imports.reading import Finding, Reader, ReadProduct, Row, RowRefused, refuse_rest
from catalog.models import Attribute, Product
from catalog.record_rules import LONGEST
from catalog.records import (
    AttributeRecord,
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
    "seo_title": ("SEO Title",),
    "seo_description": ("SEO Description",),
}
AXES = (1, 2, 3)
STATUSES = {
    "active": Product.Status.ACTIVE,
    "draft": Product.Status.DRAFT,
    "archived": Product.Status.ARCHIVED,
    "": Product.Status.ACTIVE,
}
METAFIELD = re.compile(
    r"(?P<label>.*?)\s*\((?:product\.)?metafields\.(?P<space>[\w$-]+)\.(?P<key>[\w-]+)\)"
)
OTHER_METAFIELD = re.compile(
    r"Metafield:\s*(?P<space>[\w$-]+)\.(?P<key>[\w-]+)\s*(?:\[(?P<kind>[\w.]+)\])?"
)
UNSAID = {
    "description": "body",
    "tags": "tags",
    "compare_at_price": "compare_at",
    "weight_grams": "grams",
    "barcode": "barcode",
}
NEVER_SAID = frozenset({"short_description", "care", "origin"})
MARKED = "metafield:"
"""Before the own name of a column that holds a metafield."""
REFERENCE = re.compile(r"gid://\S+")
LONGEST_FACT = 200


class ShopifyReader(Reader):
    aliases = ALIASES
    needed = ("handle", "title", "price")
    advice = gettext_noop(
        "This is no Shopify product export. Export the products in Shopify as “CSV for Excel, "
        "Numbers or other spreadsheet programs”."
    )
    fields = {
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
        "category": "category",
    }

    @classmethod
    def adopt(cls, title: str) -> str:
        """Take columns of metafields as the shop names them, Shopify's own and Matrixify's."""
        found = METAFIELD.fullmatch(title) or OTHER_METAFIELD.fullmatch(title)
        if not found or found["space"] in {"mm-google-shopping", "global"}:
            return ""
        label = found.groupdict().get("label") or found["key"].replace("-", " ").replace("_", " ")
        return f"{MARKED}{label.strip().capitalize() if label.islower() else label.strip()}"

    def key(self, row: Row) -> str:
        if not row["handle"]:
            raise RowRefused("handle", _("The handle is missing: give the product's."))
        return row["handle"]

    def marks(self, row: Row) -> Sequence[str]:
        return (unquote(row["sku"]),)

    def read(self, rows: Sequence[Row]) -> Iterator[ReadProduct | Finding]:
        first = rows[0]
        findings: list[Finding] = []
        try:
            product = self._read_product(rows, findings)
        except RowRefused as refusal:
            yield from findings
            yield self.refuse(first, first["handle"], refuse_rest(refusal, rows))
        else:
            yield from findings
            yield product

    def _read_product(self, rows: Sequence[Row], findings: list[Finding]) -> ReadProduct:
        first = rows[0]
        if not first["title"]:
            raise RowRefused("title", _("The title is missing on the product's first row."))
        if is_true(first["gift_card"]):
            raise RowRefused("gift_card", _("Gift cards cannot be sold here yet."))
        status = STATUSES.get(first["status"].lower())
        if status is None:
            raise RowRefused("status", _("Write active, draft or archived."))
        if status == Product.Status.ACTIVE and first["published"].lower() in {"false", "no"}:
            status = Product.Status.DRAFT
        axes = _read_axes(rows)
        variants = self._read_variants(rows, axes, findings)
        if not variants:
            raise RowRefused("price", _("No row of the product can be sold: each was refused."))
        is_taxed = any(row["taxable"].lower() != "false" for row in rows if _is_variant(row))
        record = ProductRecord(
            handle=first["handle"],
            title=first["title"],
            description=first["body"],
            tags=read_list(first["tags"]),
            category=read_category(first["category"] or first["type"]),
            tax_class="standard" if is_taxed else "untaxed",
            status=status,
            options=_collect_options(axes, variants),
            variants=tuple(variants),
            attributes=each_once((*_read_attributes(first), *self._read_metafields(first))),
            images=_read_images(rows),
            seo_title=self._read_optional(first, "seo_title"),
            seo_description=self._read_optional(first, "seo_description"),
            unsaid=NEVER_SAID.union(
                field for field, column in UNSAID.items() if column not in self.columns
            ),
        )
        is_whole = all(finding.is_remark for finding in findings)
        return ReadProduct(record, line=first.line, is_whole=is_whole)

    def _read_optional(self, row: Row, column: str) -> str | None:
        """Read a text as far as there is room for it; None without such a column."""
        return row[column][: LONGEST[column]].strip() if column in self.columns else None

    def _read_variants(
        self, rows: Sequence[Row], axes: Mapping[int, str], findings: list[Finding]
    ) -> list[VariantRecord]:
        variants: list[VariantRecord] = []
        lines: dict[tuple[str, ...], int] = {}
        for row in rows:
            if not _is_variant(row) and row is not rows[0]:
                continue
            try:
                variant = self._read_variant(row, axes, findings)
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
                findings.append(self.refuse(row, rows[0]["handle"], refusal))
            else:
                lines[variant.options] = row.line
                variants.append(replace(variant, sku=self._claim_sku(row, variant.sku, findings)))
        return variants

    def _read_variant(
        self, row: Row, axes: Mapping[int, str], findings: list[Finding]
    ) -> VariantRecord:
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
            stock=self._read_stock(row, findings) if tracks_stock else None,
            image=row["variant_image"],
        )
        return self.check(variant)

    def _read_stock(self, row: Row, findings: list[Finding]) -> int | None:
        quantity = read_whole(row, "quantity", may_be_negative=True)
        if quantity is not None and quantity < 0:
            message = _("Oversold by %(count)d pieces; counted as 0.") % {"count": -quantity}
            findings.append(self.remark(row, row["handle"], "quantity", message))
            return 0
        return quantity

    def _claim_sku(self, row: Row, sku: str, findings: list[Finding]) -> str:
        """Return the SKU, or none when an earlier row has it: Shopify lets SKUs repeat."""
        line = self.find_first(sku)
        if sku and line and line != row.line:
            message = _("%(sku)s stands on line %(line)d already; this variant got its own SKU.")
            message %= {"sku": sku, "line": line}
            findings.append(self.remark(row, row["handle"], "sku", message))
            return ""
        return sku

    def _read_metafields(self, row: Row) -> Iterator[AttributeRecord]:
        """Take metafields in plain words as facts; references to other records say nothing here."""
        for name, cell in row.cells.items():
            label = name.removeprefix(MARKED)
            if label == name or not cell or REFERENCE.search(cell) or cell[0] in "{<":
                continue
            texts = _read_metafield(cell)
            if texts and all(len(text) <= LONGEST_FACT for text in texts):
                yield AttributeRecord(label[:60], texts, position=10)


def _is_variant(row: Row) -> bool:
    return bool(row["price"] or row["value1"] or row["sku"])


def _read_axes(rows: Sequence[Row]) -> dict[int, str]:
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


def _read_metafield(cell: str) -> tuple[str, ...]:
    """Read one value or a list, as JSON or with semicolons."""
    if cell.startswith("["):
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            return (cell,)
        return tuple(_write_utf8(each) for each in found if isinstance(each, str | int | float))
    return tuple(part for part in map(str.strip, cell.split(";")) if part)


def _write_utf8(value: str | int | float) -> str:
    """Write a value of JSON, which may spell out half characters that no file can hold."""
    return str(value).replace("\0", "").encode(errors="replace").decode()


def _read_attributes(row: Row) -> tuple[AttributeRecord, ...]:
    facts = {"Brand": row["vendor"], "Type": row["type"] if row["category"] else ""}
    return tuple(
        AttributeRecord(name, (text,), kind=Attribute.Kind.TEXT, position=5)
        for name, text in facts.items()
        if text
    )
