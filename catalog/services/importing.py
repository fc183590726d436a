"""Imports products from files of other shops, one product per transaction."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Seller
from catalog.errors import ImageRefused, ProductRefused
from catalog.imports import shopify
from catalog.imports.report import Finding, ReadFile, ReadProduct
from catalog.models import ImageAsset
from catalog.records import ImageRecord
from catalog.services import media, publishing
from catalog.services.publishing import Change, Saved, StockTaking
from shop.locking import retry_when_busy
from shop.transactions import no_transaction, own_transaction

READERS: Mapping[str, Callable[[bytes], ReadFile]] = {"shopify": shopify.read}
COLUMN_NAMES: Mapping[str, Callable[[str], str]] = {"shopify": shopify.name_column}
SIZE_IN_NAME = re.compile(r"_(\d+x\d*|x\d+)(@[23]x)?(?=\.\w+$)")


@dataclass
class ImportReport:
    """What came of an import; a rehearsal reports the same and changes nothing."""

    is_rehearsal: bool
    changes: Counter[Change] = field(default_factory=Counter)
    products_refused: int = 0
    refused: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)
    pictures_left_out: int = 0


@no_transaction
def import_products(
    content: bytes,
    *,
    format: str,
    seller: Seller,
    is_rehearsal: bool = False,
    images_from: Path | None = None,
    recounts_stock: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Create or update a seller's products from a file; what is broken is named, the rest goes in.

    Pictures are looked for in the folder `images_from` by the last part of their addresses; nothing
    is fetched from the network. A shelf that was counted before is left alone unless
    `recounts_stock`. Raises `UnreadableFile`.
    """
    found = READERS[format](content)
    report = ImportReport(is_rehearsal, refused=list(found.refused), remarks=list(found.remarks))
    pictures = _Pictures(images_from, is_rehearsal=is_rehearsal)
    taking = StockTaking(reason=_("Import"), recounts=recounts_stock)
    save = _rehearse if is_rehearsal else _save
    for number, product in enumerate(found.products, start=1):
        assets = pictures.store(product, report)
        try:
            saved = save(product, seller=seller, stock_taking=taking, assets=assets)
        except (ProductRefused, IntegrityError, DataError) as error:
            report.products_refused += 1
            report.refused.append(_explain(product, error, format=format))
        else:
            report.changes[saved.change] += 1
        progress(number, len(found.products))
    saved_handles = {product.record.handle for product in found.products}
    report.products_refused += len(
        {finding.handle for finding in found.refused} - saved_handles - {""}
    )
    return report


@retry_when_busy
def _save(
    product: ReadProduct,
    *,
    seller: Seller,
    stock_taking: StockTaking,
    assets: Mapping[str, ImageAsset],
) -> Saved:
    return publishing.save_product(
        product.record, seller=seller, stock_taking=stock_taking, assets=assets
    )


@retry_when_busy
@own_transaction
def _rehearse(
    product: ReadProduct,
    *,
    seller: Seller,
    stock_taking: StockTaking,
    assets: Mapping[str, ImageAsset],
) -> Saved:
    """Save the product for real, then let the database forget it."""
    saved = publishing.write_product(
        product.record, seller=seller, stock_taking=stock_taking, assets=assets
    )
    transaction.set_rollback(True)
    return saved


def _explain(
    product: ReadProduct, error: ProductRefused | IntegrityError | DataError, *, format: str
) -> Finding:
    handle = product.record.handle
    if isinstance(error, ProductRefused):
        column = COLUMN_NAMES[format](error.field)
        return Finding(product.line, handle, column, str(error))
    if isinstance(error, IntegrityError):
        message = _("Somebody changed the same product at the same moment; import it again.")
    else:
        message = _("The database cannot hold one of its values.")
    return Finding(product.line, handle, "", message)


class _Pictures:
    """Finds the pictures of a file in a folder and stores them."""

    def __init__(self, folder: Path | None, *, is_rehearsal: bool) -> None:
        self.files = _list_files(folder) if folder else {}
        self.is_rehearsal = is_rehearsal

    def store(self, product: ReadProduct, report: ImportReport) -> dict[str, ImageAsset]:
        """Store what the folder has of the product's pictures; count and name what is missing."""
        assets: dict[str, ImageAsset] = {}
        for image in product.record.images:
            path = self._find(image)
            if path is None:
                report.pictures_left_out += 1
            elif not self.is_rehearsal:
                try:
                    with path.open("rb") as file:
                        assets[image.source] = media.add_image(file)
                except (ImageRefused, OSError) as error:
                    message = f"{path.name}: {error}"
                    report.remarks.append(
                        Finding(product.line, product.record.handle, "Image Src", message)
                    )
        return assets

    def _find(self, image: ImageRecord) -> Path | None:
        name = unquote(urlsplit(image.source).path.rpartition("/")[2]).lower()
        return self.files.get(name) or self.files.get(SIZE_IN_NAME.sub("", name))


def _list_files(folder: Path) -> dict[str, Path]:
    paths: Iterable[Path] = sorted(folder.rglob("*"), reverse=True)
    return {path.name.lower(): path for path in paths if path.is_file()}
