"""The checkout page: contact, address, delivery and review on one page, then the provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
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

from accounts.addressing import PostalAddress, get_rules, match_region
from accounts.services import addresses
from cart.errors import CartClosed
from cart.models import Cart
from cart.queries import CartLine, CartView, get_cart_view, list_countries
from cart.services import lines as cart_lines
from cart.services.quoting import QuotedCart, quote_lines
from cart.sessions import find_cart
from catalog.errors import OutOfStock
from orders import haste
from orders.errors import CartNeedsAttention
from orders.forms import CONTACT_AND_ADDRESS, CheckoutForm
from orders.gateways import photon
from orders.models import Order
from orders.queries import KnownAddress, find_by_submit_key, list_known_addresses
from orders.services import payment, placement
from orders.services.placement import explain_minimum
from orders.sessions import find_waiting, forget_draft, grant, keep_draft, read_draft
from orders.typos import take_suggestion
from payments.services import declines
from shop.errors import BusyError, ShopError
from shop.formatting import format_tax
from shop.money import Money
from shop.services.limits import Verdict
from shop.views.limited import ask, mark, refuse, say_when

may_go_to_provider: Callable[..., Any] = csp_update(
    {
        "form-action": [
            settings.STRIPE_CHECKOUT_ORIGIN,
            *([settings.PAYPAL_CHECKOUT_ORIGIN] if settings.PAYPAL_IS_ON else []),
        ]
    }
)


@dataclass(frozen=True, slots=True)
class CheckoutReview:
    """What the shopper agrees to."""

    lines: list[CartLine]
    pieces: int
    subtotal: Money
    shipping: Money | None
    shipping_label: str
    tax_lines: list[tuple[str, Money]]
    total: Money
    prices_include_tax: bool


@dataclass(frozen=True, slots=True)
class Checkout:
    """What one answer is made of: the cart at today's prices, and what is known of the shopper.

    `known` are addresses that somebody signed in need not type, `chosen` the one among them that the
    parcel goes to; `typed` is what stands in the form: typed now, typed before, or taken from there.
    """

    cart: Cart
    quoted: QuotedCart
    countries: list[str]
    country: str
    known: list[KnownAddress]
    chosen: KnownAddress | None
    is_member: bool
    typed: Mapping[str, str]
    asked: frozenset[str]
    notices: list[str]

    def bind(self, data: Mapping[str, str], *, asked: Collection[str]) -> CheckoutForm:
        return CheckoutForm(
            data,
            country=self.country,
            countries=self.countries,
            **self.offers,
            asked=asked,
        )

    @property
    def offers(self) -> dict[str, Any]:
        """What the form lets choose among."""
        return {
            "offers": self.quoted.offers,
            "billing": [(row.key, row.in_one_line) for row in self.known if row.is_in_book],
            "may_keep": self.is_member,
        }

    @property
    def choices(self) -> list[KnownAddress]:
        """The known addresses that the shop delivers to."""
        return [row for row in self.known if row.fields["country"] in self.countries]

    def find(self, key: str) -> KnownAddress | None:
        return next((row for row in self.known if row.key == key), None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@may_go_to_provider
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the form, refresh it for another country or delivery, or place the order."""
    cart = find_cart(request)
    if request.method == "POST":
        if ordered := _find_ordered(request):
            return pay_within_limits(request, ordered)
        keep_draft(request)
    view = get_cart_view(cart.pk if cart else None)
    if cart is None or not view.can_be_ordered:
        # The first submit of a double click may have ordered while this one was being prepared.
        if request.method == "POST" and (ordered := _find_ordered(request)):
            return pay_within_limits(request, ordered)
        if view.is_empty and (waiting := find_waiting(request)):
            return redirect("orders:detail", waiting.number)
        return _back_to_cart(request, is_empty=view.is_empty)
    checkout = _look_up(request, cart, view)
    if request.method == "POST" and request.POST.get("action") != "update" and not _takes(request):
        form = checkout.bind(checkout.typed, asked=checkout.asked)
        if checkout.chosen:
            form.take_as_it_stands()
        if _is_gone(request, checkout):
            return _show(
                request,
                checkout,
                _fill_in(request, checkout),
                refusal=_(
                    "This address is not what it was when you chose it. Please check it again."
                ),
            )
        if form.is_valid() and not form.questions:
            return _place(request, checkout, form)
        return _show(request, checkout, form)
    return _show(request, checkout, _fill_in(request, checkout))


def _takes(request: HttpRequest) -> bool:
    """Say whether the button of a suggestion was pressed."""
    return "take" in request.POST


def _look_up(request: HttpRequest, cart: Cart, view: CartView) -> Checkout:
    countries = list_countries()
    known = [] if request.user.pk is None else list_known_addresses(request.user.pk)
    if request.method == "POST":
        typed: Mapping[str, str] = take_suggestion(request.POST.dict())
    else:
        typed = read_draft(request)
    filled = _choose(request, typed, [row for row in known if row.fields["country"] in countries])
    if filled:
        usual = {"email": filled.email, "shipping_method": filled.shipping_method}
        typed = {name: text for name, text in usual.items() if text} | dict(typed) | filled.fields
    country = choose_country(typed.get("country", ""), countries)
    quoted = quote_lines(
        view.lines,
        country=country,
        region=_choose_region(typed.get("region", ""), country),
        delivery_code=typed.get("shipping_method", ""),
    )
    return Checkout(
        cart=cart,
        quoted=quoted,
        countries=countries,
        country=country,
        known=known,
        chosen=None if _is_changing(request) else filled,
        is_member=request.user.is_authenticated,
        typed=typed,
        asked=frozenset(request.POST.getlist("asked")),
        notices=_tell_news(request, cart, view),
    )


def _choose(
    request: HttpRequest, typed: Mapping[str, str], known: list[KnownAddress]
) -> KnownAddress | None:
    """Find the known address that the parcel goes to; none where another one was typed."""
    if not known:
        return None
    if "street" in typed:
        if request.method == "POST":
            return None
        same = (
            row
            for row in known
            if all(typed.get(name, "") == text for name, text in row.fields.items())
        )
        return next(same, None)
    key = typed.get("deliver_to", "")
    if request.method == "POST" and not key:
        return None
    return next((row for row in known if row.key == key), known[0])


def _is_changing(request: HttpRequest) -> bool:
    return "change" in request.GET or "change" in request.POST


def _is_gone(request: HttpRequest, checkout: Checkout) -> bool:
    """Say whether the address that was chosen was changed or removed since, in another tab maybe."""
    key = request.POST.get("deliver_to", "")
    return bool(key and checkout.chosen and checkout.chosen.key != key)


def _tell_news(request: HttpRequest, cart: Cart, view: CartView) -> list[str]:
    """List what changed since the shopper looked; a form that was sent off showed its news."""
    seen = request.POST.get("seen_lines", "")
    with suppress(CartClosed, BusyError):
        if seen and view.has_new_prices and cart_lines.accept_prices(cart, seen=seen):
            return []
    return view.notices


def _place(request: HttpRequest, checkout: Checkout, form: CheckoutForm) -> HttpResponse:
    cleaned = form.cleaned_data
    verdict = _count_payment(
        request,
        weight=haste.weigh(request.POST),
        cart=str(checkout.cart.pk),
        email=cleaned["email"],
    )
    if not verdict.is_allowed:
        return mark(_show(request, checkout, form, refusal=say_when(verdict)), verdict)
    if haste.is_trapped(request.POST):
        sorry = _(
            "Something was filled in that nobody sees; it is empty again. Please press once more."
        )
        return _show(request, checkout, form, refusal=sorry)
    try:
        order = placement.place(
            checkout.cart,
            email=cleaned["email"],
            address=form.to_address(),
            delivery_code=cleaned["shipping_method"],
            submit_key=cleaned["submit_key"],
            seen_total=cleaned["seen_total"],
            seen_lines=cleaned["seen_lines"],
            language=get_language() or settings.LANGUAGE_CODE,
            provider=form.provider,
            user=request.user if request.user.is_authenticated else None,
            billing=_choose_billing(checkout, form),
        )
    except (CartClosed, CartNeedsAttention, OutOfStock) as error:
        messages.error(request, str(error))
        return redirect("cart:detail")
    except ShopError as error:
        fresh = _fill_in(request, checkout)
        return _show(request, checkout, fresh, refusal=str(error))
    _remember(request, order)
    if cleaned.get("keep_address") and request.user.pk is not None:
        with suppress(ShopError):  # The order stands, whether the address book has room or not.
            addresses.add(request.user.pk, form.to_address())
    return go_to_provider(request, order)


def pay_within_limits(request: HttpRequest, order: Order, *, provider: str = "") -> HttpResponse:
    """Go to the provider for an order that is there already, unless that was tried too often."""
    verdict = _count_payment(request, order=order.number, email=order.email)
    if not verdict.is_allowed:
        return refuse(request, verdict)
    return go_to_provider(request, order, provider=provider)


def _count_payment(request: HttpRequest, *, weight: int = 1, email: str, **about: str) -> Verdict:
    verdict = ask(request, "payment", weight=weight, email=email.strip().lower(), **about)
    if verdict.is_allowed and verdict.taken and declines.is_alarming():
        return ask(request, "payment_in_alarm", weight=weight)
    return verdict


def _choose_billing(checkout: Checkout, form: CheckoutForm) -> PostalAddress | None:
    """Return the other address that the bill goes to, if one was chosen."""
    address = checkout.find(form.cleaned_data.get("billing", ""))
    return PostalAddress(**address.fields) if address else None


def go_to_provider(request: HttpRequest, order: Order, *, provider: str = "") -> HttpResponse:
    """Send the shopper to the provider's page, or to the order's own when that cannot be had.

    `provider` is another way to pay than the one that was chosen before.
    """
    address = ""
    if order.status == Order.Status.PENDING:
        try:
            is_buyer = request.user.pk == order.user_id
            address = payment.start(order, provider=provider, with_cards=is_buyer)
        except ShopError as error:
            messages.error(request, str(error))
    return redirect(address) if address else redirect("orders:detail", order.number)


def _find_ordered(request: HttpRequest) -> Order | None:
    """Find the order that this very form made before, as after a double submit or the back button.

    The submit key is a random secret that only this browser's form has carried.
    """
    form_key = CheckoutForm.base_fields["submit_key"]
    try:
        key = form_key.clean(request.POST.get("submit_key"))
    except ValidationError:
        return None
    order = find_by_submit_key(key)
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


def choose_country(typed: str, countries: list[str]) -> str:
    if typed in countries:
        return typed
    if settings.SHOP_COUNTRY in countries or not countries:
        return settings.SHOP_COUNTRY
    return countries[0]


def _choose_region(typed: str, country: str) -> str:
    rules = get_rules(country)
    return match_region(typed.replace("\0", ""), rules) if rules.has_region else ""


def _fill_in(request: HttpRequest, checkout: Checkout) -> CheckoutForm:
    """Make a form that nobody has sent off yet, with what is known in its fields."""
    quote, typed = checkout.quoted.quote, checkout.typed
    kept = (*CONTACT_AND_ADDRESS, "payment_method")
    initial: dict[str, Any] = {name: typed[name] for name in kept if name in typed}
    if request.user.is_authenticated:
        initial.setdefault("email", request.user.email)
        initial.setdefault("name", request.user.name)
    initial["billing"] = _fill_in_billing(checkout)
    initial |= {
        "country": checkout.country,
        "shipping_method": quote.delivery.code if quote.delivery else "",
        "submit_key": checkout.cart.submit_key,
        "seen_total": quote.total.amount,
        "seen_lines": checkout.quoted.fingerprint,
        "began": haste.stamp(),
    }
    return CheckoutForm(
        initial=initial,
        country=checkout.country,
        countries=checkout.countries,
        **checkout.offers,
        asked=checkout.asked,
    )


def _fill_in_billing(checkout: Checkout) -> str:
    """Begin with the address that the person's bills go to, where that is another one."""
    if "billing" in checkout.typed:
        return checkout.typed["billing"]
    usual = next((row for row in checkout.known if row.is_for_billing), None)
    return "" if usual is None or usual == checkout.chosen else usual.key


def _show(
    request: HttpRequest, checkout: Checkout, form: CheckoutForm, *, refusal: str = ""
) -> HttpResponse:
    quoted, quote = checkout.quoted, checkout.quoted.quote
    notices = [refusal, *checkout.notices] if refusal else checkout.notices
    if form.is_bound:
        # What is shown now is what the next submit agrees to.
        shown = {
            "seen_total": str(quote.total.amount),
            "seen_lines": quoted.fingerprint,
            "submit_key": str(checkout.cart.submit_key),
            "shipping_method": quote.delivery.code if quote.delivery else "",
        }
        if not haste.is_stamp(form.data.get("began", "")):
            shown["began"] = haste.stamp()
        form.data = {**form.data, **shown, "homepage": ""}
    if not quoted.offers:
        notices = [*notices, _("We cannot deliver this cart to that country yet.")]
    if refused := explain_minimum(quote.items_total):
        notices = [*notices, refused]
    review = CheckoutReview(
        lines=quoted.lines,
        pieces=sum(line.quantity for line in quoted.lines),
        subtotal=quote.items_total,
        shipping=quote.shipping_total if quote.delivery else None,
        shipping_label=quote.delivery.label if quote.delivery else "",
        tax_lines=[
            (format_tax(line.rate.name, line.rate.percent), line.tax) for line in quote.tax_lines
        ],
        total=quote.total,
        prices_include_tax=quote.prices_include_tax,
    )
    repeats = checkout.chosen if _is_repeatable(checkout, form) else None
    context = {
        "form": form,
        "review": review,
        "notices": notices,
        "is_changing": _is_changing(request),
        "looks_ahead": photon.is_on(),
        "repeats": repeats,
        "choices": checkout.choices if repeats else [],
    }
    status = 409 if refusal else 200
    return render(request, "orders/checkout.html", context, status=status)


def _is_repeatable(checkout: Checkout, form: CheckoutForm) -> bool:
    """Say whether the chosen address would be accepted as it is, so that nobody need look at fields."""
    if checkout.chosen is None:
        return False
    trial = form
    if not form.is_bound:
        named = {name: str(form.initial.get(name, "")) for name in CONTACT_AND_ADDRESS}
        trial = checkout.bind(named, asked=())
    return not trial.errors.keys() & set(CONTACT_AND_ADDRESS)
