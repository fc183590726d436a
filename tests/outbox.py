"""The relay, by hand: tests decide when the side effects happen."""

from __future__ import annotations

from shop.models import OutboxMessage
from shop.services import relay


def deliver_outbox() -> int:
    """Run everything that is due, with what follows from it; return how many tasks ran."""
    count = 0
    while claimed := relay.relay_once(relay.run_here):
        count += claimed
    failed = OutboxMessage.objects.exclude(error="").values_list("task", "error")
    assert not failed, list(failed)
    return count
