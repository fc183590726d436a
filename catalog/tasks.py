"""Work of the catalogue that no page should wait for."""

from __future__ import annotations

from collections.abc import Sequence

from celery import shared_task

from catalog.services import (
    collections,
    import_pictures,
    import_runs,
    indexing,
    low_stock,
    media,
    people,
    price_history,
    restock,
    review_notices,
    searches,
    vocabulary,
    wishlists,
)
from shop.tasks import KeyedTask


@shared_task(base=KeyedTask, name=media.RENDER_TASK)
def make_renditions(*, asset_id: int, **_: object) -> None:
    """Make the renditions of one picture."""
    media.make_renditions(asset_id)


@shared_task(base=KeyedTask, name=indexing.REINDEX_TASK)
def reindex(*, category: int = 0, seller: int = 0, attribute: int = 0, **_: object) -> None:
    """Have products found by the new name of what they belong to."""
    indexing.reindex_those_of(category=category, seller=seller, attribute=attribute)


@shared_task(base=KeyedTask, name=import_runs.TASK)
def import_products(*, run_id: int, **_: object) -> None:
    """Work on an uploaded file of products for a while."""
    import_runs.work(run_id)


@shared_task(base=KeyedTask, name=import_pictures.FETCH_TASK)
def fetch_pictures(*, run_id: int, product_id: int, **_: object) -> None:
    """Fetch the pictures of one imported product."""
    import_pictures.fetch(run_id, product_id)


@shared_task(name="catalog.prune_imports")
def prune_imports(**_: object) -> None:
    """Forget uploaded files that nobody imported, and imports of long ago."""
    import_runs.prune()


@shared_task(name="catalog.count_words")
def count_words(**_: object) -> None:
    """Count how common the catalogue's words are, for help with the spelling."""
    vocabulary.count()


@shared_task(name="catalog.prune_searches")
def prune_searches(**_: object) -> None:
    """Forget what was looked for long ago."""
    searches.prune()


@shared_task(base=KeyedTask, name="catalog.send_review_notice")
def send_review_notice(
    *, review_id: int, kind: review_notices.Kind, revision: int, **_: object
) -> None:
    """Tell the author or the seller what became of a review."""
    review_notices.write(review_id, kind=kind, revision=revision)


@shared_task(name="catalog.tell_low_stock")
def tell_low_stock(**_: object) -> None:
    """Tell sellers what runs low."""
    low_stock.tell()


@shared_task(name="catalog.prune_prices")
def prune_prices(**_: object) -> None:
    """Forget former prices that no page speaks of any more."""
    price_history.prune()


@shared_task(name="catalog.turn_collections")
def turn_collections(**_: object) -> None:
    """Let collections of what is new follow the date."""
    collections.turn_over()


@shared_task(base=KeyedTask, name="catalog.ask_to_confirm_restock")
def ask_to_confirm_restock(*, request_id: int, **_: object) -> None:
    """Write the mail by which somebody confirms that they want to be told."""
    restock.write_question(request_id)


@shared_task(base=KeyedTask, name="catalog.tell_restocked")
def tell_restocked(*, variant_id: int, **_: object) -> None:
    """Tell who waits for a variant that it is back."""
    restock.tell(variant_id)


@shared_task(name="catalog.sweep_restock")
def sweep_restock(**_: object) -> None:
    """Tell of what came back unseen, and forget requests that are over."""
    restock.sweep()


@shared_task(name="catalog.prune_wishlists")
def prune_wishlists(**_: object) -> None:
    """Forget guests' lists that nobody can find any more."""
    wishlists.prune()


@shared_task(base=KeyedTask, name="catalog.delete_files")
def delete_files(*, originals: Sequence[str], bases: Sequence[str], **_: object) -> None:
    """Delete pictures of somebody who was erased from the storage."""
    people.delete_files(originals, bases)
