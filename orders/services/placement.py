"""Placement: one transaction turns a cart into an order that holds its stock.

What the shopper saw is frozen: prices, taxes, names, addresses. Nothing here talks to a provider;
`orders.services.payment` does that after the commit.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from accounts.addressing import PostalAddress
from cart.errors import CartClosed
from cart.models import Cart
from cart.queries import CartLine, list_lines
from cart.services import carts
from cart.services.quoting import QuotedCart, quote_lines
from catalog.services import stock
from orders.errors import (
    CartChanged,
    CartNeedsAttention,
    NotDeliverable,
    OrderTooSmall,
    TotalChanged,
)
from orders.models import Order, OrderAddress, OrderLine, OrderPayment, SellerOrder, TaxLine
from orders.services import notices, settlement, timeline
from payments import methods
from payments.services import attempts
from shop.clock import now
from shop.failpoints import failpoint
from shop.formatting import format_money
from shop.locking import retry_when_busy
from shop.money import Money, total
from shop.prepared import insert, insert_all
from shop.transactions import own_transaction

if TYPE_CHECKING:
    from accounts.models import User

NUMBER_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
NUMBER_LENGTH = 8
NUMBER_TRIES = 3


Address = PostalAddress


def place(
    cart: Cart,
    *,
    email: str,
    address: Address,
    delivery_code: str,
    submit_key: UUID,
    seen_total: Money,
    seen_lines: str,
    language: str,
    provider: str = "stripe",
    user: User | None = None,
    billing: Address | None = None,
) -> Order:
    """Turn a cart into a pending order, or return the order that its submit key already made.

    Locks the cart, then stock levels by primary key. Raises `CartNeedsAttention`, `CartChanged`,
    `TotalChanged`, `NotDeliverable`, `OrderTooSmall`, `cart.errors.CartClosed`, `catalog.errors.OutOfStock` or
    `shop.errors.BusyError`; nothing was changed then. `seen_total` is what the shopper agreed to,
    tax and delivery included, `seen_lines` the fingerprint of the lines that the review showed. Without
    `billing` the bill goes where the parcel goes.
    """
    for _try in range(NUMBER_TRIES):
        try:
            order = _place(
                cart.pk,
                email=email,
                address=address,
                delivery_code=delivery_code,
                submit_key=submit_key,
                seen_total=seen_total,
                seen_lines=seen_lines,
                language=language,
                provider=provider,
                user=user,
                billing=billing,
            )
        except IntegrityError as error:
            # Two orders drew the same number, or two tabs the same key: the next try tells.
            if not isinstance(error.__cause__, UniqueViolation):
                raise
        else:
            failpoint("orders.placement.committed")
            return order
    raise IntegrityError("no free order number was found")


place.transaction_mark = "own"  # type: ignore[attr-defined]


@retry_when_busy
@own_transaction
def _place(
    cart_id: int,
    *,
    email: str,
    address: Address,
    delivery_code: str,
    submit_key: UUID,
    seen_total: Money,
    seen_lines: str,
    language: str,
    provider: str,
    user: User | None,
    billing: Address | None,
) -> Order:
    try:
        cart = carts.lock(cart_id)
    except CartClosed:
        # The first submit of this form was faster: its order is the answer to this one, too.
        if order := Order.objects.filter(submit_key=submit_key).first():
            return order
        raise
    if cart.submit_key != submit_key:
        raise CartChanged(_("Your cart is not the one you saw here. Please check it again."))
    lines = list_lines(cart.pk)
    quoted = _freeze_quote(
        lines, address=address, delivery_code=delivery_code, seen_total=seen_total
    )
    if quoted.fingerprint != seen_lines:
        raise CartChanged(_("Your cart is not the one you saw here. Please check it again."))
    order = _write_order(
        quoted,
        email=email,
        language=language,
        user=user,
        submit_key=submit_key,
        provider=provider,
    )
    _write_address(order, address, kind=OrderAddress.Kind.SHIPPING)
    if billing and billing != address:
        _write_address(order, billing, kind=OrderAddress.Kind.BILLING)
    _write_lines(order, quoted)
    insert_all(
        [
            TaxLine(
                order=order,
                name=line.rate.name,
                percent=line.rate.percent,
                net=line.net.amount,
                tax=line.tax.amount,
            )
            for line in quoted.quote.tax_lines
        ]
    )
    carts.close(cart)
    with timeline.in_shop_language():
        timeline.note(order, "placed", _("Ordered, waiting for payment."), actor=user)
    if order.total:
        attempt = attempts.prepare(
            provider=provider, amount=order.total_money, expires_at=order.expires_at, user=user
        )
        insert(OrderPayment(order=order, attempt=attempt))
        if provider == methods.OFFLINE:
            notices.enqueue(order, "payment_waiting", about=attempt.reference)
    # Last, so that the rows everybody wants are locked for the shortest time.
    stock.allocate(_demand(lines), reference=order.number)
    if not order.total:
        settlement.confirm_free_order(order)
    failpoint("orders.placement.written")
    return order


def _freeze_quote(
    lines: list[CartLine], *, address: Address, delivery_code: str, seen_total: Money
) -> QuotedCart:
    if not lines:
        raise CartNeedsAttention(_("Your cart is empty."))
    if not all(line.can_be_bought for line in lines):
        raise CartNeedsAttention(
            _("Something in your cart cannot be bought as it stands. Please have a look.")
        )
    quoted = quote_lines(
        lines, country=address.country, region=address.region, delivery_code=delivery_code
    )
    delivery = quoted.quote.delivery
    if delivery is None or delivery.code != delivery_code:
        raise NotDeliverable(_("This delivery is not offered for your address. Choose another."))
    if too_little := explain_minimum(quoted.quote.items_total):
        raise OrderTooSmall(too_little)
    if quoted.quote.total != seen_total:
        raise TotalChanged(_("The total has changed since you saw it. Please check it again."))
    return quoted


def explain_minimum(goods: Money) -> str:
    """Return why goods of this worth are not sent, or an empty text."""
    least = Money(Decimal(settings.SHOP_MINIMUM_ORDER), settings.SHOP_CURRENCY)
    if goods.amount >= least.amount:
        return ""
    return _("We send orders from %(amount)s on, delivery not counted.") % {
        "amount": format_money(least)
    }


def _write_order(
    quoted: QuotedCart,
    *,
    email: str,
    language: str,
    user: User | None,
    submit_key: UUID,
    provider: str,
) -> Order:
    quote = quoted.quote
    assert quote.delivery is not None
    return insert(
        Order(
            number=_draw_number(),
            submit_key=submit_key,
            user=user,
            email=email,
            language=language,
            currency=quote.currency,
            prices_include_tax=quote.prices_include_tax,
            items_total=quote.items_total.amount,
            shipping_total=quote.shipping_total.amount,
            tax_total=quote.tax_total.amount,
            total=quote.total.amount,
            shipping_method=quote.delivery.code,
            shipping_label=quote.delivery.label,
            expires_at=methods.get_deadline(provider, since=now()),
        )
    )


def _write_address(order: Order, address: Address, *, kind: OrderAddress.Kind) -> None:
    insert(
        OrderAddress(
            order=order,
            kind=kind,
            name=address.name,
            street=address.street,
            postcode=address.postcode,
            city=address.city,
            region=address.region,
            country=address.country,
            phone=address.phone,
        )
    )


def _write_lines(order: Order, quoted: QuotedCart) -> None:
    totals: dict[int, list[Money]] = {}
    for line in quoted.lines:
        totals.setdefault(line.seller_id, []).append(line.total)
    seller_orders = {
        row.seller_id: row
        for row in insert_all(
            [
                SellerOrder(
                    order=order,
                    seller_id=seller_id,
                    items_total=total(amounts, order.currency).amount,
                )
                for seller_id, amounts in totals.items()
            ]
        )
    }
    insert_all(
        [
            OrderLine(
                order=order,
                seller_order=seller_orders[line.seller_id],
                variant_id=line.variant_id,
                sku=line.sku,
                title=line.title,
                variant_label=line.label,
                quantity=line.quantity,
                unit_price=line.unit_price.amount,
                net=priced.taxed.net.amount,
                tax=priced.taxed.tax.amount,
                gross=priced.taxed.gross.amount,
                tax_percent=priced.rate.percent,
                weight_grams=line.weight_grams,
                is_stock_held=line.available is not None,
                position=position,
            )
            for position, (line, priced) in enumerate(
                zip(quoted.lines, quoted.quote.lines, strict=True)
            )
        ]
    )


def _demand(lines: Iterable[CartLine]) -> dict[int, int]:
    """Sum what is asked of each counted stock row, so that no two lines pass a check alone."""
    demand: dict[int, int] = {}
    for line in lines:
        if line.available is not None:
            demand[line.variant_id] = demand.get(line.variant_id, 0) + line.quantity
    return demand


def _draw_number() -> str:
    """Draw an order number by chance: 40 bits that tell nobody how many orders there are."""
    return "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_LENGTH))
