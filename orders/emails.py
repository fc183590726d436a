"""How an order's mails read: a subject, a text and an HTML part, in the shopper's language.

The HTML shows a photograph of each position, from the shop's own media: its address is the same for
everybody, so nobody learns by it who opened the mail; and without pictures the mail says it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils import translation
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from catalog.queries.pictures import get_mail_picture
from orders.access import order_url
from orders.models import Order
from orders.queries import OrderView, RefundView, get_order_view
from payments.models import Refund
from shop.emails import RenderedMail, render_mail
from shop.formatting import format_money
from shop.money import Money
from shop.money import total as sum_of

NoticeKind = Literal[
    "payment_waiting",
    "authorised",
    "confirmation",
    "charged",
    "reduced",
    "shipped",
    "delivered",
    "cancelled",
    "refunded",
    "refunded_late",
    "payment_returned",
    "released",
    "voided",
    "lapsed",
    "money_sent",
]


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail has to say, before it shows the order."""

    subject: str
    headline: str
    text: str
    button: str


def render_order_mail(order: Order, kind: NoticeKind, *, about: str = "") -> RenderedMail:
    """Render what a shopper is told about an order.

    `about` says what of it, by its id: what the order gave back for "refunded" and "reduced", the
    refund for "money_sent".
    """
    with translation.override(order.language):
        view = get_order_view(order)
        words = _choose_words(kind, view, about)
        context = {
            "words": words,
            "order": view,
            "order_url": order_url(order.number, language=order.language),
            "lines": [(line, get_mail_picture(line.picture)) for line in view.lines],
            "start": "right" if get_language_bidi() else "left",
            "end": "left" if get_language_bidi() else "right",
        }
        return render_mail("order", subject=words.subject, context=context)


def _choose_words(kind: NoticeKind, order: OrderView, about: str) -> Words:
    if kind == "refunded":
        return _write_refund(order, about)
    if kind == "money_sent":
        return _write_sent(order, about)
    if kind == "reduced":
        return _write_reduction(order, about)
    if kind in ("authorised", "charged", "released", "voided", "lapsed"):
        return _write_about_card(kind, order)
    return _write(kind, order)


def _write_about_card(kind: NoticeKind, order: OrderView) -> Words:
    """Say what becomes of money that is, or was, only set aside on a card."""
    facts = {"number": order.number, "amount": format_money(order.total)}
    see = _("See your order")
    free = _("Nothing was charged. Your bank may need a few days to show that the amount is free.")
    if kind == "authorised":
        text = _(
            "We are getting order %(number)s ready. %(amount)s is set aside on your card; it is "
            "taken when your order is about to leave. You will hear from us then."
        )
        return _thank_for(order, text % facts)
    if kind == "charged":
        uncharged = (refund.amount for refund in order.refunds if refund.is_uncharged)
        facts["amount"] = format_money(order.total - sum_of(uncharged, order.total.currency))
        return Words(
            subject=_("We have charged your card for order %(number)s") % facts,
            headline=_("Your order is paid"),
            text=_(
                "We have taken %(amount)s for order %(number)s and are getting it ready. "
                "You will hear from us when it leaves."
            )
            % facts,
            button=see,
        )
    if kind == "released":
        text = _("A payment for order %(number)s is not needed, and we have let go of it.") % facts
        return Words(
            subject=_("A payment for order %(number)s is not taken") % facts,
            headline=_("A payment of yours is not taken"),
            text=f"{text} {free}",
            button=see,
        )
    text = _("Order %(number)s will not be sent.") % facts
    if kind == "lapsed":
        text = _(
            "We did not take the money for order %(number)s in the days that your bank keeps it for "
            "us, so the order has ended. That is our fault, and we are sorry. You can order anew."
        )
        text %= facts
    return _tell_of_end(order, f"{text} {free}")


def _thank_for(order: OrderView, text: str) -> Words:
    return Words(
        subject=_("Your order %(number)s") % {"number": order.number},
        headline=_("Thank you for your order"),
        text=text,
        button=_("See your order"),
    )


def _tell_of_end(order: OrderView, text: str) -> Words:
    return Words(
        subject=_("Order %(number)s is cancelled") % {"number": order.number},
        headline=_("Your order is cancelled"),
        text=text,
        button=_("See your order"),
    )


def _find_refund(order: OrderView, about: str) -> RefundView | None:
    return next((each for each in order.refunds if str(each.id) == about), None)


def _write_reduction(order: OrderView, about: str) -> Words:
    """Say what was taken out of an order before it was charged."""
    reduction = _find_refund(order, about)
    facts = {
        "number": order.number,
        "amount": format_money(reduction.amount if reduction else order.total),
        "pieces": ", ".join(reduction.pieces if reduction else []),
    }
    return Words(
        subject=_("Order %(number)s is smaller now") % facts,
        headline=_("Your order is smaller now"),
        text=_(
            "We have taken %(pieces)s out of order %(number)s. You pay %(amount)s less; "
            "nothing was charged for it."
        )
        % facts,
        button=_("See your order"),
    )


def _write_refund(order: OrderView, about: str) -> Words:
    """Say how much was sent back, and what for."""
    refund = _find_refund(order, about)
    if refund is None:
        return _write_back(order, order.total)
    return _write_back(order, refund.amount, ", ".join(refund.pieces))


def _write_sent(order: OrderView, about: str) -> Words:
    """Say how much staff have sent back by hand."""
    refund = Refund.objects.filter(pk=about).first() if about else None
    return _write_back(order, refund.money if refund else order.total)


def _write_back(order: OrderView, amount: Money, pieces: str = "") -> Words:
    facts = {"number": order.number, "amount": format_money(amount), "pieces": pieces}
    if pieces:
        text = _("We have sent %(amount)s back to you for %(pieces)s, from order %(number)s.")
    else:
        text = _("We have sent %(amount)s of order %(number)s back to you.")
    soon = _("It goes the way it came; your bank may need a few days to show it.")
    return Words(
        subject=_("We refunded %(amount)s of order %(number)s") % facts,
        headline=_("Your money is on its way back"),
        text=f"{text % facts} {soon}",
        button=_("See your order"),
    )


def _write(kind: NoticeKind, order: OrderView) -> Words:
    """Say what happened, as a person would."""
    number = {"number": order.number}
    see = _("See your order")
    if kind == "payment_waiting":
        return _write_how_to_pay(order)
    if kind == "confirmation":
        text = _(
            "We have your payment and are getting order %(number)s ready. "
            "You will hear from us when it leaves."
        )
        return _thank_for(order, text % number)
    if kind == "shipped" and order.is_part_shipped:
        return Words(
            subject=_("A part of order %(number)s is on its way") % number,
            headline=_("A part of your order is on its way"),
            text=_("A part of order %(number)s has left. You get a mail for every parcel.")
            % number,
            button=_("Follow your order"),
        )
    if kind == "shipped":
        return Words(
            subject=_("Order %(number)s is on its way") % number,
            headline=_("Your order is on its way"),
            text=_("Order %(number)s has left.") % number,
            button=_("Follow your order"),
        )
    if kind == "delivered":
        return Words(
            subject=_("Order %(number)s has arrived") % number,
            headline=_("Your order has arrived"),
            text=_(
                "Order %(number)s was delivered. We hope it feels at home with you. "
                "If something is not right, just answer this mail."
            )
            % number,
            button=see,
        )
    if order.goes_back_by_hand:
        back = _(
            "We send your money back by hand, so it may take a few working days. "
            "You get a mail as soon as it has left."
        )
    else:
        back = _("Money that you have paid goes back the way it came.")
    if kind == "cancelled":
        text = _("Order %(number)s will not be sent.")
        return _tell_of_end(order, f"{text % number} {back}")
    if kind == "refunded_late":
        text = _(
            "Your payment for order %(number)s reached us when its time was over and the last "
            "piece had gone to somebody else. We are sorry."
        )
        return Words(
            subject=_("Your payment for order %(number)s came too late") % number,
            headline=_("Your payment came too late"),
            text=f"{text % number} {back}",
            button=see,
        )
    text = _(
        "A payment for order %(number)s reached us that we do not need: the order was already "
        "paid or cancelled. You need not do anything."
    )
    return Words(
        subject=_("A payment for order %(number)s goes back to you") % number,
        headline=_("A payment of yours goes back to you"),
        text=f"{text % number} {back}",
        button=see,
    )


def _write_how_to_pay(order: OrderView) -> Words:
    """Say what is to be done about an order that waits, however it is to be paid by now."""
    number = {"number": order.number}
    if order.offline and order.offline.is_on_pick_up:
        text = _("Order %(number)s is reserved for you. You pay when you fetch it.") % number
    elif order.offline:
        text = _(
            "We have your order %(number)s and wait for your transfer. "
            "As soon as the money is here we get it ready."
        )
        text %= number
    else:
        text = _("We have your order %(number)s and wait for your payment.") % number
    return Words(
        subject=_("How to pay for order %(number)s") % number,
        headline=_("Thank you for your order"),
        text=text,
        button=_("See your order, or pay in another way")
        if order.other_methods
        else _("See your order"),
    )
