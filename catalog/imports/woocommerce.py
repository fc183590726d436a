"""Reads WooCommerce's product CSV: simple products, and variable ones with their variations.

A variation stands anywhere in the file and names its parent by SKU or as "id:12". The columns are
described at https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.facts import make_facet
from catalog.imports.cells import (
    each_once,
    read_amount,
    read_category,
    read_number,
    read_whole,
)
from catalog.imports.reading import Finding, Reader, ReadProduct, Row, RowRefused, refuse_rest
from catalog.imports.woocommerce_cells import (
    UNIT,
    Axis,
    find_axes,
    is_on_sale,
    read_attributes,
    read_facts,
    read_images,
    read_position,
    read_tags,
    read_text,
    read_texts,
    read_types,
    split,
)
from catalog.models import Product
from catalog.record_rules import LONGEST
from catalog.records import (
    OptionRecord,
    OptionValueRecord,
    ProductRecord,
    VariantRecord,
)

GRAMS = {
    "kg": Decimal(1000),
    "g": Decimal(1),
    "lbs": Decimal("453.59237"),
    "oz": Decimal("28.3495"),
}
ATTRIBUTE = re.compile(r"attribute (?P<number>\d{1,3}) (?P<part>name|value\(s\)|visible)")
UNSAID = {
    "description": "description",
    "short_description": "short",
    "tags": "tags",
    "weight_grams": "weight",
    "barcode": "barcode",
}
NEVER_SAID = frozenset({"care", "origin", "cost"})
MOST_OF_ANY = 200
STATUSES = {"1": Product.Status.ACTIVE, "0": Product.Status.DRAFT, "-1": Product.Status.DRAFT}
TAX_CLASSES = {"": "standard", "standard": "standard", "parent": "standard"}
REFUSED_TYPES = {
    "grouped": gettext_noop(
        "A grouped product is a list of others; import those, and make a collection of them."
    ),
    "external": gettext_noop(
        "An external product is sold by another shop; it cannot be sold here."
    ),
    "downloadable": gettext_noop("Downloads cannot be sold here yet."),
    "subscription": gettext_noop("Subscriptions cannot be sold here yet."),
    "variable-subscription": gettext_noop("Subscriptions cannot be sold here yet."),
}
KNOWN_TYPES = {"simple", "variable", "variation", "virtual", *REFUSED_TYPES}


class WooCommerceReader(Reader):
    aliases = {
        "id": ("ID",),
        "type": ("Type",),
        "sku": ("SKU",),
        "barcode": ("GTIN, UPC, EAN, or ISBN",),
        "name": ("Name",),
        "published": ("Published",),
        "visibility": ("Visibility in catalog",),
        "short": ("Short description",),
        "description": ("Description",),
        "sale_starts": ("Date sale price starts",),
        "sale_ends": ("Date sale price ends",),
        "tax_status": ("Tax status",),
        "tax_class": ("Tax class",),
        "in_stock": ("In stock?",),
        "stock": ("Stock",),
        "low_stock": ("Low stock amount",),
        "backorders": ("Backorders allowed?",),
        "weight": ("Weight (kg)", "Weight (g)", "Weight (lbs)", "Weight (oz)"),
        "length": ("Length (cm)", "Length (m)", "Length (mm)", "Length (in)", "Length (yd)"),
        "width": ("Width (cm)", "Width (m)", "Width (mm)", "Width (in)", "Width (yd)"),
        "height": ("Height (cm)", "Height (m)", "Height (mm)", "Height (in)", "Height (yd)"),
        "sale_price": ("Sale price",),
        "price": ("Regular price",),
        "categories": ("Categories",),
        "tags": ("Tags",),
        "images": ("Images",),
        "parent": ("Parent",),
        "position": ("Position",),
        "brands": ("Brands",),
        "seo_title": ("Meta: _yoast_wpseo_title", "Meta: rank_math_title"),
        "seo_description": ("Meta: _yoast_wpseo_metadesc", "Meta: rank_math_description"),
    }
    needed = ("type", "name", "price")
    advice = gettext_noop(
        "This is no WooCommerce product export. Export the products under Products → All products "
        "→ Export, with all columns and in English."
    )
    fields = {
        "title": "name",
        "price": "price",
        "compare_at_price": "price",
        "sku": "sku",
        "barcode": "barcode",
        "weight_grams": "weight",
        "stock": "stock",
        "options": "attribute1name",
        "option": "attribute1name",
        "value": "attribute1value",
        "attribute": "attribute1name",
        "attributes": "attribute1name",
        "category": "categories",
        "tag": "tags",
        "seo_title": "seo_title",
        "seo_description": "seo_description",
        "low_stock_at": "low_stock",
    }
    may_be_apart = True

    @classmethod
    def adopt(cls, title: str) -> str:
        found = ATTRIBUTE.fullmatch(title.lower())
        return f"attribute{int(found['number'])}{found['part'].rstrip('(s)')}" if found else ""

    def handle(self, row: Row) -> str:
        return row["sku"] or row["name"] or row["id"]

    def key(self, row: Row) -> str:
        if "variation" in read_types(row):
            parent = row["parent"]
            if not parent:
                raise RowRefused("parent", _("The variation does not say whose it is."))
            return parent if parent.startswith("id:") else f"sku:{parent}"
        return next(iter(self.names(row)), f"name:{row['name']}")

    def names(self, row: Row) -> Sequence[str]:
        if "variation" in read_types(row):
            return ()
        names = {"id:": row["id"], "sku:": row["sku"]}
        return [f"{prefix}{name}" for prefix, name in names.items() if name]

    def marks(self, row: Row) -> Sequence[str]:
        sku = f"sku:{read_text(row['sku'])}" if row["sku"] else ""
        if "variation" in read_types(row):
            return (sku,)
        return (sku, f"handle:{slugify(row['name'])}")

    def read(self, rows: Sequence[Row]) -> Iterator[ReadProduct | Finding]:
        findings: list[Finding] = []
        parents = [row for row in rows if "variation" not in read_types(row)]
        first = (parents or rows)[0]
        try:
            if not parents:
                raise RowRefused(
                    "parent",
                    _("The product “%(parent)s”, of which this is a variation, is not in the file.")
                    % {"parent": first["parent"]},
                )
            for row in parents[1:]:
                refusal = RowRefused(
                    "sku", _("Line %(line)d has the same ID or SKU already.") % {"line": first.line}
                )
                findings.append(self.refuse(row, self.handle(row), refusal))
            variations = [row for row in rows if row not in parents]
            product = self._read_product(first, variations, findings)
        except RowRefused as refusal:
            yield from findings
            yield self.refuse(first, self.handle(first), refuse_rest(refusal, rows))
        else:
            yield from findings
            yield product

    def _read_product(
        self, row: Row, variations: Sequence[Row], findings: list[Finding]
    ) -> ReadProduct:
        types = read_types(row)
        for type in types:
            if type in REFUSED_TYPES:
                raise RowRefused("type", _(REFUSED_TYPES[type]))
            if type not in KNOWN_TYPES:
                raise RowRefused(
                    "type",
                    _("Products of the type “%(type)s” are not known here.") % {"type": type},
                )
        if not row["name"]:
            raise RowRefused("name", _("The name is missing."))
        attributes = read_attributes(row)
        if "variable" in types:
            axes = find_axes(attributes, variations)
            variants = self._read_variations(row, variations, axes, findings)
        else:
            axes = []
            variants = [self._read_variant(row, findings)]
            for variation in variations:
                refusal = RowRefused("parent", _("Its parent is not of the type “variable”."))
                findings.append(self.refuse(variation, self.handle(variation), refusal))
        names = {axis.name for axis in axes}
        short, description = read_texts(row)
        categories = split(row["categories"])
        record = ProductRecord(
            handle=self._choose_handle(row),
            title=read_text(row["name"]),
            short_description=short,
            description=description,
            tags=read_tags(row, categories[1:]),
            category=read_category(categories[0]) if categories else (),
            tax_class=self._read_tax_class(row, findings),
            status=self._read_status(row, findings),
            options=tuple(
                OptionRecord(axis.name, tuple(OptionValueRecord(choice) for choice in axis.choices))
                for axis in axes
            ),
            variants=tuple(variants),
            attributes=each_once(
                [
                    *read_facts(row, self.columns),
                    *(each for name, each in attributes.items() if name not in names),
                ]
            ),
            images=read_images([row, *variations]),
            seo_title=self._read_optional(row, "seo_title"),
            seo_description=self._read_optional(row, "seo_description"),
            unsaid=NEVER_SAID.union(
                field for field, column in UNSAID.items() if column not in self.columns
            ),
        )
        is_whole = all(finding.is_remark for finding in findings)
        return ReadProduct(record, line=row.line, is_whole=is_whole)

    def _read_optional(self, row: Row, column: str) -> str | None:
        """Read a text as far as there is room for it; None without such a column."""
        if column not in self.columns:
            return None
        return read_text(row[column])[: LONGEST[column]].strip()

    def _choose_handle(self, row: Row) -> str:
        """Make the handle of the name, as WordPress does, and of the SKU too when another has it."""
        handle = slugify(row["name"]) or make_facet(row["name"])
        if self.find_first(f"handle:{slugify(row['name'])}") == row.line:
            return handle
        return f"{handle}-{slugify(row['sku']) or row['id'] or row.line}"

    def _read_status(self, row: Row, findings: list[Finding]) -> Product.Status:
        status = STATUSES.get(row["published"] or "1")
        if status is None:
            raise RowRefused("published", _("Write 1 for published, 0 or -1 for a draft."))
        if status == Product.Status.ACTIVE and row["visibility"].lower() == "hidden":
            message = _("Hidden in the catalogue there, so it is a draft here.")
            findings.append(self.remark(row, self.handle(row), "visibility", message))
            return Product.Status.DRAFT
        return status

    def _read_tax_class(self, row: Row, findings: list[Finding]) -> str:
        if row["tax_status"].lower() in {"none", "shipping"}:
            return "untaxed"
        name = row["tax_class"].lower()
        code = TAX_CLASSES.get(name) or slugify(name)[:40] or "standard"
        if code != "standard":
            message = _("Tax class “%(name)s”: look at its rates in the admin before you sell.")
            findings.append(
                self.remark(row, self.handle(row), "tax_class", message % {"name": name})
            )
        return code

    def _read_variations(
        self, parent: Row, rows: Sequence[Row], axes: Sequence[Axis], findings: list[Finding]
    ) -> list[VariantRecord]:
        variants: list[VariantRecord] = []
        lines: dict[tuple[str, ...], int] = {}
        for row in sorted(rows, key=lambda row: (read_position(row), row.line)):
            try:
                variant = self._read_variant(row, findings, parent=parent)
                expanded = self._expand(row, variant, axes, findings)
                taken = [each for each in expanded if each.options in lines]
                if len(taken) == len(expanded):
                    raise RowRefused(
                        "attribute1value",
                        _("Line %(line)d has the same options already: %(options)s.")
                        % {
                            "line": lines[taken[0].options],
                            "options": " / ".join(taken[0].options) or _("none"),
                        },
                    )
            except RowRefused as refusal:
                findings.append(self.refuse(row, self.handle(row), refusal))
            else:
                fresh = [each for each in expanded if each.options not in lines]
                lines |= {each.options: row.line for each in fresh}
                variants += fresh
        if not variants:
            raise RowRefused("type", _("None of its variations can be sold."))
        return variants

    def _expand(
        self, row: Row, variant: VariantRecord, axes: Sequence[Axis], findings: list[Finding]
    ) -> list[VariantRecord]:
        """Make one variant of each value where a variation stands for any value of an attribute."""
        attributes = read_attributes(row)
        combinations: list[tuple[str, ...]] = [()]
        for axis in axes:
            named = attributes[axis.name].values if axis.name in attributes else ()
            combinations = [
                (*labels, choice) for labels in combinations for choice in named or axis.choices
            ]
            if len(combinations) > MOST_OF_ANY:
                message = _("The variation stands for more than %(count)d combinations.")
                raise RowRefused("attribute1value", message % {"count": MOST_OF_ANY})
        if len(combinations) == 1:
            return [replace(variant, options=combinations[0])]
        message = _("It stands for any value of an option; %(count)d variants were made of it.")
        findings.append(
            self.remark(row, self.handle(row), "sku", message % {"count": len(combinations)})
        )
        if variant.stock:
            message = _("All %(count)d pieces are counted with the first of them.")
            findings.append(
                self.remark(row, self.handle(row), "stock", message % {"count": variant.stock})
            )
        variants = []
        for number, labels in enumerate(combinations):
            sku = "-".join([variant.sku, *(make_facet(label) for label in labels)])
            sku = sku if variant.sku and len(sku) <= LONGEST["sku"] else ""
            stock = variant.stock if not number or variant.stock is None else 0
            variants.append(self.check(replace(variant, sku=sku, options=labels, stock=stock)))
        return variants

    def _read_variant(
        self, row: Row, findings: list[Finding], *, parent: Row | None = None
    ) -> VariantRecord:
        regular = read_amount(row, "price")
        sale = read_amount(row, "sale_price") if is_on_sale(row) else None
        if regular is None:
            raise RowRefused("price", _("The price is missing."))
        tracks_stock, stock = self._read_stock(row, findings)
        low_stock = "" if row["low_stock"] == "parent" else row["low_stock"]
        variant = VariantRecord(
            sku=self._claim_sku(row, findings),
            price=regular if sale is None else sale,
            compare_at_price=regular if sale is not None and regular > sale else None,
            weight_grams=self._read_weight(row) or (self._read_weight(parent) if parent else 0),
            barcode=read_text(row["barcode"]),
            tracks_stock=tracks_stock,
            stock=stock,
            low_stock_at=read_whole(row, "low_stock") if low_stock else None,
            image=next(iter(split(row["images"])), "") if parent else "",
            is_active=not parent or row["published"] not in {"0", "-1"},
        )
        return self.check(variant)

    def _read_stock(self, row: Row, findings: list[Finding]) -> tuple[bool, int | None]:
        """Say whether stock is counted, and how much: "parent" and "" mean not for this row."""
        if row["backorders"].lower() in {"1", "notify", "yes"}:
            return False, None
        is_there = row["in_stock"].lower() not in {"0", "no", "outofstock"}
        if row["stock"].lower() == "parent":
            message = _("The pieces are counted for the product as a whole there: count them here.")
            findings.append(self.remark(row, self.handle(row), "stock", message))
            return True, 0
        if not row["stock"]:
            return not is_there, None if is_there else 0
        pieces = read_whole(
            Row(row.line, {"stock": read_text(row["stock"])}), "stock", may_be_negative=True
        )
        if pieces is not None and pieces < 0:
            message = _("Oversold by %(count)d pieces; counted as 0.") % {"count": -pieces}
            findings.append(self.remark(row, self.handle(row), "stock", message))
        return True, max(0, pieces or 0)

    def _read_weight(self, row: Row) -> int:
        found = UNIT.search(self.columns.get("weight", ""))
        weight = read_number(row, "weight")
        if not found or weight is None:
            return 0
        return round(weight * GRAMS.get(found["unit"].lower(), Decimal(0)))

    def _claim_sku(self, row: Row, findings: list[Finding]) -> str:
        sku = read_text(row["sku"])
        line = self.find_first(f"sku:{sku}") if sku else 0
        if line and line != row.line:
            message = _("%(sku)s stands on line %(line)d already; this variant got its own SKU.")
            message %= {"sku": sku, "line": line}
            findings.append(self.remark(row, self.handle(row), "sku", message))
            return ""
        return sku
