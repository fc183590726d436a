"""What the admin shows of an import: how far it is, and what there is to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count

from catalog.models import ImportFinding, ImportPicture, ImportRun
from shop.clock import now

SHOWN = 200
"""So many findings stand on the page; the report holds all of them."""
SILENT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ImportPage:
    """An import as its page shows it."""

    refused: list[ImportFinding]
    remarks: list[ImportFinding]
    refused_count: int
    remark_count: int
    pictures: dict[str, int]
    may_begin: bool
    may_stop: bool
    may_go_on: bool
    is_going_on: bool
    is_silent: bool

    @property
    def pictures_wanted(self) -> int:
        return sum(self.pictures.values())

    @property
    def pictures_done(self) -> int:
        return self.pictures.get(ImportPicture.State.FETCHED, 0)

    @property
    def pictures_failed(self) -> int:
        return self.pictures.get(ImportPicture.State.FAILED, 0)


def get_page(run: ImportRun) -> ImportPage:
    """Read what the page of an import needs, in a fixed number of statements."""
    counts = dict(
        ImportFinding.objects.filter(run=run)
        .order_by()
        .values_list("is_remark")
        .annotate(Count("pk"))
    )
    pictures = dict(
        ImportPicture.objects.filter(run=run).order_by().values_list("state").annotate(Count("pk"))
    )
    has_file = run.parts.exists()
    is_going_on = run.state in {ImportRun.State.WAITING, ImportRun.State.RUNNING}
    heard_at = run.heard_at or run.created_at
    is_silent = is_going_on and heard_at < now() - SILENT
    return ImportPage(
        refused=list(run.findings.filter(is_remark=False)[:SHOWN]),
        remarks=list(run.findings.filter(is_remark=True)[:SHOWN]),
        refused_count=counts.get(False, 0),
        remark_count=counts.get(True, 0),
        pictures=pictures,
        may_begin=run.is_rehearsal and run.state == ImportRun.State.FINISHED and has_file,
        may_stop=is_going_on and has_file,
        may_go_on=has_file and (run.state == ImportRun.State.STOPPED or is_silent),
        is_going_on=is_going_on and has_file and not is_silent,
        is_silent=is_silent,
    )


def list_findings(run: ImportRun) -> Iterator[ImportFinding]:
    """Give all findings by line, some at a time."""
    return run.findings.order_by("line", "id").iterator(1_000)
