"""Pictures: taken in once, made harmless, and rendered in the background by a task."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from catalog import renditions
from catalog.errors import ImageRefused, PictureNotStored
from catalog.models import Category, ImageAsset, ProductImage, ReviewPhoto
from catalog.models.media import original_path
from catalog.renditions import Upright
from shop.clock import now
from shop.services import outbox
from shop.services.changes import announce
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)

RENDER_TASK = "catalog.make_renditions"
LATER = 8
OWN = re.compile(r"originals/[0-9a-f]{24}\.[a-z0-9]{1,5}$")


@no_transaction
def add_image(file: IO[bytes], *, is_our_own: bool = False) -> ImageAsset:
    """Take a picture in and ask for its renditions; the same bytes give the same asset.

    The upload is decoded and encoded anew, so that nothing hidden in it is ever served. Only
    pictures that ship with the shop (`is_our_own`) are kept byte for byte. Writes to the storage,
    which may be a network away. Raises `ImageRefused`, or `PictureNotStored` when the storage does
    not answer; there is no row then, and what may have been stored is found by nobody.
    """
    content = file.read(renditions.MAX_BYTES + 1)
    checksum = hashlib.sha256(content).hexdigest()
    known = ImageAsset.objects.filter(checksum=checksum).order_by("pk").first()
    if known:
        return known
    picture = _keep(content) if is_our_own else renditions.make_harmless(content)
    path = original_path(ImageAsset(), f"picture.{picture.extension}")
    try:
        name = default_storage.save(path, ContentFile(picture.content))
    except Exception as error:  # Each storage raises what its own library does.
        logger.warning("a picture could not be stored: %s: %s", type(error).__name__, error)
        raise PictureNotStored(
            _("The picture could not be stored just now. Please try again in a minute.")
        ) from error
    return _record(name, picture, checksum=checksum)


def find_own(sources: Iterable[str]) -> dict[str, ImageAsset]:
    """Find the pictures that lie in this shop already, among addresses of an earlier export."""
    names = {source: found[0] for source in sources if (found := OWN.search(source))}
    if not names:
        return {}
    rows = ImageAsset.objects.filter(original__in=names.values()).order_by("-pk")
    assets = {asset.original.name: asset for asset in rows}
    return {source: assets[name] for source, name in names.items() if name in assets}


@no_transaction
def make_renditions(asset_id: int) -> bool:
    """Write every width and format of a picture to the storage; say whether there was work to do.

    Running it again, or twice at once, ends the same: names follow from the picture alone.
    """
    asset = ImageAsset.objects.filter(pk=asset_id).first()
    if asset is None or asset.ready_at:
        return False
    with asset.original.open("rb") as file:
        content = file.read()
    widths: dict[str, list[int]] = {format: [] for format in renditions.EXTENSIONS}
    try:
        for rendition in renditions.render(content):
            _store(f"{asset.base}{rendition.suffix}", rendition.content)
            widths[rendition.format].append(rendition.width)
    except ImageRefused as refusal:
        _record_refusal(asset_id, error=str(refusal))
        return False
    _record_ready(asset_id, widths=widths)
    return True


def _keep(content: bytes) -> Upright:
    format, width, height = renditions.measure(content)
    extension = renditions.EXTENSIONS.get(format, format)
    return Upright(content=content, extension=extension, width=width, height=height)


def _store(name: str, content: bytes) -> None:
    """Write a file under exactly this name, over what an interrupted run may have left there."""
    if default_storage.exists(name):
        default_storage.delete(name)
    stored = default_storage.save(name, ContentFile(content))
    if stored != name:
        default_storage.delete(stored)


@own_transaction
def _record(name: str, picture: Upright, *, checksum: str) -> ImageAsset:
    asset = ImageAsset.objects.create(
        original=name,
        width=picture.width,
        height=picture.height,
        checksum=checksum,
        base=f"images/{checksum[:16]}",
    )
    outbox.enqueue(RENDER_TASK, key=f"renditions:{asset.pk}", priority=LATER, asset_id=asset.pk)
    return asset


@own_transaction
def _record_ready(asset_id: int, *, widths: dict[str, list[int]]) -> None:
    ImageAsset.objects.filter(pk=asset_id).update(renditions=widths, ready_at=now(), error="")
    products = ProductImage.objects.filter(asset=asset_id).values_list("product_id", flat=True)
    announce(*(f"product:{product_id}" for product_id in products))
    reviewed = ReviewPhoto.objects.filter(asset=asset_id).values_list(
        "review__product_id", flat=True
    )
    announce(*(f"reviews:{product_id}" for product_id in reviewed))
    if Category.objects.filter(image=asset_id).exists():
        announce("categories")


@own_transaction
def _record_refusal(asset_id: int, *, error: str) -> None:
    ImageAsset.objects.filter(pk=asset_id).update(error=error)
