"""The hourly listing: events that the provider could not deliver are read from its list instead.

Sources: Stripe, "List all events": thirty days back, and whether an event was delivered. PayPal,
"List event notifications": all of them; what arrived is known here.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from payments.errors import ProviderUnavailable
from payments.gateways.books import get_books, list_providers_with_books
from payments.models import ProviderEvent
from payments.services import inbox
from shop.clock import now
from shop.services import outbox
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)

BACK = timedelta(days=3)
"""For so long a provider goes on trying to deliver; what it could not say by then it says here."""
MOST_PAGES = 10


@no_transaction
def list_everywhere() -> int:
    """Store what never arrived from each provider; return how many events were new.

    A provider that does not answer is asked again an hour later.
    """
    count = 0
    for provider in list_providers_with_books():
        try:
            count += list_events(provider)
        except ProviderUnavailable as error:
            logger.warning("the events of %s are not listed: %s", provider, error)
    return count


@no_transaction
def list_events(provider: str, *, after: str = "") -> int:
    """Store the events of three days that are not here, a few pages; then a task of its own goes on.

    `after` is where an earlier call stopped. Returns how many events were new.
    """
    books = get_books(provider)
    if books is None:
        return 0
    count = 0
    for _page in range(MOST_PAGES):
        page = books.list_undelivered_events(now() - BACK, after=after)
        known = set(
            ProviderEvent.objects.filter(
                provider=provider, event_id__in=[event.event_id for event in page.events]
            ).values_list("event_id", flat=True)
        )
        count += sum(
            inbox.store(provider, event) for event in page.events if event.event_id not in known
        )
        after = page.after
        if not after:
            break
    if after:
        _go_on(provider, after)
    if count:
        logger.warning("%s events of %s had not arrived; they were listed", count, provider)
    return count


@own_transaction
def _go_on(provider: str, after: str) -> None:
    """Let a task read the next pages; once an hour for each place."""
    outbox.enqueue(
        "payments.list_more_events",
        key=f"events:{provider}:{after}:{now():%Y%m%d%H}",
        provider=provider,
        after=after,
    )
