"""Giving back: pieces of a placed order, its delivery, or all of it.

What an order gives back is written first, with the money it is worth; a task asks the provider to
send it, the provider's answer closes it. Amounts include tax, in the order's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from catalog.services import stock
from orders.errors import ActionNotAllowed, TotalChanged
from orders.models import (
    LedgerTransaction,
    Order,
    OrderLine,
    OrderPayment,
    OrderRefund,
    OrderRefundLine,
    OrderRefundPayment,
)
from orders.services import fulfilment, ledger, notices, timeline
from payments.methods import OFFLINE
from payments.models import PaymentAttempt, Refund
from payments.services import authorisations, refunds
from shop.clock import now
from shop.failpoints import failpoint
from shop.formatting import format_money
from shop.locking import retry_when_busy
from shop.money import Money, quantize
from shop.sharing import slice_of
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

STANDING = (Order.Status.PLACED, Order.Status.COMPLETED)
Shipping = bool | Decimal
"""All of the delivery that is left, none of it, or an amount of it, tax included."""


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """Pieces of a line that would go back, and how many of them a counted shelf takes."""

    line: OrderLine
    quantity: int
    amount: Decimal
    tax: Decimal
    restockable: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be given back; `is_all` says that nothing of the order would be left.

    `other_amount` is negative where a discount had made the pieces cheaper than their lines say.
    """

    lines: tuple[PlannedLine, ...]
    shipping_amount: Decimal
    shipping_tax: Decimal
    other_amount: Decimal
    is_all: bool
    currency: str

    @property
    def amount(self) -> Decimal:
        goods = sum((line.amount for line in self.lines), Decimal(0))
        return goods + self.shipping_amount + self.other_amount

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


@retry_when_busy
@own_transaction
def refund(
    order: Order,
    *,
    by: User | None,
    lines: Mapping[int, int],
    with_shipping: Shipping = False,
    restock: bool,
    reason: str,
    submit_key: str,
    seen_amount: Money | None = None,
) -> OrderRefund:
    """Give pieces of a paid order back, by line id and quantity, and send the money.

    The same `submit_key` gives back once. Raises `ActionNotAllowed` when the order does not stand,
    or when more is asked for than is left of it, `TotalChanged` when it is worth something else
    than `seen_amount`; nothing was changed then. Locks the paid attempts, the order, then stock.

    Where the money is not taken yet, so much less will be taken, and nothing is sent.
    """
    statuses = (PaymentAttempt.Status.CAPTURED, PaymentAttempt.Status.AUTHORISED)
    paying = lock_paying(order.pk, statuses)
    order = Order.objects.select_for_update().get(pk=order.pk)
    if done := OrderRefund.objects.filter(key=submit_key).first():
        if done.order_id != order.pk:
            raise ActionNotAllowed(_("This form was sent for another order. Please open it anew."))
        return done
    plan = make_plan(order, lines, with_shipping=with_shipping)
    if seen_amount is not None and plan.money != seen_amount:
        raise TotalChanged(_("The amount has changed since you saw it. Please check it again."))
    if order.is_uncharged:
        refuse_while_taking(paying)
        if plan.is_all:
            raise ActionNotAllowed(
                _("That is all of it, and nothing was charged yet: cancel the order instead.")
            )
    order_refund = _write(order, plan, key=submit_key, by=by, reason=reason, restock=restock)
    failpoint("orders.refunding.written")
    if order_refund.is_uncharged:
        notices.enqueue(order, "reduced", about=str(order_refund.pk))
    else:
        _send(order_refund, paying)
    _note(order_refund, plan)
    failpoint("orders.refunding.sending")
    return order_refund


def refuse_while_taking(attempts: Iterable[PaymentAttempt]) -> None:
    """Raise `ActionNotAllowed` while money of any of these is being taken. They are locked."""
    if any(map(authorisations.get_pending, attempts)):
        raise ActionNotAllowed(
            _("The money for this order is being taken just now. Please try again in a moment.")
        )


@inside_transaction
def give_all_back(
    order: Order, paying: Iterable[PaymentAttempt], *, by: User | None, reason: str, restock: bool
) -> None:
    """Give all of a placed order back that is left, as cancelling does.

    The caller locked the paid attempts, then the order; whatever they still have is sent.
    """
    everything = {line.pk: line.quantity - line.refunded_quantity for line in order.lines.all()}
    plan = _plan(order, everything, with_shipping=True)
    key = f"cancel:{order.pk}"
    order_refund = _write(order, plan, key=key, by=by, reason=reason, restock=restock)
    for attempt in paying:
        if sent := send_back(attempt, refunds.refundable(attempt), order, by=by, reason=reason):
            OrderRefundPayment.objects.create(order_refund=order_refund, refund=sent)


@inside_transaction
def send_back(
    attempt: PaymentAttempt,
    amount: Money,
    order: Order,
    *,
    reason: str,
    by: User | None = None,
    key: str = "",
) -> Refund | None:
    """Send money back that is not, or not any more, for the order. The attempt is locked.

    Without a `key` each call is a refund of its own; the lock makes once once.
    """
    if not amount:
        return None
    if not key:
        earlier = attempt.refunds.count()
        key = f"{attempt.reference}:cancel" + (f"-{earlier}" if earlier else "")
    sent = refunds.request(attempt, amount=amount, key=key, reason=reason[:200])
    if not LedgerTransaction.objects.filter(key=f"sending:{sent.pk}").exists():
        ledger.post_sending(sent, order, actor=by)
    return sent


@inside_transaction
def join_again(order: Order, refund: Refund) -> None:
    """Count money that is sent once more for what the order gave back and did not get through."""
    undelivered = order.refunds.filter(failed_at=None).order_by("-pk")
    for order_refund in undelivered:
        tried = Refund.objects.filter(pk__in=order_refund.payments.values("refund_id"))
        if tried.filter(status=Refund.Status.FAILED).exists():
            OrderRefundPayment.objects.create(order_refund=order_refund, refund=refund)
            return


@inside_transaction
def apply_settled(order: Order, refund: Refund) -> None:
    """Take note that money arrived at the shopper, and tell them when it is all of a refund.

    Money that was sent back at the provider, not here, is written down now. The order is locked.
    """
    if not LedgerTransaction.objects.filter(key=f"sending:{refund.pk}").exists():
        _import(order, refund)
    joined = OrderRefundPayment.objects.filter(refund=refund).first()
    if joined is None or order.status not in STANDING:
        if refund.attempt.provider == OFFLINE:  # So far they know only that it would be sent.
            notices.enqueue(order, "money_sent", about=str(refund.pk))
        return
    others = Refund.objects.filter(
        pk__in=OrderRefundPayment.objects.filter(order_refund=joined.order_refund_id).values(
            "refund_id"
        )
    )
    if not others.exclude(status=Refund.Status.SUCCEEDED).exists():
        notices.enqueue(order, "refunded", about=str(joined.order_refund_id))


@inside_transaction
def apply_failed(order: Order, refund: Refund) -> None:
    """Let an order that stands have its pieces back when their refund failed. It is locked.

    Where a refund went to several payments and one of them failed, the pieces stay given back:
    the rest of the money is gone. Staff send what came back once more, as for a cancelled order.
    """
    ledger.post_failed_sending(refund, order)
    joined = (
        OrderRefundPayment.objects.select_related("order_refund__order")
        .filter(refund=refund)
        .first()
    )
    if joined is None or order.status not in STANDING:
        return
    order_refund = joined.order_refund
    if order_refund.failed_at or order_refund.payments.count() > 1:
        return
    order_refund.failed_at = now()
    order_refund.save(update_fields=["failed_at"])
    for row in order_refund.lines.all():
        OrderLine.objects.filter(pk=row.order_line_id).update(
            refunded_quantity=F("refunded_quantity") - row.quantity
        )
    ledger.undo_return(order_refund)
    fulfilment.follow_pieces(order)
    with timeline.in_shop_language():
        timeline.note(order, "refund_undone", _("What was to be given back counts as sold again."))
    failpoint("orders.refunding.undone")


def make_plan(order: Order, quantities: Mapping[int, int], *, with_shipping: Shipping) -> Plan:
    """Work out what some pieces of an order are worth, if they may be given back.

    Raises `ActionNotAllowed` when the order does not stand, or that is nothing, or too much.
    """
    if order.status not in STANDING:
        raise ActionNotAllowed(_("Only a paid order that was not cancelled can be refunded."))
    left = {line.pk: line.quantity - line.refunded_quantity for line in order.lines.all()}
    for line_id, quantity in quantities.items():
        if not 0 <= quantity <= left.get(line_id, 0):
            raise ActionNotAllowed(_("That is more than is left of this order."))
    plan = _plan(order, quantities, with_shipping=with_shipping)
    if plan.amount <= 0:
        raise ActionNotAllowed(_("Choose what is to be refunded."))
    owed = get_owed(order)
    if owed < plan.money or plan.shipping_amount < 0:
        raise ActionNotAllowed(
            _("Only %(amount)s of this order is left.") % {"amount": format_money(owed)}
        )
    return plan


def get_owed(order: Order) -> Money:
    """Return what an order may keep: its total less what it gave back, or nothing if it fell."""
    if order.status not in STANDING:
        return Money.zero(order.currency)
    return order.total_money - _given_back(order)


def get_shipping_left(order: Order) -> Money:
    """Return how much of the delivery can still be given back, tax included."""
    return Money(_delivery_of(order)[0] - _sum(order, "shipping_amount"), order.currency)


@inside_transaction
def lock_paying(order_id: int, statuses: Iterable[str]) -> list[PaymentAttempt]:
    """Lock the attempts of an order that have money, by primary key."""
    ids = OrderPayment.objects.filter(order_id=order_id).values_list("attempt_id", flat=True)
    found = PaymentAttempt.objects.filter(pk__in=list(ids), status__in=list(statuses))
    return list(found.select_for_update().order_by("pk"))


def _plan(order: Order, quantities: Mapping[int, int], *, with_shipping: Shipping) -> Plan:
    """Work out amounts, whatever is asked for.

    A line's pieces sum to its gross exactly, in however many steps they go: each step is rounded
    together with those before it. Who takes all that is left gets all that is left.
    """
    lines = list(order.lines.order_by("position", "pk"))
    gone = _list_gone(order)
    planned = tuple(
        _plan_line(line, quantities[line.pk], gone.get(line.pk, _NOTHING), order.currency)
        for line in lines
        if quantities.get(line.pk)
    )
    delivery, delivery_tax = _delivery_of(order)
    gone_shipping = _sum(order, "shipping_amount")
    left_shipping = delivery - gone_shipping
    if isinstance(with_shipping, bool):
        shipping = left_shipping if with_shipping else Decimal(0)
    else:
        shipping = Money(with_shipping, order.currency).amount
        if shipping > left_shipping:
            raise ActionNotAllowed(_("That is more than is left of the delivery."))
    shipping_tax = Decimal(0)
    if shipping > 0:
        shipping_tax = slice_of(
            delivery_tax,
            count=gone_shipping + shipping,
            of=delivery,
            taken=_sum(order, "shipping_tax"),
            currency=order.currency,
        )
    is_all = shipping == left_shipping and all(
        quantities.get(line.pk, 0) == line.quantity - line.refunded_quantity for line in lines
    )
    goods = sum((each.amount for each in planned), Decimal(0))
    if is_all:
        other = get_owed(order).amount - goods - shipping
    else:
        gone_goods = sum((each.amount for each in gone.values()), Decimal(0))
        other = -_discount_on(order, gone_goods + goods, gone_shipping + shipping)
    return Plan(planned, shipping, shipping_tax, other, is_all, order.currency)


@dataclass(frozen=True, slots=True)
class _Gone:
    """What was given back of a line before, and how much of it lies on the shelf again."""

    amount: Decimal
    tax: Decimal
    restocked: int


_NOTHING = _Gone(Decimal(0), Decimal(0), 0)


def _list_gone(order: Order) -> dict[int, _Gone]:
    """Return what is gone of each line; pieces came back even where their money failed to leave."""
    rows = OrderRefundLine.objects.filter(order_refund__order=order).values_list(
        "order_line_id", "amount", "tax", "restocked", "order_refund__failed_at"
    )
    gone: dict[int, _Gone] = {}
    for line_id, amount, tax, restocked, failed_at in rows:
        so_far = gone.get(line_id, _NOTHING)
        counts = int(failed_at is None)
        gone[line_id] = _Gone(
            so_far.amount + counts * amount, so_far.tax + counts * tax, so_far.restocked + restocked
        )
    return gone


def _plan_line(line: OrderLine, quantity: int, gone: _Gone, currency: str) -> PlannedLine:
    count = line.refunded_quantity + quantity
    amount, tax = (
        slice_of(whole, count=count, of=line.quantity, taken=taken, currency=currency)
        for whole, taken in ((line.gross, gone.amount), (line.tax, gone.tax))
    )
    is_counted = line.is_stock_held and line.variant_id is not None
    restockable = max(0, min(quantity, count - gone.restocked)) if is_counted else 0
    return PlannedLine(line, quantity, amount, tax, restockable)


def _delivery_of(order: Order) -> tuple[Decimal, Decimal]:
    """Return what delivery cost, tax included, and the tax in it: what the lines leave."""
    goods = order.lines.order_by().aggregate(gross=Sum("gross"), tax=Sum("tax"))
    gross = order.total + order.discount_total - (goods["gross"] or Decimal(0))
    return gross, order.tax_total - (goods["tax"] or Decimal(0))


def _discount_on(order: Order, goods: Decimal, delivery: Decimal) -> Decimal:
    """Return what of the order's discount falls on pieces that go back, and fell on none before.

    `goods` and `delivery` are all that is gone then, before the discount. It is spread over the
    goods by their worth, and what is more than these over the delivery; rounded over all that is
    gone, so that the parts of all pieces sum to it exactly.
    """
    if not order.discount_total:
        return Decimal(0)
    whole_delivery, _tax = _delivery_of(order)
    whole_goods = order.total + order.discount_total - whole_delivery
    on_goods = min(order.discount_total, whole_goods)
    on_delivery = order.discount_total - on_goods
    falls = Decimal(0)
    for whole, count, of in (
        (on_goods, goods, whole_goods),
        (on_delivery, delivery, whole_delivery),
    ):
        if of:
            falls += quantize(whole * count / of, order.currency)
    taken = order.refunds.filter(failed_at=None, other_amount__lt=0).order_by()
    left = falls + (taken.aggregate(sum=Sum("other_amount"))["sum"] or Decimal(0))
    return max(left, Decimal(0))


def _given_back(order: Order) -> Money:
    return Money(_sum(order, "amount"), order.currency)


def _sum(order: Order, field: str) -> Decimal:
    standing = order.refunds.filter(failed_at=None).order_by()
    return standing.aggregate(sum=Sum(field))["sum"] or Decimal(0)


def _write(
    order: Order, plan: Plan, *, key: str, by: User | None, reason: str, restock: bool
) -> OrderRefund:
    """Write what is given back, count it on the lines, put it on the shelf, book it."""
    order_refund = OrderRefund.objects.create(
        order=order,
        key=key,
        amount=plan.amount,
        shipping_amount=plan.shipping_amount,
        shipping_tax=plan.shipping_tax,
        other_amount=plan.other_amount,
        is_uncharged=order.is_uncharged,
        reason=reason[:200],
        actor=by,
        created_at=now(),
    )
    OrderRefundLine.objects.bulk_create(
        OrderRefundLine(
            order_refund=order_refund,
            order_line=each.line,
            quantity=each.quantity,
            amount=each.amount,
            tax=each.tax,
            restocked=each.restockable if restock else 0,
        )
        for each in plan.lines
    )
    for each in plan.lines:
        OrderLine.objects.filter(pk=each.line.pk).update(
            refunded_quantity=F("refunded_quantity") + each.quantity
        )
    if not order_refund.is_uncharged:  # Else it is booked once the money is taken, if ever.
        ledger.post_return(order_refund, wholly=plan.is_all)
    if restock:
        _put_on_shelf(order, plan)
    fulfilment.follow_pieces(order)
    return order_refund


def _put_on_shelf(order: Order, plan: Plan) -> None:
    demand: dict[int, int] = {}
    for each in plan.lines:
        if each.restockable:
            assert each.line.variant_id is not None
            demand[each.line.variant_id] = demand.get(each.line.variant_id, 0) + each.restockable
    stock.take_back(demand, reference=order.number)


def _send(order_refund: OrderRefund, paying: list[PaymentAttempt]) -> None:
    """Send a refund's money, from as many payments as it takes."""
    left = order_refund.money
    for attempt in paying:
        part = min(left, refunds.refundable(attempt))
        if not part:
            continue
        sent = send_back(
            attempt,
            part,
            order_refund.order,
            by=order_refund.actor,
            reason=order_refund.reason,
            key=f"{attempt.reference}:refund-{order_refund.pk}",
        )
        assert sent is not None
        OrderRefundPayment.objects.create(order_refund=order_refund, refund=sent)
        left = left - part
    if left:
        raise ActionNotAllowed(_("That is more than is left of what was paid."))


def _import(order: Order, refund: Refund) -> None:
    """Write down money that was sent back at the provider: first what the order need not keep,
    then what it was worth, since nobody said for which pieces."""
    surplus = max(ledger.get_unapplied(order, refund.currency), Decimal(0))
    owed = get_owed(order)
    if refund.currency == order.currency and refund.amount > surplus and owed:
        worth = min(refund.amount - surplus, owed.amount)
        order_refund = OrderRefund.objects.create(
            order=order,
            key=f"refund:{refund.pk}",
            amount=worth,
            other_amount=worth,
            reason=refund.reason,
            created_at=now(),
        )
        OrderRefundPayment.objects.create(order_refund=order_refund, refund=refund)
        ledger.post_return(order_refund)
    ledger.post_sending(refund, order)


def _note(order_refund: OrderRefund, plan: Plan) -> None:
    with timeline.in_shop_language():
        pieces = [f"{each.quantity} × {each.line.title}" for each in plan.lines]
        if plan.shipping_amount:
            pieces.append(_("Delivery"))
        text = _("%(amount)s goes back for %(pieces)s. %(reason)s")
        if order_refund.is_uncharged:
            text = _("%(amount)s less will be taken, for %(pieces)s. %(reason)s")
        message = text % {
            "amount": format_money(order_refund.money),
            "pieces": ", ".join(pieces),
            "reason": order_refund.reason,
        }
        timeline.note(
            order_refund.order, "refund_requested", message.strip(), actor=order_refund.actor
        )
