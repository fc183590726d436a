"""What a run may bring along: whose products they become, and what is made for the whole shop.

Operators and shop staff make categories, attributes and tax classes by naming them. Whoever works
for a seller uses those that are there: everybody's menu and filters would show what they named,
and a tax class without rates is no tax.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Seller
from accounts.roles import works_for_the_shop
from catalog.errors import ProductRefused
from catalog.imports.reading import Finding, Reader, ReadProduct
from catalog.models import Attribute, Category, ImportRun
from catalog.records import AttributeRecord, CategoryStep
from catalog.services.assortment import get_code
from shop.models import TaxClass

if TYPE_CHECKING:
    from accounts.models import User

LONGEST_LIST = 300
"""So many letters of names that the shop does not know are said."""


class Rights:
    """The rights of the person behind a run; without a person it is an operator's."""

    def __init__(self, run: ImportRun) -> None:
        self.run = run
        self.by_slug: dict[str, Seller | None] = {}
        self.may_add = run.actor is None or _is_shop_staff(run.actor)

    def fit(
        self, products: Sequence[ReadProduct], reader: Reader
    ) -> Iterator[ReadProduct | Finding]:
        """Give the products as far as they may be saved, and a finding for what is left out.

        A product that may not be saved is given as a finding that is no remark.
        """
        known = None if self.may_add else _Known(products)
        for product in products:
            try:
                self.find_seller(product)
                if known:
                    known.check(product)
            except ProductRefused as refusal:
                yield explain(product, reader, refusal)
                continue
            unknown = known.list_unknown(product) if known else []
            if unknown:
                yield _leave_out(product, reader, unknown)
                kept = [each for each in product.record.attributes if each not in unknown]
                product = replace(product, record=replace(product.record, attributes=tuple(kept)))
            yield product if self.may_add else _keep_collections(product)

    def find_seller(self, product: ReadProduct) -> Seller:
        """Find whose product it is: the run's seller, unless the run follows what its file says.

        Raises `ProductRefused` when there is no such seller.
        """
        slug = product.seller
        if not slug or slug == self.run.seller.slug or not self.run.follows_sellers:
            return self.run.seller
        if slug not in self.by_slug:
            self.by_slug[slug] = Seller.objects.filter(slug=slug).first()
        seller = self.by_slug[slug]
        if seller is None:
            raise ProductRefused(
                _("There is no seller “%(slug)s” in this shop. Add it first.")
                % {"slug": slug[:80]},
                field="seller",
            )
        return seller


def explain(product: ReadProduct, reader: Reader, refusal: ProductRefused) -> Finding:
    """Say where in the file a product is refused, and why."""
    column = reader.title_of_field(refusal.field)
    return Finding(product.line, product.record.handle[:255], column, str(refusal))


def _is_shop_staff(actor: User) -> bool:
    """Say whether the person still has rights in the whole shop, and does not act for a seller."""
    return actor.has_perm("catalog.change_product") and works_for_the_shop(actor)


class _Known:
    """What the shop has of all that some products name, read in a statement each."""

    def __init__(self, products: Sequence[ReadProduct]) -> None:
        records = [product.record for product in products]
        self.paths = set(
            Category.objects.filter(
                path__in={_path(record.category) for record in records}
            ).values_list("path", flat=True)
        )
        self.attributes = set(
            Attribute.objects.filter(
                code__in={get_code(each) for record in records for each in record.attributes}
            ).values_list("code", flat=True)
        )
        # The standard one is made with the shop's first product, whoever brings it.
        self.tax_classes = {"standard", *TaxClass.objects.values_list("code", flat=True)}

    def check(self, product: ReadProduct) -> None:
        """Raise `ProductRefused` when the product needs what the shop does not have."""
        code, category = product.record.tax_class, product.record.category
        if code not in self.tax_classes:
            raise ProductRefused(
                _("There is no tax class “%(code)s” in this shop; its staff can add it.")
                % {"code": code[:60]},
                field="tax_class",
            )
        if category and _path(category) not in self.paths:
            way = " > ".join(step.name for step in category)
            raise ProductRefused(
                _(
                    "There is no category “%(way)s” in this shop. Ask its staff to add it, or write "
                    "one that is there."
                )
                % {"way": way[:LONGEST_LIST]},
                field="category",
            )

    def list_unknown(self, product: ReadProduct) -> list[AttributeRecord]:
        return [each for each in product.record.attributes if get_code(each) not in self.attributes]


def _keep_collections(product: ReadProduct) -> ReadProduct:
    """Leave the product in its collections: the shop keeps those, here as in the admin."""
    return replace(product, record=replace(product.record, collections=None))


def _leave_out(product: ReadProduct, reader: Reader, unknown: Sequence[AttributeRecord]) -> Finding:
    message = ngettext(
        "This shop has no attribute %(names)s, so it was left out. Its staff can add it; then "
        "import the file again.",
        "This shop has no attributes %(names)s, so they were left out. Its staff can add them; then "
        "import the file again.",
        len(unknown),
    ) % {"names": _shorten(", ".join(_("“%s”") % each.name for each in unknown))}
    column = reader.title_of_field("attributes")
    return Finding(product.line, product.record.handle[:255], column, message, is_remark=True)


def _path(way: Sequence[CategoryStep]) -> str:
    return "/".join(step.slug for step in way)


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_LIST else f"{text[: LONGEST_LIST - 1]}…"
