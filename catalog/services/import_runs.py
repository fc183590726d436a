"""Imports as rows: begun, found again after an interruption, worked on by tasks, stopped, pruned."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, TYPE_CHECKING

from django.db.models import Exists, OuterRef
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts.models import Seller
from catalog.errors import ImportRefused
from catalog.imports.reading import UnreadableFile
from catalog.models import ImportPart, ImportRun
from catalog.services import importing
from catalog.services.import_checkpoints import RunLost
from shop.clock import now
from shop.errors import BusyError
from shop.services import outbox
from shop.services.relay import NotYet
from shop.transactions import inside_transaction, no_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

TASK = "catalog.import_products"
LATER = 7
SECONDS = 30
"""So long a task works on a file before others have their turn."""
LARGEST_UPLOAD = 100 * 1024 * 1024
LARGEST_UNPACKED = 300 * 1024 * 1024
"""Each task lays the rows on disk anew, which must leave it time to work on them."""
MOST_AT_ONCE = 3
"""So many uploads of a seller wait or are worked on; others want their turn."""
MOST_KEPT = 5
"""So many files of a seller are kept that were tried or stopped: the newest."""
PART = 1024 * 1024
PARTS_KEPT = timedelta(days=7)
RUNS_KEPT = timedelta(days=365)
State = ImportRun.State
UNFINISHED = (State.WAITING, State.RUNNING, State.STOPPED)


class ImportBusy(NotYet):
    """What the import needs is locked by others for long."""

    pause = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose about an import, beside the file."""

    format: str
    recounts_stock: bool = False
    fetches_pictures: bool = True
    follows_sellers: bool = False


def describe(
    file: IO[bytes],
    name: str,
    *,
    seller: Seller,
    choices: Choices,
    is_rehearsal: bool = False,
    actor: User | None = None,
) -> ImportRun:
    """Return an unsaved run of a file, which is read once for its checksum."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    # The types ask for `getbuffer` or `readinto`, which uploads have, but `IO[bytes]` does not name.
    checksum = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    return ImportRun(
        seller=seller,
        actor=actor,
        format=choices.format,
        file_name=name[-200:],
        checksum=checksum.hexdigest(),
        size=size,
        language=get_language() or "",
        is_rehearsal=is_rehearsal,
        recounts_stock=choices.recounts_stock,
        fetches_pictures=choices.fetches_pictures,
        follows_sellers=choices.follows_sellers,
    )


@own_transaction
def begin(run: ImportRun, *, from_start: bool = False) -> ImportRun:
    """Save a run, or return the unfinished one of the same file for the same seller instead."""
    if not from_start:
        found = find_unfinished(run)
        if found:
            found.state = State.WAITING
            found.save(update_fields=["state"])
            return found
    run.save()
    return run


def find_unfinished(run: ImportRun) -> ImportRun | None:
    """Return the newest unfinished import of the same file, for the same seller, done alike."""
    return (
        ImportRun.objects.filter(
            checksum=run.checksum,
            seller=run.seller,
            format=run.format,
            is_rehearsal=False,
            recounts_stock=run.recounts_stock,
            fetches_pictures=run.fetches_pictures,
            follows_sellers=run.follows_sellers,
            state__in=UNFINISHED,
        )
        .order_by("-id")
        .first()
    )


@own_transaction
def upload(file: IO[bytes], run: ImportRun) -> ImportRun:
    """Keep an uploaded file with its run and have a task work on it. Raises `ImportRefused`."""
    if not run.size:
        raise ImportRefused(_("The file is empty."))
    if run.size > LARGEST_UPLOAD:
        raise ImportRefused(_("The file is larger than 100 MB. Pack it with gzip, or split it."))
    _make_room(run.seller_id)
    run.save()
    file.seek(0)
    number = 0
    while block := file.read(PART):
        ImportPart.objects.create(run=run, number=number, content=zlib.compress(block, 6))
        number += 1
    _enqueue(run)
    return run


@own_transaction
def do_for_real(rehearsal: ImportRun, *, actor: User | None) -> ImportRun:
    """Import the file that was tried.

    Raises `ImportRefused` when that was done, is too late, or others go on.
    """
    _make_room(rehearsal.seller_id, beside=rehearsal.pk)
    row = ImportRun.objects.select_for_update().get(pk=rehearsal.pk)
    if not row.is_rehearsal or row.state != State.FINISHED or not row.parts.exists():
        raise ImportRefused(_("The file is not kept any more. Upload it again."))
    run = ImportRun(
        actor=actor,
        language=get_language() or "",
        **{
            name: getattr(row, name)
            for name in (
                *("seller", "format", "file_name", "checksum", "size", "recounts_stock"),
                *("fetches_pictures", "follows_sellers"),
            )
        },
    )
    run.save()
    row.parts.update(run=run)
    _enqueue(run)
    return run


@inside_transaction
def _make_room(seller_id: int, *, beside: int = 0) -> None:
    """See that a seller has room for one more import `beside` a run; locks the seller.

    Forgets the oldest files that nobody works on. Raises `ImportRefused` while too many go on.
    """
    Seller.objects.select_for_update(no_key=True).get(pk=seller_id)
    parts = ImportPart.objects.filter(run=OuterRef("pk"))
    kept = ImportRun.objects.filter(Exists(parts), seller=seller_id).exclude(pk=beside)
    if kept.filter(state__in=(State.WAITING, State.RUNNING)).count() >= MOST_AT_ONCE:
        raise ImportRefused(
            _(
                "%(count)d imports of this seller are waiting or going on. Let one of them finish, "
                "or stop it, then try again."
            )
            % {"count": MOST_AT_ONCE}
        )
    resting = kept.filter(state__in=(State.FINISHED, State.STOPPED)).order_by("-id")
    oldest = list(resting.values_list("pk", flat=True)[MOST_KEPT - 1 :])
    ImportPart.objects.filter(run__in=oldest).delete()


@own_transaction
def stop(run: ImportRun) -> bool:
    """Stop a run after the batch in hand; what is in stays. Say whether it was going on."""
    going_on = ImportRun.objects.filter(pk=run.pk, state__in=(State.WAITING, State.RUNNING))
    return bool(going_on.update(state=State.STOPPED))


@own_transaction
def go_on(run: ImportRun) -> None:
    """Have a stopped run, or one whose task was lost, go on. Raises `ImportRefused`."""
    _make_room(run.seller_id, beside=run.pk)
    row = ImportRun.objects.select_for_update().get(pk=run.pk)
    if row.is_over:
        raise ImportRefused(_("This import is over."))
    if not row.parts.exists():
        raise ImportRefused(_("The file is not kept any more. Upload it again."))
    row.state = State.WAITING
    row.attempt += 1
    row.save(update_fields=["state", "attempt"])
    _enqueue(row)


@no_transaction
def work(run_id: int, *, seconds: float = SECONDS) -> None:
    """Work on an uploaded file for a while, then leave the rest to the next task."""
    run = ImportRun.objects.select_related("seller", "actor").filter(pk=run_id).first()
    if run is None or run.is_over:
        return
    try:
        with override(run.language or None), _assemble(run) as file:
            is_over = importing.work(run, file, seconds=seconds, most_bytes=LARGEST_UNPACKED)
    except BusyError as error:
        raise ImportBusy(str(error)) from error
    except (RunLost, UnreadableFile):
        return
    if not is_over:
        _enqueue_next(run)


@own_transaction
def prune() -> None:
    """Forget files that nobody imported, and imports of long ago."""
    ImportPart.objects.filter(run__created_at__lt=now() - PARTS_KEPT).delete()
    ImportRun.objects.filter(created_at__lt=now() - RUNS_KEPT).delete()


@own_transaction
def _enqueue_next(run: ImportRun) -> None:
    _enqueue(run)


@inside_transaction
def _enqueue(run: ImportRun) -> None:
    key = f"import:{run.pk}:{run.attempt}:{run.done}"
    outbox.enqueue(TASK, key=key, priority=LATER, run_id=run.pk)


@contextmanager
def _assemble(run: ImportRun) -> Iterator[IO[bytes]]:
    """Put the parts of an uploaded file together again, on disk."""
    with tempfile.TemporaryFile(prefix="import-") as file:
        for content in run.parts.order_by("number").values_list("content", flat=True).iterator(8):
            file.write(zlib.decompress(content))
        yield file
