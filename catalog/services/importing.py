"""Imports products from files, batch after batch; what was done is never done again.

A batch of products, the findings about them and the run's checkpoint are one transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry
from accounts.services import audit
from catalog.errors import ProductRefused
from catalog.imports import decoding
from catalog.imports.emporium import EmporiumReader
from catalog.imports.reading import Finding, Reader, ReadProduct, UnreadableFile
from catalog.imports.sheets import ReadGroup, Sheet, open_sheet
from catalog.imports.shopify import ShopifyReader
from catalog.imports.woocommerce import WooCommerceReader
from catalog.models import ImportRun
from catalog.services import (
    collecting,
    import_checkpoints,
    import_pictures,
    newcomers,
    publishing,
    stock,
    unchanged,
)
from catalog.services.import_checkpoints import RunLost, Tally
from catalog.services.import_pictures import Pictures
from catalog.services.import_rights import Rights, explain
from catalog.services.newcomers import Newcomer
from catalog.services.publishing import Change, Saved, StockTaking
from shop.errors import BusyError, ShopError
from shop.locking import retry_when_busy
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


@no_transaction
def work(
    run: ImportRun,
    file: IO[bytes],
    *,
    images_from: Path | None = None,
    seconds: float | None = None,
    most_bytes: int = decoding.MOST_BYTES,
    progress: Progress = lambda done, total: None,
    notice: Callable[[Finding], None] = lambda finding: None,
) -> bool:
    """Go on with a run where it stands; say whether it is over.

    What is broken is named, the rest goes in. With `seconds` it stops after about so long, at the
    end of a batch; `most_bytes` is how long the file may be, unpacked. Pictures come from the folder `images_from`, by the last part of their
    addresses; else tasks fetch them if the run says so. A run without a primary key is only tried:
    nothing of it is kept, and `notice` hears what there is to say. Raises `UnreadableFile`,
    `RunLost` and `BusyError`.
    """
    if run.pk and not import_checkpoints.take_over(run):
        raise RunLost
    try:
        with open_sheet(file, READERS[run.format], most_bytes=most_bytes) as sheet:
            import_checkpoints.describe(run, sheet)
            return _work_through(
                run,
                sheet,
                pictures=Pictures(run, images_from),
                ends=None if seconds is None else time.monotonic() + seconds,
                progress=progress,
                notice=notice,
            )
    except UnreadableFile as error:
        import_checkpoints.finish(run, ImportRun.State.FAILED, error=str(error))
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
    rights = Rights(run)
    for batch in _batch(sheet.read(after=run.done)):
        found = pictures.find([group.product.record for group in batch if group.product])
        _save_when_free(run, batch, sheet.reader, pictures, found, rights, notice)
        progress(max(run.done, 0), total)
        if ends is not None and time.monotonic() > ends and run.done < total:
            return False
    import_checkpoints.finish(run, ImportRun.State.FINISHED)
    return True


def _save_when_free(
    run: ImportRun,
    batch: list[ReadGroup],
    reader: Reader,
    pictures: Pictures,
    found: import_pictures.Found,
    rights: Rights,
    notice: Callable[[Finding], None],
) -> None:
    """Save a batch; wait while others hold what it needs. Raises `BusyError` in the end."""
    for pause in (*PAUSES, None):
        try:
            tally = _save_batch(run, batch, reader, pictures, found, rights)
        except BusyError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            break
    import_checkpoints.count(run, tally, batch[-1].number)
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
    rights: Rights,
) -> Tally:
    tally = Tally()
    audit.sign(run.actor, door=AuditEntry.Door.IMPORT)
    with transaction.atomic():
        for group in batch:
            tally.findings += group.findings
            tally.refused += group.number > 0 and group.product is None
        _save_products(_Desk(run, reader, pictures, found, rights, tally), batch)
        if run.is_rehearsal:
            transaction.set_rollback(True)
    if run.pk:
        import_checkpoints.record(run, tally, max(group.number for group in batch))
    return tally


@dataclass(frozen=True, slots=True)
class _Desk:
    """What lies ready while a batch is saved, and the tally that is kept of it."""

    run: ImportRun
    reader: Reader
    pictures: Pictures
    found: import_pictures.Found
    rights: Rights
    tally: Tally

    @property
    def stock_taking(self) -> StockTaking:
        return StockTaking(
            reason=_("Import"), recounts=self.run.recounts_stock, actor=self.run.actor
        )


def _save_products(desk: _Desk, batch: Iterable[ReadGroup]) -> None:
    """Save the new products of a batch together, the others one by one, in the file's order."""
    products = _admit(desk, [group.product for group in batch if group.product])
    if desk.run.recounts_stock:
        stock.lock_shelves({row.sku for each in products for row in each.record.variants})
    wanted = {place: _prepare(desk, product) for place, product in enumerate(products)}
    saved = _go_together(desk, wanted)
    written: set[int] = set()
    for place, product in enumerate(products):
        desk.tally.findings += desk.found.list_findings(product, desk.reader)
        known = saved.get(place)
        if known and (known.change == Change.CREATED or known.product.pk not in written):
            left_out = desk.pictures.ask_for(known.product, product, desk.found)
            desk.tally.pictures_left_out += left_out
        elif one := _save(desk, product, wanted[place]):
            saved[place] = one
            written.add(one.product.pk)
        else:
            saved.pop(place, None)
    changed = _collect(desk, products, saved)
    for each in saved.values():
        is_moved = each.change == Change.UNCHANGED and each.product.pk in changed
        desk.tally.changes[Change.UPDATED if is_moved else each.change] += 1


def _admit(desk: _Desk, products: Sequence[ReadProduct]) -> list[ReadProduct]:
    """Return the products as far as the person behind the run may bring them."""
    admitted: list[ReadProduct] = []
    for item in desk.rights.fit(products, desk.reader):
        if isinstance(item, ReadProduct):
            admitted.append(item)
        else:
            desk.tally.findings.append(item)
            desk.tally.refused += not item.is_remark
    return admitted


def _prepare(desk: _Desk, product: ReadProduct) -> Newcomer:
    record = product.record
    if not product.is_whole:
        record = replace(record, unsaid=record.unsaid | {"variants"})
    seller = desk.rights.find_seller(product)
    return Newcomer(record, seller, desk.pictures.choose(record, desk.found))


def _go_together(desk: _Desk, wanted: Mapping[int, Newcomer]) -> dict[int, Saved]:
    """Create what is new and find what is unchanged, by place; the rest is to be tried one by one.

    When that fails as a whole, all of it is.
    """
    taking = desk.stock_taking
    try:
        with transaction.atomic():
            created = newcomers.create(list(wanted.values()), stock_taking=taking)
            others = {place: each for place, each in wanted.items() if place not in created}
            same = unchanged.find(others, stock_taking=taking)
    except BusyError:
        raise
    except (ShopError, IntegrityError, DataError) as error:
        logger.warning("import %s: a batch goes in one by one: %s", desk.run.pk, error)
        return {}
    return {place: Saved(product, Change.CREATED) for place, product in created.items()} | {
        place: Saved(product, Change.UNCHANGED) for place, product in same.items()
    }


def _save(desk: _Desk, product: ReadProduct, wanted: Newcomer) -> Saved | None:
    """Save a product by itself, or say why not."""
    try:
        with transaction.atomic():
            saved = publishing.write_product(
                wanted.record,
                seller=wanted.seller,
                stock_taking=desk.stock_taking,
                assets=wanted.assets,
            )
            left_out = desk.pictures.ask_for(saved.product, product, desk.found)
    except BusyError:
        raise
    except (ShopError, IntegrityError, DataError) as error:
        desk.tally.refused += 1
        desk.tally.findings.append(_explain(product, desk.reader, error))
        return None
    desk.tally.pictures_left_out += left_out
    return saved


def _collect(
    desk: _Desk, products: Sequence[ReadProduct], saved: Mapping[int, Saved]
) -> frozenset[int]:
    """Put the products into their collections; return the ids of those that were elsewhere."""
    collected = collecting.collect(
        {
            each.product.pk: steps
            for place, each in saved.items()
            if (steps := products[place].record.collections) is not None
        }
    )
    for place in saved:
        product = products[place]
        for step in product.record.collections or ():
            if step.slug in collected.by_rule:
                desk.tally.findings.append(_explain_rule(product, desk.reader, step.name))
    return collected.changed


def _explain_rule(product: ReadProduct, reader: Reader, name: str) -> Finding:
    message = _("The collection “%(name)s” finds its products by a rule; this says nothing to it.")
    return Finding(
        product.line,
        product.record.handle[:255],
        reader.title_of_field("collections"),
        message % {"name": name[:120]},
        is_remark=True,
    )


def _explain(product: ReadProduct, reader: Reader, error: Exception) -> Finding:
    handle = product.record.handle[:255]
    if isinstance(error, ProductRefused):
        return explain(product, reader, error)
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
