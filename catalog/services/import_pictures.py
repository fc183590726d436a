"""Pictures of imported products: from a folder at once, or fetched by tasks when products are in."""

from __future__ import annotations

import hashlib
import io
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.db.models import F
from django.utils.translation import gettext as _

from catalog.errors import ImageRefused, PictureNotStored
from catalog.imports.reading import Finding, Reader, ReadProduct
from catalog.models import (
    ImageAsset,
    ImportFinding,
    ImportPicture,
    ImportRun,
    PictureSource,
    Product,
)
from catalog.records import ImageRecord, ProductRecord
from catalog.renditions import MAX_BYTES
from catalog.services import assortment, media, publishing
from shop import fetching
from shop.fetching import FetchFailed, FetchRefused
from shop.services import outbox
from shop.services.relay import NotYet
from shop.transactions import inside_transaction, no_transaction, own_transaction

FETCH_TASK = "catalog.fetch_pictures"
LATER = 8
SECONDS = 45
"""So long a task goes on with one product's pictures before it asks to be called again."""
MOST_ATTEMPTS = 3
MOST_PICTURES = 250
SIZE_IN_NAME = re.compile(r"_(\d+x\d*|x\d+)(@[23]x)?(?=\.\w+$)")


class FetchAgain(NotYet):
    """Somebody else's server did not answer as it should; it may later."""

    pause = timedelta(minutes=2)


@dataclass
class Found:
    """The stored pictures of some products by their sources, and what was wrong with others."""

    assets: dict[str, ImageAsset] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def list_findings(self, product: ReadProduct, reader: Reader) -> list[Finding]:
        record = product.record
        column = reader.title_of_field("images") or reader.title("image")
        return [
            Finding(product.line, record.handle[:255], column, error, is_remark=True)
            for image in record.images
            if (error := self.errors.get(image.source))
        ]


class Pictures:
    """Where the pictures of a run come from: a folder, the network, or nowhere."""

    def __init__(self, run: ImportRun, folder: Path | None) -> None:
        self.run = run
        self.files = _list_files(folder) if folder else {}
        self.is_fetching = run.fetches_pictures and folder is None

    @no_transaction
    def find(self, records: Iterable[ProductRecord]) -> Found:
        """Find the pictures that are stored already, and store those that the folder has."""
        images = {image.source: image for record in records for image in record.images}
        found = Found(assets=find_known(images) | media.find_own(images))
        for source, image in images.items():
            path = self._find_file(image)
            if path is None or self.run.is_rehearsal:
                continue
            try:
                with path.open("rb") as file:
                    found.assets[source] = media.add_image(file)
            except (ImageRefused, PictureNotStored, OSError) as error:
                found.errors[source] = f"{path.name}: {error}"
        return found

    def choose(self, record: ProductRecord, found: Found) -> Mapping[str, ImageAsset]:
        """Return the pictures to show now: all of them, or none while some are to be fetched."""
        if self.is_fetching and any(image.source not in found.assets for image in record.images):
            return {}
        return found.assets

    @inside_transaction
    def ask_for(self, product: Product, read: ReadProduct, found: Found) -> int:
        """Have a task fetch what is missing; return how many pictures nobody will bring."""
        record = read.record
        missing = [
            image
            for image in record.images
            if image.source not in found.assets
            and image.source not in found.errors
            and self._find_file(image) is None
        ]
        if not missing or not self.is_fetching:
            return len(missing)
        if self.run.pk and not self.run.is_rehearsal:
            _ask_for(self.run, product, read)
        return 0

    def _find_file(self, image: ImageRecord) -> Path | None:
        if not self.files:
            return None
        name = unquote(urlsplit(image.source).path.rpartition("/")[2]).lower()
        return self.files.get(name) or self.files.get(SIZE_IN_NAME.sub("", name))


def find_known(sources: Iterable[str]) -> dict[str, ImageAsset]:
    """Find what was fetched from these addresses before."""
    digests = {make_digest(source): source for source in sources}
    if not digests:
        return {}
    rows = PictureSource.objects.filter(digest__in=digests).select_related("asset")
    return {digests[row.digest]: row.asset for row in rows}


def make_digest(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


def _ask_for(run: ImportRun, product: Product, read: ReadProduct) -> None:
    record = read.record
    images = record.images[:MOST_PICTURES]
    waiting = ImportPicture.objects.filter(product=product, state=ImportPicture.State.WAITING)
    if {image.source for image in images} <= set(waiting.values_list("address", flat=True)):
        return
    skus: dict[str, list[str]] = {}
    for sku, variant in assortment.name_skus(product.slug, record):
        if variant.image:
            skus.setdefault(variant.image, []).append(sku)
    ImportPicture.objects.bulk_create(
        ImportPicture(
            run=run,
            product=product,
            line=read.line,
            address=image.source,
            alt=image.alt[:250],
            position=position,
            skus=skus.get(image.source, []),
        )
        for position, image in enumerate(images)
    )
    outbox.enqueue(
        FETCH_TASK,
        key=f"pictures:{run.pk}:{product.pk}",
        priority=LATER,
        run_id=run.pk,
        product_id=product.pk,
    )


@no_transaction
def fetch(run_id: int, product_id: int, *, seconds: float = SECONDS) -> int:
    """Fetch a product's pictures, then show them in the file's order; return how many came.

    What cannot be had is written into the run's report. Raises `FetchAgain` while a server may yet
    answer, or when the time was too short. Running it again fetches nothing twice.
    """
    ends = time.monotonic() + seconds
    pictures = ImportPicture.objects.filter(run=run_id, product=product_id)
    is_late = False
    for picture in pictures.filter(state=ImportPicture.State.WAITING).order_by("position"):
        if time.monotonic() > ends:
            raise FetchAgain(_("There are more pictures than fit into one go."))
        is_late = not _fetch_one(picture) or is_late
    if is_late:
        raise FetchAgain(_("A server did not answer as it should."))
    return _show(run_id, product_id)


def _fetch_one(picture: ImportPicture) -> bool:
    """Fetch a picture unless it is here; say whether that was the last word on it."""
    if not find_known([picture.address]):
        try:
            content = fetching.fetch(
                picture.address, most_bytes=MAX_BYTES, redirects=fetching.MOST_REDIRECTS
            )
            asset = media.add_image(io.BytesIO(content))
        except FetchFailed as failure:
            if failure.may_work_later and picture.attempts + 1 < MOST_ATTEMPTS:
                ImportPicture.objects.filter(pk=picture.pk).update(attempts=F("attempts") + 1)
                return False
            _record_failure(picture, str(failure))
            return True
        except (FetchRefused, ImageRefused) as refusal:
            _record_failure(picture, str(refusal))
            return True
        _record_source(picture, asset)
    ImportPicture.objects.filter(pk=picture.pk).update(state=ImportPicture.State.FETCHED)
    return True


@own_transaction
def _record_source(picture: ImportPicture, asset: ImageAsset) -> None:
    PictureSource.objects.update_or_create(
        digest=make_digest(picture.address),
        defaults={"address": picture.address, "asset": asset},
    )


@own_transaction
def _record_failure(picture: ImportPicture, error: str) -> None:
    waiting = ImportPicture.objects.filter(pk=picture.pk, state=ImportPicture.State.WAITING)
    if not waiting.update(state=ImportPicture.State.FAILED, error=error[:300]):
        return
    ImportFinding.objects.create(
        run_id=picture.run_id,
        line=picture.line,
        handle=picture.product.slug,
        column=_("Picture"),
        message=f"{picture.address[:300]}: {error}",
        is_remark=True,
    )


@own_transaction
def _show(run_id: int, product_id: int) -> int:
    rows = list(
        ImportPicture.objects.filter(
            run=run_id, product=product_id, state=ImportPicture.State.FETCHED
        ).order_by("position")
    )
    assets = find_known(row.address for row in rows)
    images = [ImageRecord(row.address, row.alt) for row in rows if row.address in assets]
    of_variants = {sku: row.address for row in rows for sku in row.skus}
    if images:
        publishing.set_pictures(product_id, images, assets=assets, of_variants=of_variants)
    return len(images)


def _list_files(folder: Path) -> dict[str, Path]:
    paths: Sequence[Path] = sorted(folder.rglob("*"), reverse=True)
    return {path.name.lower(): path for path in paths if path.is_file()}
