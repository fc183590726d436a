"""Money that was set aside: taken later, all or a part of it, or let go of.

As with refunds: the row first, the provider's call second, its result third. What became of a call
is never guessed; `settle` asks.
"""

from __future__ import annotations

from contextlib import suppress

from payments.errors import ProviderRefused, ProviderUnavailable
from payments.gateways import get_holding_gateway
from payments.models import Capture, PaymentAttempt
from payments.services import settlement
from payments.services.settlement import request_release
from shop.money import Money
from shop.services import outbox
from shop.transactions import inside_transaction, no_transaction

__all__ = ["get_pending", "release", "request_capture", "request_release", "take"]


@inside_transaction
def request_capture(attempt: PaymentAttempt, *, amount: Money) -> tuple[Capture, bool]:
    """Decide to take money that is set aside, and say whether that was new; a task takes it.

    The attempt must be locked by the caller, authorised, and not to be released.
    """
    assert attempt.status == PaymentAttempt.Status.AUTHORISED
    assert amount <= attempt.money
    if pending := get_pending(attempt):
        return pending, False
    capture = Capture.objects.create(
        attempt=attempt,
        key=f"{attempt.reference}:capture-{attempt.captures.count() + 1}",
        amount=amount.amount,
        currency=amount.currency,
    )
    outbox.enqueue("payments.take", key=f"capture:{capture.pk}", capture_id=capture.pk)
    return capture, True


def get_pending(attempt: PaymentAttempt) -> Capture | None:
    """Return what is being taken of an attempt just now."""
    return attempt.captures.filter(status=Capture.Status.PENDING).first()


@no_transaction
def take(capture_id: int) -> Capture:
    """Ask the provider to take the money, then how the payment stands; repeating it is harmless.

    A refusal may mean that the money was taken before, or that it is not set aside any more.
    Raises `ProviderUnavailable` when it must be asked again later.
    """
    capture = Capture.objects.select_related("attempt").get(pk=capture_id)
    if capture.status != Capture.Status.PENDING:
        return capture
    attempt = capture.attempt
    refusal = ""
    try:
        get_holding_gateway(attempt.provider).take(
            payment_id=attempt.provider_payment_id, amount=capture.money, key=capture.key
        )
    except ProviderRefused as error:
        refusal = error.reason
    attempt = settlement.settle(attempt.pk)
    if attempt.status == PaymentAttempt.Status.AUTHORISED:
        if not refusal:
            raise ProviderUnavailable("asked to take the money, it is said to be only set aside")
        settlement.fail_capture(capture_id, refusal)
    capture.refresh_from_db()
    return capture


@no_transaction
def release(attempt_id: int) -> PaymentAttempt:
    """Ask the provider to let go of money that is not wanted; repeating it is harmless.

    Raises `ProviderUnavailable` when it must be asked again later.
    """
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    if attempt.status != PaymentAttempt.Status.AUTHORISED or attempt.release_asked_at is None:
        return attempt
    with suppress(ProviderRefused):  # It is not set aside any more: the next read tells the rest.
        get_holding_gateway(attempt.provider).release(
            payment_id=attempt.provider_payment_id, key=f"{attempt.reference}:release"
        )
    attempt = settlement.ask(attempt_id)
    if attempt.status == PaymentAttempt.Status.AUTHORISED:
        raise ProviderUnavailable("asked to let go of the money, it is said to be still set aside")
    return attempt
