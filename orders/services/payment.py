"""Paying for an order: open the provider's page, come back from it, try again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from orders.access import order_url
from orders.errors import ActionNotAllowed
from orders.models import Order, OrderLine, OrderPayment
from orders.queries import is_held
from orders.services import notices, timeline
from payments import methods
from payments.errors import ProviderUnavailable
from payments.gateways.base import PaymentItem, PaymentRequest
from payments.models import PaymentAttempt
from payments.services import attempts
from payments.services import settlement as payment_settlement
from shop.clock import now
from shop.errors import ShopError
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.money import Money, total
from shop.prepared import Prepared
from shop.transactions import no_transaction, own_transaction

# Stripe takes a session that lives at least 30 minutes more, counted from the first call.
SHORTEST_LIFE = timedelta(minutes=31)
# How many payment windows an order's stock is held for at most, however often paying is tried.
MOST_WINDOWS = 3
MOST_ITEMS = 90


_lock = Prepared(lambda pk: Order.objects.select_for_update().filter(pk=pk))
_tried = Prepared(
    lambda pk: OrderPayment.objects.filter(order_id=pk).select_related("attempt").order_by("pk")
)
_lines = Prepared(lambda pk: OrderLine.objects.filter(order_id=pk))


@no_transaction
def start(order: Order, *, provider: str = "", with_cards: bool = True) -> str:
    """Return the address of the provider's page for a pending order, opening it if need be.

    It is empty when the order's own page says how to pay. `provider` is another way to pay than the
    one that was chosen before; the page of that is closed first. A page shows the buyer's saved
    cards only `with_cards`: where it does already, nobody else is let through. Raises
    `ActionNotAllowed` then, and unless the order waits for money that no other page may take,
    `AttemptEnded` when it was given up meanwhile, `ProviderUnavailable` or `ProviderRefused` as the
    provider does.
    """
    if not with_cards and _shows_saved_cards(order):
        raise ActionNotAllowed(_("Please sign in to pay for this order."))
    if provider:
        _close_other_pages(order, provider)
        failpoint("orders.payment.closed")
    attempt = _current_attempt(order.pk, provider, with_cards=with_cards)
    return attempts.start(attempt, _request(order, attempt))


@no_transaction
def _close_other_pages(order: Order, provider: str) -> None:
    """Take back every chance to pay the order otherwise, or say why that cannot be done."""
    if provider not in {method.code for method in methods.list_methods()}:
        raise ActionNotAllowed(_("This way to pay is not offered any more. Choose another."))
    others = order.payments.filter(attempt__status__in=PaymentAttempt.OPEN)
    for attempt_id in others.exclude(attempt__provider=provider).values_list(
        "attempt_id", flat=True
    ):
        try:
            attempt = payment_settlement.settle(attempt_id, give_up=True)
        except ProviderUnavailable as error:
            raise ActionNotAllowed(
                _(
                    "We cannot tell yet whether your first payment went through, so we have not "
                    "begun a second one. Please try again in a moment."
                )
            ) from error
        if attempt.status in (PaymentAttempt.Status.CAPTURED, PaymentAttempt.Status.AUTHORISED):
            raise ActionNotAllowed(
                _("Your first payment went through: nothing more is to be paid.")
            )


@no_transaction
def check(order: Order, *, ended_too: bool = False, unless_within: timedelta | None = None) -> None:
    """Ask the provider how the order's open attempts stand, as the browser's return does.

    `ended_too` asks about attempts that were given up as well: their money may have come late.
    What was asked and answered within `unless_within` is not asked again. Each is asked, then the
    first refusal is raised.
    """
    payments = order.payments.order_by("attempt_id")
    if not ended_too:
        payments = payments.filter(attempt__status__in=PaymentAttempt.OPEN)
    if unless_within:
        payments = payments.exclude(
            attempt__asked_at__gt=now() - unless_within,
            attempt__checked_at__gte=F("attempt__asked_at"),
        )
    problems: list[ShopError] = []
    for attempt_id in list(payments.values_list("attempt_id", flat=True)):
        try:
            payment_settlement.ask(attempt_id)
        except ShopError as error:
            problems.append(error)
    if problems:
        raise problems[0]


def _shows_saved_cards(order: Order) -> bool:
    """Say whether a page is open that shows its buyer's saved cards: for nobody else's eyes."""
    payments = order.payments.filter(attempt__status__in=PaymentAttempt.OPEN)
    return payments.exclude(attempt__customer=None).exists()


def list_open_attempts(order: Order) -> list[int]:
    """Return the ids of attempts whose end is not known yet."""
    payments = order.payments.filter(attempt__status__in=PaymentAttempt.OPEN)
    return list(payments.order_by("attempt_id").values_list("attempt_id", flat=True))


def is_unclear(order: Order) -> bool:
    """Say whether money may still come, or came in a wrong amount and waits for staff."""
    return bool(list_open_attempts(order)) or is_held(order)


@retry_when_busy
@own_transaction
def _current_attempt(
    order_id: int, provider: str = "", *, with_cards: bool = True
) -> PaymentAttempt:
    """Return the attempt to go on with, or a new one when the last ended or grew too old.

    Locks the order. Nobody is sent to two providers: while an attempt with another one is open,
    no new one is written.
    """
    order = _lock.get(order_id)
    if order.status != Order.Status.PENDING:
        raise ActionNotAllowed(_("This order does not wait for a payment."))
    tried = [each.attempt for each in _tried.list(order.pk)]
    is_processing = any(each.status == PaymentAttempt.Status.PROCESSING for each in tried)
    may_be_held = any(each.status == PaymentAttempt.Status.HELD for each in tried)
    if is_processing or (may_be_held and is_held(order)):
        raise ActionNotAllowed(_("We are looking at your payment; please do not pay again."))
    attempt = tried[-1] if tried else None
    provider = provider or _continue_with(attempt)
    if _is_open_elsewhere(tried, provider):
        raise ActionNotAllowed(
            _("This order is being paid in another window. Please go on there, or wait a moment.")
        )
    if attempt is not None and attempt.is_open and attempt.provider == provider:
        life = attempt.expires_at - now()
        has_page = attempt.redirect_url or provider == methods.OFFLINE
        if life > (timedelta(0) if has_page else SHORTEST_LIFE):
            return attempt
    return _write_attempt(order, provider, tried, with_cards=with_cards)


def _continue_with(attempt: PaymentAttempt | None) -> str:
    """Name the provider for somebody who only said that they want to pay."""
    offered = [method.code for method in methods.list_methods()]
    if attempt is not None and (attempt.is_open or attempt.provider in offered):
        return attempt.provider
    return next(iter(offered), methods.STRIPE)


def _is_open_elsewhere(tried: list[PaymentAttempt], provider: str) -> bool:
    return any(each.is_open and each.provider != provider for each in tried)


def _write_attempt(
    order: Order, provider: str, tried: list[PaymentAttempt], *, with_cards: bool
) -> PaymentAttempt:
    """Write a new attempt with a time of its own, and let the order live as long.

    But nobody holds the stock for ever: a late order gets no new attempt, nor one whose windows
    are used up. Days to pay without a provider count from the order on; once they were promised,
    the order keeps them.
    """
    promised = [each.expires_at for each in tried if each.provider == methods.OFFLINE]
    if provider == methods.OFFLINE:
        ends_at, needed = methods.get_deadline(provider, since=order.created_at), timedelta(0)
    else:
        window = timedelta(minutes=settings.SHOP_PAYMENT_WINDOW_MINUTES)
        latest = max([order.created_at + MOST_WINDOWS * window, *promised])
        ends_at, needed = min(now() + window, latest), SHORTEST_LIFE
    if order.expires_at <= now() or ends_at - now() < needed:
        raise ActionNotAllowed(_("The time to pay this order is over. Please order again."))
    order.expires_at = max([ends_at, *promised])
    order.save(update_fields=["expires_at"])
    attempt = attempts.prepare(
        provider=provider,
        amount=order.total_money,
        expires_at=ends_at,
        user=order.user if with_cards else None,
    )
    OrderPayment.objects.create(order=order, attempt=attempt)
    with timeline.in_shop_language():
        started = _("A new payment was started: %s.") % methods.get_label(provider)
        timeline.note(order, "payment_started", started)
    if provider == methods.OFFLINE:
        notices.enqueue(order, "payment_waiting", about=attempt.reference)
    return attempt


def _request(order: Order, attempt: PaymentAttempt) -> PaymentRequest:
    """Describe the order to the provider; made of frozen rows, so repeating it says the same."""
    return PaymentRequest(
        reference=attempt.reference,
        amount=attempt.money,
        items=_items(order),
        email=order.email,
        language=order.language,
        success_url=order_url(order.number, language=order.language, name="orders:returned"),
        cancel_url=order_url(order.number, language=order.language),
        expires_at=attempt.expires_at,
        capture_later=attempt.capture_later,
    )


def _items(order: Order) -> tuple[PaymentItem, ...]:
    """List what the provider's page shows; the amounts sum to the order's total.

    A provider's page takes about a hundred lines (Stripe: 100), so longer orders are shown as one.
    """
    lines = _lines.list(order.pk)
    goods = total((Money(line.gross, order.currency) for line in lines), order.currency)
    if len(lines) <= MOST_ITEMS:
        items = [_item(line, order.currency) for line in lines]
    else:
        pieces = sum(line.quantity for line in lines)
        with translation.override(order.language):
            items = [PaymentItem(name=_("%(count)d pieces") % {"count": pieces}, amount=goods)]
    items.append(PaymentItem(name=order.shipping_label, amount=order.total_money - goods))
    return tuple(item for item in items if item.amount)


def _item(line: OrderLine, currency: str) -> PaymentItem:
    words = [f"{line.quantity} × {line.title}", line.variant_label]
    return PaymentItem(name=" – ".join(filter(None, words)), amount=Money(line.gross, currency))
