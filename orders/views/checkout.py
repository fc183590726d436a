"""The checkout page: contact, address, delivery and review on one page, then the provider."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.addressing import get_rules, match_region
from cart.errors import CartClosed
from cart.models import Cart
from cart.queries import CartLine, CartView, get_cart_view, list_countries
from cart.services import lines as cart_lines
from cart.services.quoting import QuotedCart, quote_lines
from cart.sessions import find_cart
from catalog.errors import OutOfStock
from orders.errors import CartNeedsAttention
from orders.forms import CheckoutForm
from orders.models import Order
from orders.services import payment, placement
from orders.sessions import find_waiting, forget_draft, grant, keep_draft, read_draft
from shop.errors import BusyError, ShopError
from shop.formatting import format_tax
from shop.money import Money

may_go_to_provider: Callable[..., Any] = csp_update(
    {"form-action": [settings.STRIPE_CHECKOUT_ORIGIN]}
)


@dataclass(frozen=True, slots=True)
class CheckoutReview:
    """What the shopper agrees to."""

    lines: list[CartLine]
    subtotal: Money
    shipping: Money | None
    shipping_label: str
    tax_lines: list[tuple[str, Money]]
    total: Money
    prices_include_tax: bool


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@may_go_to_provider
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the form, refresh it for another country or delivery, or place the order."""
    cart = find_cart(request)
    if request.method == "POST":
        if ordered := _find_ordered(request):
            return go_to_provider(request, ordered)
        keep_draft(request)
    view = get_cart_view(cart.pk if cart else None)
    if cart is None or not view.can_be_ordered:
        # The first submit of a double click may have ordered while this one was being prepared.
        if request.method == "POST" and (ordered := _find_ordered(request)):
            return go_to_provider(request, ordered)
        if view.is_empty and (waiting := find_waiting(request)):
            return redirect("orders:detail", waiting.number)
        return _back_to_cart(request, is_empty=view.is_empty)
    typed = request.POST if request.method == "POST" else read_draft(request)
    countries = list_countries()
    country = _choose_country(str(typed.get("country", "")), countries)
    quoted = quote_lines(
        view.lines,
        country=country,
        region=_choose_region(str(typed.get("region", "")), country),
        delivery_code=str(typed.get("shipping_method", "")),
    )
    notices = _tell_news(request, cart, view)
    if request.method == "POST" and request.POST.get("action") != "update":
        form = CheckoutForm(
            request.POST, country=country, countries=countries, offers=quoted.offers
        )
        if form.is_valid():
            return _place(request, cart, form, quoted, countries, notices)
        return _show(request, cart, form, quoted, notices=notices)
    form = _unbound_form(request, cart, quoted, typed, country, countries)
    return _show(request, cart, form, quoted, notices=notices)


def _tell_news(request: HttpRequest, cart: Cart, view: CartView) -> list[str]:
    """List what changed since the shopper looked; a form that was sent off showed its news."""
    seen = request.POST.get("seen_lines", "")
    with suppress(CartClosed, BusyError):
        if seen and view.has_new_prices and cart_lines.accept_prices(cart, seen=seen):
            return []
    return view.notices


def _place(
    request: HttpRequest,
    cart: Cart,
    form: CheckoutForm,
    quoted: QuotedCart,
    countries: list[str],
    notices: list[str],
) -> HttpResponse:
    cleaned = form.cleaned_data
    try:
        order = placement.place(
            cart,
            email=cleaned["email"],
            address=form.to_address(),
            delivery_code=cleaned["shipping_method"],
            submit_key=cleaned["submit_key"],
            seen_total=cleaned["seen_total"],
            seen_lines=cleaned["seen_lines"],
            language=get_language() or settings.LANGUAGE_CODE,
            user=request.user if request.user.is_authenticated else None,
        )
    except (CartClosed, CartNeedsAttention, OutOfStock) as error:
        messages.error(request, str(error))
        return redirect("cart:detail")
    except ShopError as error:
        fresh = _unbound_form(request, cart, quoted, request.POST, cleaned["country"], countries)
        return _show(request, cart, fresh, quoted, notices=[str(error), *notices], status=409)
    _remember(request, order)
    return go_to_provider(request, order)


def go_to_provider(request: HttpRequest, order: Order) -> HttpResponse:
    """Send the shopper to the provider's page, or to the order's own when that cannot be had."""
    if order.status != Order.Status.PENDING:
        return redirect("orders:detail", order.number)
    try:
        return redirect(payment.start(order))
    except ShopError as error:
        messages.error(request, str(error))
        return redirect("orders:detail", order.number)


def _find_ordered(request: HttpRequest) -> Order | None:
    """Find the order that this very form made before, as after a double submit or the back button.

    The submit key is a random secret that only this browser's form has carried.
    """
    form_key = CheckoutForm.base_fields["submit_key"]
    try:
        key = form_key.clean(request.POST.get("submit_key"))
    except ValidationError:
        return None
    order = Order.objects.filter(submit_key=key).first()
    if order is not None:
        _remember(request, order)
    return order


def _remember(request: HttpRequest, order: Order) -> None:
    grant(request, order.number)
    forget_draft(request)


def _back_to_cart(request: HttpRequest, *, is_empty: bool) -> HttpResponse:
    if is_empty:
        messages.info(request, _("Your cart is empty, so there is nothing to check out yet."))
    else:
        messages.error(request, _("Please have a look at your cart before you pay."))
    return redirect("cart:detail")


def _choose_country(typed: str, countries: list[str]) -> str:
    if typed in countries:
        return typed
    if settings.SHOP_COUNTRY in countries or not countries:
        return settings.SHOP_COUNTRY
    return countries[0]


def _choose_region(typed: str, country: str) -> str:
    rules = get_rules(country)
    return match_region(typed.replace("\0", ""), rules) if rules.has_region else ""


def _unbound_form(
    request: HttpRequest,
    cart: Cart,
    quoted: QuotedCart,
    typed: Any,
    country: str,
    countries: list[str],
) -> CheckoutForm:
    initial: dict[str, Any] = {
        name: typed[name] for name in CheckoutForm.base_fields if name in typed
    }
    if request.user.is_authenticated:
        initial.setdefault("email", request.user.email)
        initial.setdefault("name", request.user.name)
    delivery = quoted.quote.delivery
    initial |= {
        "country": country,
        "shipping_method": delivery.code if delivery else "",
        "submit_key": cart.submit_key,
        "seen_total": quoted.quote.total.amount,
        "seen_lines": quoted.fingerprint,
    }
    return CheckoutForm(initial=initial, country=country, countries=countries, offers=quoted.offers)


def _show(
    request: HttpRequest,
    cart: Cart,
    form: CheckoutForm,
    quoted: QuotedCart,
    *,
    notices: list[str],
    status: int = 200,
) -> HttpResponse:
    quote = quoted.quote
    if form.is_bound:
        # What is shown now is what the next submit agrees to.
        shown = {
            "seen_total": str(quote.total.amount),
            "seen_lines": quoted.fingerprint,
            "submit_key": str(cart.submit_key),
            "shipping_method": quote.delivery.code if quote.delivery else "",
        }
        form.data = form.data.dict() | shown  # type: ignore[attr-defined]  # a QueryDict
    if not quoted.offers:
        notices = [*notices, _("We cannot deliver this cart to that country yet.")]
    review = CheckoutReview(
        lines=quoted.lines,
        subtotal=quote.items_total,
        shipping=quote.shipping_total if quote.delivery else None,
        shipping_label=quote.delivery.label if quote.delivery else "",
        tax_lines=[
            (format_tax(line.rate.name, line.rate.percent), line.tax) for line in quote.tax_lines
        ],
        total=quote.total,
        prices_include_tax=quote.prices_include_tax,
    )
    context = {"form": form, "review": review, "notices": notices}
    return render(request, "orders/checkout.html", context, status=status)
