"""Imports products from files, batch after batch; what was done is never done again.

A batch of products, the findings about them and the run's checkpoint are one transaction. Whoever
takes a run over counts up its `attempt`; an older process that still lives finds that out with its
next batch, which is rolled back.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Seller
from catalog.errors import ProductRefused
from catalog.imports.emporium import EmporiumReader
from catalog.imports.reading import Finding, Reader, ReadProduct, UnreadableFile
from catalog.imports.sheets import ReadGroup, Sheet, open_sheet
from catalog.imports.shopify import ShopifyReader
from catalog.imports.woocommerce import WooCommerceReader
from catalog.models import ImportFinding, ImportRun, Product
from catalog.services import import_pictures, newcomers, publishing, stock
from catalog.services.import_pictures import Pictures
from catalog.services.newcomers import Newcomer
from catalog.services.publishing import Change, StockTaking
from shop.clock import now
from shop.errors import BusyError, ShopError
from shop.locking import retry_when_busy
from shop.models import TaxClass
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)

READERS: Mapping[str, type[Reader]] = {
    "emporium": EmporiumReader,
    "shopify": ShopifyReader,
    "woocommerce": WooCommerceReader,
}
MOST_PRODUCTS = 60
MOST_ROWS = 400
"""Of a batch: it holds its locks until all of it is saved."""
PAUSES = (0.5, 2, 5, 15, 30)
Progress = Callable[[int, int], None]


class RunLost(Exception):
    """A person stopped the run, or another process took it over; nothing more is saved here."""


@dataclass
class Tally:
    """What came of some products."""

    changes: Counter[Change] = field(default_factory=Counter)
    refused: int = 0
    pictures_left_out: int = 0
    findings: list[Finding] = field(default_factory=list)


@no_transaction
def work(
    run: ImportRun,
    file: IO[bytes],
    *,
    images_from: Path | None = None,
    seconds: float | None = None,
    progress: Progress = lambda done, total: None,
    notice: Callable[[Finding], None] = lambda finding: None,
) -> bool:
    """Go on with a run where it stands; say whether it is over.

    What is broken is named, the rest goes in. With `seconds` it stops after about so long, at the
    end of a batch. Pictures come from the folder `images_from`, by the last part of their
    addresses; else tasks fetch them if the run says so. A run without a primary key is only tried:
    nothing of it is kept, and `notice` hears what there is to say. Raises `UnreadableFile`,
    `RunLost` and `BusyError`.
    """
    if run.pk and not _take_over(run):
        raise RunLost
    try:
        with open_sheet(file, READERS[run.format]) as sheet:
            _describe(run, sheet)
            return _work_through(
                run,
                sheet,
                pictures=Pictures(run, images_from),
                ends=None if seconds is None else time.monotonic() + seconds,
                progress=progress,
                notice=notice,
            )
    except UnreadableFile as error:
        _finish(run, ImportRun.State.FAILED, error=str(error))
        raise


def _work_through(
    run: ImportRun,
    sheet: Sheet,
    *,
    pictures: Pictures,
    ends: float | None,
    progress: Progress,
    notice: Callable[[Finding], None],
) -> bool:
    total = sheet.total
    sellers = _Sellers(run)
    for batch in _batch(sheet.read(after=run.done)):
        found = pictures.find([group.product.record for group in batch if group.product])
        _save_when_free(run, batch, sheet.reader, pictures, found, sellers, notice)
        progress(max(run.done, 0), total)
        if ends is not None and time.monotonic() > ends and run.done < total:
            return False
    _finish(run, ImportRun.State.FINISHED)
    return True


def _save_when_free(
    run: ImportRun,
    batch: list[ReadGroup],
    reader: Reader,
    pictures: Pictures,
    found: import_pictures.Found,
    sellers: _Sellers,
    notice: Callable[[Finding], None],
) -> None:
    """Save a batch; wait while others hold what it needs. Raises `BusyError` in the end."""
    for pause in (*PAUSES, None):
        try:
            tally = _save_batch(run, batch, reader, pictures, found, sellers)
        except BusyError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            break
    _count(run, tally, batch[-1].number)
    for finding in tally.findings:
        notice(finding)


@retry_when_busy
@own_transaction
def _save_batch(
    run: ImportRun,
    batch: Iterable[ReadGroup],
    reader: Reader,
    pictures: Pictures,
    found: import_pictures.Found,
    sellers: _Sellers,
) -> Tally:
    tally = Tally()
    with transaction.atomic():
        for group in batch:
            tally.findings += group.findings
            tally.refused += group.number > 0 and group.product is None
        _save_products(_Desk(run, reader, pictures, found, sellers, tally), batch)
        if run.is_rehearsal:
            transaction.set_rollback(True)
    if run.pk:
        _record(run, tally, max(group.number for group in batch))
    return tally


@dataclass(frozen=True, slots=True)
class _Desk:
    """What lies ready while a batch is saved, and the tally that is kept of it."""

    run: ImportRun
    reader: Reader
    pictures: Pictures
    found: import_pictures.Found
    sellers: _Sellers
    tally: Tally

    @property
    def stock_taking(self) -> StockTaking:
        return StockTaking(
            reason=_("Import"), recounts=self.run.recounts_stock, actor=self.run.actor
        )


def _save_products(desk: _Desk, batch: Iterable[ReadGroup]) -> None:
    """Save the new products of a batch together, the others one by one, in the file's order."""
    products = [group.product for group in batch if group.product]
    if desk.run.recounts_stock:
        stock.lock_shelves({row.sku for each in products for row in each.record.variants})
    created = _create(desk, products)
    for place, product in enumerate(products):
        desk.tally.findings += desk.found.list_findings(product, desk.reader)
        if place in created:
            desk.tally.changes[Change.CREATED] += 1
            desk.tally.pictures_left_out += desk.pictures.ask_for(
                created[place], product, desk.found
            )
        else:
            _save(desk, product)


def _create(desk: _Desk, products: Sequence[ReadProduct]) -> dict[int, Product]:
    """Create what is new; when that fails as a whole, each is to be tried by itself."""
    places: list[int] = []
    new: list[Newcomer] = []
    for place, product in enumerate(products):
        try:
            seller = desk.sellers.find(product)
        except ProductRefused:
            continue
        assets = desk.pictures.choose(product.record, desk.found)
        places.append(place)
        new.append(Newcomer(product.record, seller, assets))
    try:
        with transaction.atomic():
            created = newcomers.create(new, stock_taking=desk.stock_taking)
    except BusyError:
        raise
    except (ShopError, IntegrityError, DataError) as error:
        logger.warning("import %s: a batch goes in one by one: %s", desk.run.pk, error)
        return {}
    return {places[number]: product for number, product in created.items()}


def _save(desk: _Desk, product: ReadProduct) -> None:
    record, tally = product.record, desk.tally
    if not product.is_whole:
        record = replace(record, unsaid=record.unsaid | {"variants"})
    try:
        with transaction.atomic():
            saved = publishing.write_product(
                record,
                seller=desk.sellers.find(product),
                stock_taking=desk.stock_taking,
                assets=desk.pictures.choose(record, desk.found),
            )
            left_out = desk.pictures.ask_for(saved.product, product, desk.found)
    except BusyError:
        raise
    except (ShopError, IntegrityError, DataError) as error:
        tally.refused += 1
        tally.findings.append(_explain(product, desk.reader, error))
    else:
        tally.changes[saved.change] += 1
        tally.pictures_left_out += left_out


def _explain(product: ReadProduct, reader: Reader, error: Exception) -> Finding:
    handle = product.record.handle[:255]
    if isinstance(error, ProductRefused):
        return Finding(product.line, handle, reader.title_of_field(error.field), str(error))
    if isinstance(error, ShopError):
        return Finding(product.line, handle, "", str(error))
    if isinstance(error, IntegrityError):
        message = _("Somebody changed the same product at the same moment; import it again.")
    else:
        message = _("The database cannot hold one of its values.")
    return Finding(product.line, handle, "", message)


def _batch(groups: Iterable[ReadGroup]) -> Iterator[list[ReadGroup]]:
    batch: list[ReadGroup] = []
    rows = 0
    for group in groups:
        batch.append(group)
        rows += group.rows
        if len(batch) >= MOST_PRODUCTS or rows >= MOST_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


class _Sellers:
    """Finds whose product it is: the run's seller, unless the run follows what its file says.

    Somebody who works for a seller cannot invent a tax class: it would have no rates, and so no tax.
    """

    def __init__(self, run: ImportRun) -> None:
        self.run = run
        self.by_slug: dict[str, Seller | None] = {}
        actor = run.actor
        is_bound = actor and not actor.is_superuser and actor.seller_memberships.exists()
        known = {"standard", *TaxClass.objects.values_list("code", flat=True)}
        self.tax_classes = known if is_bound else None

    def find(self, product: ReadProduct) -> Seller:
        code = product.record.tax_class
        if self.tax_classes is not None and code not in self.tax_classes:
            raise ProductRefused(
                _("There is no tax class “%(code)s” in this shop; its staff can add it.")
                % {"code": code[:60]},
                field="tax_class",
            )
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


@own_transaction
def _take_over(run: ImportRun) -> bool:
    """Make this process the one that works on the run, unless it is over or stopped."""
    row = ImportRun.objects.select_for_update().filter(pk=run.pk).first()
    if row is None or row.is_over or row.state == ImportRun.State.STOPPED:
        return False
    run.attempt = row.attempt + 1
    run.done = row.done
    run.state = ImportRun.State.RUNNING
    run.heard_at = now()
    run.save(update_fields=["attempt", "state", "heard_at"])
    for name in ("created", "updated", "unchanged", "refused", "pictures_left_out"):
        setattr(run, name, getattr(row, name))
    return True


@own_transaction
def _describe(run: ImportRun, sheet: Sheet) -> None:
    run.total, run.rows, run.encoding = sheet.total, sheet.rows, sheet.encoding
    if run.pk:
        ImportRun.objects.filter(pk=run.pk).update(
            total=run.total, rows=run.rows, encoding=run.encoding, heard_at=now()
        )


def _record(run: ImportRun, tally: Tally, done: int) -> None:
    """Move the checkpoint, with what is to be said, in the transaction of the batch."""
    numbers = _add(run, tally)
    is_ours = ImportRun.objects.filter(
        pk=run.pk, attempt=run.attempt, done=run.done, state=ImportRun.State.RUNNING
    ).update(done=done, heard_at=now(), **numbers)
    if not is_ours:
        raise RunLost
    ImportFinding.objects.bulk_create(
        ImportFinding(
            run=run,
            line=finding.line,
            handle=finding.handle[:255],
            column=finding.column[:255],
            message=finding.message,
            is_remark=finding.is_remark,
        )
        for finding in tally.findings
    )


def _add(run: ImportRun, tally: Tally) -> dict[str, int]:
    return {
        "created": run.created + tally.changes[Change.CREATED],
        "updated": run.updated + tally.changes[Change.UPDATED],
        "unchanged": run.unchanged + tally.changes[Change.UNCHANGED],
        "refused": run.refused + tally.refused,
        "pictures_left_out": run.pictures_left_out + tally.pictures_left_out,
    }


def _count(run: ImportRun, tally: Tally, done: int) -> None:
    """Keep the run in memory as its row is."""
    for name, number in _add(run, tally).items():
        setattr(run, name, number)
    run.done = done


@own_transaction
def _finish(run: ImportRun, state: ImportRun.State, *, error: str = "") -> None:
    run.state, run.error, run.finished_at = state, error, now()
    if run.pk:
        is_ours = ImportRun.objects.filter(pk=run.pk, attempt=run.attempt).update(
            state=state, error=error, finished_at=run.finished_at
        )
        # Who took the run over still needs the file; a rehearsed one may be imported yet.
        if is_ours and not (run.is_rehearsal and state == ImportRun.State.FINISHED):
            run.parts.all().delete()
