"""The journal of changes: whoever changes what pages show says so, in the same transaction.

Subjects: `product:<id>` (what is shown, sorted or filtered of it), `reviews:<id>` (what people say
of it), `words:<id>` (its search column), `seller:<id>`, `categories` (the tree), `collections`
(how they are set up), `collection:<id>` (what its rule finds), `attributes` (their definitions),
`synonyms`, `pages` (content pages and what frames every page), `everything`.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction

from shop import changes
from shop.clock import now
from shop.models import Change
from shop.transactions import inside_transaction, own_transaction

KEPT = timedelta(hours=2)
"""Twice as long as a reader may be away, so that nothing goes that a long transaction wrote."""
_ANNOUNCE = "INSERT INTO shop_change (subject) SELECT DISTINCT unnest(%s::text[])"


@inside_transaction
def announce(*subjects: str) -> None:
    """Write down what changes with this transaction; each process sees it within a second.

    This one sees it with its next request. Nothing is told of a transaction that rolls back.
    """
    if not subjects:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ANNOUNCE, [list(subjects)])
    transaction.on_commit(changes.look_again)


@own_transaction
def prune() -> int:
    """Forget what every process has seen long ago; return how many lines went."""
    count, _by_model = Change.objects.filter(created_at__lt=now() - KEPT).delete()
    return count
