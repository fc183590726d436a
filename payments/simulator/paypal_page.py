"""The page on which a shopper approves a PayPal order: the same look as the card page."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from babel.numbers import format_currency
from django.utils import translation

from payments.simulator import hosted_page, paypal_orders
from payments.simulator.errors import Refusal
from payments.simulator.events import webhook_plan
from payments.simulator.messages import Answer, Request, see_other
from payments.simulator.paypal_shapes import PAYER_ID, Document
from payments.simulator.provider import Provider

PATH = "/checkoutnow"
CHOICES = {"approve": "completed", "review": "pending", "decline": "declined"}


def answer(provider: Provider, request: Request) -> Answer:
    """Answer any request for the approval page; the order is named by `token`."""
    token = request.query_field("token")
    try:
        kept = paypal_orders.get_order(provider, token)
        if request.method == "POST":
            return _submit(provider, request, kept)
    except Refusal:
        return hosted_page.missing(request)
    return _show(provider, request, kept)


def return_address(kept: Document) -> str:
    """Return where a shopper who approved is sent, told who and what, as PayPal does."""
    return _with_query(kept["context"]["return_url"], {"token": kept["id"], "PayerID": PAYER_ID})


def cancel_address(kept: Document) -> str:
    return _with_query(kept["context"]["cancel_url"], {"token": kept["id"]})


def _submit(provider: Provider, request: Request, kept: Document) -> Answer:
    choice = request.form_field("choice")
    if choice == "cancel":
        return see_other(cancel_address(kept))
    if choice not in CHOICES:
        return see_other(f"{PATH}?token={kept['id']}")
    plan = webhook_plan(request.form_field("webhook", "now"))
    paypal_orders.approve(provider, kept["id"], outcome=CHOICES[choice], plan=plan)
    return see_other(return_address(kept))


def _show(provider: Provider, request: Request, kept: Document) -> Answer:
    context = kept["context"]
    language = hosted_page.choose_language(request, context.get("locale"))
    with translation.override(language):
        locale = hosted_page.babel_locale(language)

        def amount(written: Document, quantity: int = 1) -> str:
            return format_currency(
                Decimal(written["value"]) * quantity, written["currency_code"], locale=locale
            )

        lines = [
            hosted_page.Line(
                item["name"],
                int(item["quantity"]),
                amount(item["unit_amount"]),
                amount(item["unit_amount"], int(item["quantity"])),
            )
            for item in kept["unit"].get("items", [])
        ]
        is_paid = kept["status"] == "COMPLETED"
        body = hosted_page.render(
            "closed" if is_paid else "paypal",
            {
                "session": {"status": "complete", "cancel_url": cancel_address(kept)},
                "lines": lines,
                "total": amount(kept["unit"]["amount"]),
                "pay_path": f"{PATH}?token={kept['id']}",
                "success_address": return_address(kept),
                "late_seconds": round(provider.late_seconds),
            },
        )
    addresses = (context["return_url"], context["cancel_url"])
    return hosted_page.html(body, form_targets=hosted_page.origins(addresses))


def _with_query(address: str, added: dict[str, str]) -> str:
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added.items()])
    return urlunsplit(parts._replace(query=query))
