"""Work of the catalogue that no page should wait for."""

from __future__ import annotations

from celery import shared_task

from catalog.services import indexing, media, searches, vocabulary
from shop.tasks import KeyedTask


@shared_task(base=KeyedTask, name=media.RENDER_TASK)
def make_renditions(*, asset_id: int, **_: object) -> None:
    """Make the renditions of one picture."""
    media.make_renditions(asset_id)


@shared_task(base=KeyedTask, name=indexing.REINDEX_TASK)
def reindex(*, category: int = 0, seller: int = 0, attribute: int = 0, **_: object) -> None:
    """Have products found by the new name of what they belong to."""
    indexing.reindex_those_of(category=category, seller=seller, attribute=attribute)


@shared_task(name="catalog.count_words")
def count_words(**_: object) -> None:
    """Count how common the catalogue's words are, for help with the spelling."""
    vocabulary.count()


@shared_task(name="catalog.prune_searches")
def prune_searches(**_: object) -> None:
    """Forget what was looked for long ago."""
    searches.prune()
