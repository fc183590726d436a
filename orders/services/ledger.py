"""The ledger: everything that moves money is booked once, in entries that sum to zero.

Accounts and a worked example: docs/ledger.md. Each function runs in the transaction that makes true
what it books, with the order locked, so that what it reads of the ledger does not change meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import CharField, Exists, OuterRef, Sum, Value
from django.db.models.functions import Cast, Concat

from orders.models import Account, LedgerEntry, LedgerTransaction, Order, OrderLine
from orders.models.ledger import PROVIDER, SHARES
from payments.models import PaymentTransaction
from shop.clock import now
from shop.prepared import Prepared, insert, insert_all
from shop.sharing import divide
from shop.transactions import inside_transaction

if TYPE_CHECKING:
    from accounts.models import User
    from orders.models import OrderRefund
    from payments.models import PaymentAttempt, Refund

Kind = LedgerTransaction.Kind
Place = tuple[str, int | None]
"""An account, and the seller whom its money concerns."""
Amounts = Mapping[Place, Decimal]

UNAPPLIED: Place = (Account.UNAPPLIED, None)
REFUNDS: Place = (Account.REFUNDS, None)
DISPUTES: Place = (Account.DISPUTES, None)
FEES: Place = (Account.FEES, None)
MOVEMENTS: dict[str, tuple[int, Place]] = {
    Kind.CAPTURE: (1, UNAPPLIED),
    Kind.REFUND: (-1, REFUNDS),
    Kind.REVERSAL: (1, REFUNDS),
    Kind.DISPUTE: (-1, DISPUTES),
    Kind.DISPUTE_WON: (1, DISPUTES),
    Kind.FEE: (-1, FEES),
    Kind.FEE_RETURNED: (1, FEES),
}
"""What a movement does to the provider's balance, and the account on its other side."""


_unbooked = Prepared(
    lambda pk: (
        PaymentTransaction.objects.filter(attempt_id=pk)
        .exclude(
            Exists(
                LedgerTransaction.objects.filter(
                    key=Concat(OuterRef("kind"), Value(":"), Cast(OuterRef("pk"), CharField()))
                )
            )
        )
        .order_by("pk")
    )
)


@inside_transaction
def post_movements(attempt: PaymentAttempt, order: Order | None) -> None:
    """Book whatever moved at the provider for an attempt and is not booked yet."""
    for row in _unbooked.list(attempt.pk):
        sign, other = MOVEMENTS[row.kind]
        change = sign * row.amount
        _post(
            Kind(row.kind),
            key=f"{row.kind}:{row.pk}",
            order=order,
            currency=row.currency,
            amounts={(f"{PROVIDER}{row.provider}", None): change, other: -change},
        )


@inside_transaction
def post_placement(order: Order) -> None:
    """Share an order's total out: what each seller is owed, the taxes, the delivery."""
    _post(
        Kind.PLACEMENT,
        key=f"placement:{order.pk}",
        order=order,
        currency=order.currency,
        amounts=_share_out(order),
    )


@inside_transaction
def post_return(order_refund: OrderRefund, *, wholly: bool = False) -> None:
    """Take what an order gives back from those who would have got it.

    Pieces and delivery are taken from where they were booked, and the discount on them as well;
    money that nobody tied to them is taken from all in proportion. `wholly` takes all that is left,
    so that nothing stays behind.
    """
    order = order_refund.order
    left = get_shares(order)
    if wholly:
        taken: dict[Place, Decimal] = dict(left)
    else:
        taken = _value_of(order_refund)
        if order_refund.other_amount > 0:
            weights = {place: amount for place, amount in left.items() if amount > 0}
            for place, part in divide(order_refund.other_amount, weights, order.currency).items():
                taken[place] = taken.get(place, Decimal(0)) + part
    _post(
        Kind.RETURN,
        key=f"return:{order_refund.pk}",
        order=order,
        currency=order.currency,
        amounts={**taken, UNAPPLIED: -sum(taken.values(), Decimal(0))},
        actor=order_refund.actor,
        reason=order_refund.reason,
    )


@inside_transaction
def undo_return(order_refund: OrderRefund) -> None:
    """Let an order keep after all what it was to give back."""
    booked = LedgerEntry.objects.filter(transaction__key=f"return:{order_refund.pk}")
    _post(
        Kind.RETURN_UNDONE,
        key=f"return_undone:{order_refund.pk}",
        order=order_refund.order,
        currency=order_refund.order.currency,
        amounts={
            (account, seller_id): -amount
            for account, seller_id, amount in booked.values_list("account", "seller_id", "amount")
        },
    )


@inside_transaction
def post_sending(
    refund: Refund, order: Order | None, *, actor: User | None = None, reason: str = ""
) -> None:
    """Set money aside that is to go back; it leaves the shop when the provider says so."""
    _post(
        Kind.SENDING,
        key=f"sending:{refund.pk}",
        order=order,
        currency=refund.currency,
        amounts={UNAPPLIED: refund.amount, REFUNDS: -refund.amount},
        actor=actor,
        reason=reason or refund.reason,
    )


@inside_transaction
def post_failed_sending(refund: Refund, order: Order | None) -> None:
    """Take money back that was to go and did not, if it was ever set aside."""
    if LedgerTransaction.objects.filter(key=f"sending:{refund.pk}").exists():
        _post(
            Kind.SENDING_FAILED,
            key=f"sending_failed:{refund.pk}",
            order=order,
            currency=refund.currency,
            amounts={UNAPPLIED: -refund.amount, REFUNDS: refund.amount},
            reason=refund.failure,
        )


def get_shares(order: Order) -> dict[Place, Decimal]:
    """Return what a placed order's money is for now; discounts are negative."""
    balances = _list_balances(order, order.currency)
    return {place: -amount for place, amount in balances.items() if place[0] in SHARES and amount}


def get_unapplied(order: Order, currency: str) -> Decimal:
    """Return what came for an order and is not for it, nor on its way back."""
    return -_list_balances(order, currency).get(UNAPPLIED, Decimal(0))


def _list_balances(order: Order, currency: str) -> dict[Place, Decimal]:
    entries = LedgerEntry.objects.filter(transaction__order=order, transaction__currency=currency)
    rows = entries.order_by().values_list("account", "seller_id").annotate(Sum("amount"))
    return {(account, seller_id): amount for account, seller_id, amount in rows}


_shares_of = Prepared(
    lambda pk: (
        OrderLine.objects.filter(order_id=pk)
        .order_by()
        .values_list("seller_order__seller_id", "net", "tax", "gross")
    )
)


def _share_out(order: Order) -> dict[Place, Decimal]:
    """Book sellers net and their taxes beside it; delivery is what the lines leave of the total."""
    amounts: dict[Place, Decimal] = defaultdict(Decimal)
    goods = taxes = Decimal(0)
    for seller_id, net, tax, gross in _shares_of.list(order.pk):
        amounts[Account.SELLERS, seller_id] -= net
        amounts[Account.TAX, seller_id] -= tax
        goods += gross
        taxes += tax
    delivery = order.total + order.discount_total - goods
    delivery_tax = order.tax_total - taxes
    amounts[Account.TAX, None] -= delivery_tax
    amounts[Account.DELIVERY, None] -= delivery - delivery_tax
    amounts[Account.DISCOUNTS, None] += order.discount_total
    amounts[UNAPPLIED] += order.total
    return amounts


def _value_of(order_refund: OrderRefund) -> dict[Place, Decimal]:
    """Return what the pieces and the delivery of a refund are taken from."""
    amounts: dict[Place, Decimal] = defaultdict(Decimal)
    lines = order_refund.lines.order_by().values_list(
        "order_line__seller_order__seller_id", "amount", "tax"
    )
    for seller_id, amount, tax in lines:
        amounts[Account.SELLERS, seller_id] += amount - tax
        amounts[Account.TAX, seller_id] += tax
    amounts[Account.DELIVERY, None] += order_refund.shipping_amount - order_refund.shipping_tax
    amounts[Account.TAX, None] += order_refund.shipping_tax
    amounts[Account.DISCOUNTS, None] += min(order_refund.other_amount, Decimal(0))
    return amounts


def _post(
    kind: LedgerTransaction.Kind,
    *,
    key: str,
    order: Order | None,
    currency: str,
    amounts: Amounts,
    actor: User | None = None,
    reason: str = "",
) -> None:
    """Write a transaction with its entries; the database refuses a second of its key at commit,
    and one that does not sum to zero. Of nothing, nothing is written."""
    entries = {place: amount for place, amount in amounts.items() if amount}
    if not entries:
        return
    at = now()
    row = insert(
        LedgerTransaction(
            kind=kind,
            key=key,
            order=order,
            currency=currency,
            actor=actor,
            reason=reason[:200],
            created_at=at,
        )
    )
    insert_all(
        [
            LedgerEntry(
                transaction=row, account=account, seller_id=seller_id, amount=amount, created_at=at
            )
            for (account, seller_id), amount in sorted(
                entries.items(), key=lambda entry: (entry[0][0], entry[0][1] or 0)
            )
        ]
    )
