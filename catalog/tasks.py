"""Work of the catalogue that no page should wait for."""

from __future__ import annotations

from celery import shared_task

from catalog.services import media
from shop.tasks import KeyedTask


@shared_task(base=KeyedTask, name=media.RENDER_TASK)
def make_renditions(*, asset_id: int, **_: object) -> None:
    """Make the renditions of one picture."""
    media.make_renditions(asset_id)
