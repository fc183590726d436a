"""How far an import is: its row, taken over by one process at a time and moved batch by batch.

Whoever takes a run over counts up its `attempt`; an older process that still lives finds that out
when it records its next batch, which is rolled back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from catalog.imports.reading import Finding
from catalog.imports.sheets import Sheet
from catalog.models import ImportFinding, ImportRun
from catalog.services.publishing import Change
from shop.clock import now
from shop.transactions import inside_transaction, own_transaction


class RunLost(Exception):
    """A person stopped the run, or another process took it over; nothing more is saved here."""


@dataclass
class Tally:
    """What came of some products."""

    changes: Counter[Change] = field(default_factory=Counter)
    refused: int = 0
    pictures_left_out: int = 0
    findings: list[Finding] = field(default_factory=list)


@own_transaction
def take_over(run: ImportRun) -> bool:
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
def describe(run: ImportRun, sheet: Sheet) -> None:
    run.total, run.rows, run.encoding = sheet.total, sheet.rows, sheet.encoding
    if run.pk:
        ImportRun.objects.filter(pk=run.pk).update(
            total=run.total, rows=run.rows, encoding=run.encoding, heard_at=now()
        )


@inside_transaction
def record(run: ImportRun, tally: Tally, done: int) -> None:
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


def count(run: ImportRun, tally: Tally, done: int) -> None:
    """Keep the run in memory as its row is."""
    for name, number in _add(run, tally).items():
        setattr(run, name, number)
    run.done = done


@own_transaction
def finish(run: ImportRun, state: ImportRun.State, *, error: str = "") -> None:
    run.state, run.error, run.finished_at = state, error, now()
    if run.pk:
        is_ours = ImportRun.objects.filter(pk=run.pk, attempt=run.attempt).update(
            state=state, error=error, finished_at=run.finished_at
        )
        # Who took the run over still needs the file; a rehearsed one may be imported yet.
        if is_ours and not (run.is_rehearsal and state == ImportRun.State.FINISHED):
            run.parts.all().delete()
