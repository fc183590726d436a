"""The hosted payment page a shopper is sent to: plain forms, no scripts, and every outcome."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation

from payments.simulator import sessions
from payments.simulator.currencies import amount_of
from payments.simulator.errors import InvalidRequest, NoSuchObject
from payments.simulator.events import webhook_plan
from payments.simulator.messages import HTML, Answer, Request, see_other
from payments.simulator.provider import Provider
from payments.simulator.store import Document

PAGE = re.compile(r"/pay/(?P<id>cs_test_\w{1,80})(?P<challenge>/challenge)?")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
STYLESHEET = "/simulator.css"
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Line:
    name: str
    quantity: int
    unit_price: str
    amount: str


def answer(provider: Provider, request: Request) -> Answer:
    """Answer any request for a payment page."""
    found = PAGE.fullmatch(request.path)
    if found is None or request.method not in ("GET", "POST"):
        return missing(request)
    with provider.store.transaction():
        try:
            session = sessions.get_session(provider, found["id"])
        except NoSuchObject:
            return missing(request)
    try:
        if request.method == "POST":
            return _submit(provider, request, session, is_challenge=bool(found["challenge"]))
    except (sessions.SessionClosed, InvalidRequest):
        return see_other(f"/pay/{session['id']}")
    if session["status"] != "open":
        return _page(request, session, "closed", {})
    if found["challenge"]:
        return _show_challenge(provider, request, session)
    return _show_choices(provider, request, session)


def stylesheet() -> Answer:
    """Serve the page's own stylesheet, so that it needs no other host."""
    return Answer(
        200, _stylesheet_bytes(), "text/css; charset=utf-8", {"Cache-Control": "max-age=300"}
    )


def success_address(session: Document) -> str:
    """Return where a shopper who paid is sent."""
    address: str = session["success_url"]
    return address.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _submit(
    provider: Provider, request: Request, session: Document, *, is_challenge: bool
) -> Answer:
    choice = request.form_field("choice")
    webhook = request.form_field("webhook", "now")
    if choice == "cancel" and session["cancel_url"]:
        return see_other(session["cancel_url"])
    if choice == "approve":
        plan = webhook_plan(webhook)
        paid = sessions.approve(
            provider,
            session["id"],
            plan=plan,
            is_authenticated=is_challenge,
            saves_card=bool(request.form_field("save_card")),
        )
        return see_other(success_address(paid))
    if choice == "challenge":
        webhook_plan(webhook)
        sessions.challenge(provider, session["id"])
        return see_other(f"/pay/{session['id']}/challenge?webhook={webhook}")
    if choice == "decline" and is_challenge:
        sessions.fail_challenge(provider, session["id"])
    elif choice == "decline":
        sessions.decline(provider, session["id"])
    return see_other(f"/pay/{session['id']}")


def _show_choices(provider: Provider, request: Request, session: Document) -> Answer:
    intent = sessions.get_intent(provider, session)
    error = intent["last_payment_error"] if intent else None
    return _page(
        request,
        session,
        "pay",
        {
            "items": provider.store.get_private(session["id"])["line_items"],
            "problem": error["message"] if error else "",
            "may_save_card": sessions.may_save_card(session),
            "late_seconds": round(provider.late_seconds),
        },
    )


def _show_challenge(provider: Provider, request: Request, session: Document) -> Answer:
    intent = sessions.get_intent(provider, session)
    if intent is None or intent["status"] != "requires_action":
        return see_other(f"/pay/{session['id']}")
    return _page(request, session, "challenge", {"webhook": request.query_field("webhook", "now")})


def _page(request: Request, session: Document, template: str, context: dict[str, Any]) -> Answer:
    language = choose_language(request, session["locale"])
    with translation.override(language):
        locale = babel_locale(language)

        def amount(units: int) -> str:
            currency = session["currency"]
            return format_currency(amount_of(units, currency), currency.upper(), locale=locale)

        lines = [
            Line(
                item["description"],
                item["quantity"],
                amount(item["price"]["unit_amount"]),
                amount(item["amount_total"]),
            )
            for item in context.pop("items", [])
        ]
        body = render(
            template,
            {
                "session": session,
                "lines": lines,
                "total": amount(session["amount_total"]),
                "pay_path": f"/pay/{session['id']}",
                "success_address": success_address(session),
                **context,
            },
        )
    return html(body, form_targets=origins((session["success_url"], session["cancel_url"])))


def missing(request: Request) -> Answer:
    with translation.override(choose_language(request, None)):
        return html(render("missing", {}), status=404)


def render(template: str, context: dict[str, Any]) -> bytes:
    page = render_to_string(
        f"payments/simulator/{template}.html",
        {
            "shop_name": settings.SHOP_NAME,
            "language": translation.get_language(),
            "stylesheet": STYLESHEET,
            **context,
        },
    )
    return page.encode()


def html(body: bytes, *, status: int = 200, form_targets: list[str] | None = None) -> Answer:
    """Browsers hold the redirect after a form to `form-action`, so it names the shop as well."""
    policy = "; ".join(
        [
            "default-src 'none'",
            "style-src 'self'",
            " ".join(["form-action 'self'", *(form_targets or [])]),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )
    return Answer(status, body, HTML, {**SECURITY_HEADERS, "Content-Security-Policy": policy})


def origins(addresses: Iterable[str | None]) -> list[str]:
    """Return where the form may lead."""
    found = set()
    for address in addresses:
        parts = urlsplit(address or "")
        origin = f"{parts.scheme}://{parts.netloc}"
        if ORIGIN.fullmatch(origin):
            found.add(origin)
    return sorted(found)


def choose_language(request: Request, wanted: str | None) -> str:
    """Choose a language of the shop: the session's, else the browser's, else the default."""
    tags = [wanted] if wanted and wanted != "auto" else []
    accepted = request.headers.get("Accept-Language", "").split(",")
    tags += [part.partition(";")[0].strip() for part in accepted]
    for tag in tags:
        try:
            return translation.get_supported_language_variant(tag.lower())
        except LookupError:
            continue
    return str(settings.LANGUAGE_CODE)


def babel_locale(language: str) -> Locale:
    try:
        return Locale.parse(translation.to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _stylesheet_bytes() -> bytes:
    found = finders.find("css/simulator.css")
    if not found:
        raise FileNotFoundError("static/css/simulator.css is missing.")
    return Path(found).read_bytes()
