"""Help while the checkout form is filled in. Without scripts nobody asks here.

A field is checked when it is left, by the form that judges the whole; what comes back is the message
alone, so that nothing is taken out of anybody's hands. And while a street is typed, addresses are
looked up, where the shop has a geocoder.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.addressing import get_rules, tidy
from cart.models import Cart
from cart.queries import list_countries
from cart.sessions import find_cart
from orders.forms import CONTACT_AND_ADDRESS, CheckoutField, CheckoutForm
from orders.gateways import photon
from orders.typos import take_suggestion
from orders.views.checkout import choose_country
from shop.services import limits


@require_POST
@never_cache
def check_field(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with a field's error or question, or, when its suggestion is taken, the whole field."""
    form = _read_form(request)
    if name not in CONTACT_AND_ADDRESS or name not in form.fields:
        return HttpResponseBadRequest()
    field = form[name]
    assert isinstance(field, CheckoutField)
    if "take" in request.POST:
        field.field.widget.attrs["autofocus"] = True
        return render(request, "components/field.html", {"field": field, "check": True})
    is_filled = bool(str(field.data or "").strip())
    is_right = not is_filled or not (field.errors or field.doubt)
    if not is_right and "while_typing" in request.POST:
        return HttpResponse(status=204)
    if is_right:
        return HttpResponse()
    return render(request, "components/field.html#message", {"field": field, "check": True})


@require_POST
@never_cache
def find_addresses(request: HttpRequest) -> HttpResponse:
    """Answer with addresses like the street that is typed, or with the fields of the one picked.

    It is a POST although it only reads: an address in the URL would stand in every access log.
    """
    if not photon.is_on():
        raise Http404
    if "picked" in request.POST:
        form = _make_form(request.POST.dict(), is_bound=False)
        form.fields["street"].widget.attrs["autofocus"] = True
        return render(request, "orders/checkout.html#address", {"form": form, "looks_ahead": True})
    cart = find_cart(request)
    if cart is None or not _may_ask(cart):
        return HttpResponse()
    typed = request.POST
    rules = get_rules(choose_country(typed.get("country", ""), list_countries()))
    place = tidy(f"{typed.get('postcode', '')} {typed.get('city', '')}")
    suggestions = photon.suggest(tidy(typed.get("street", "")), place=place, rules=rules)
    return render(request, "orders/checkout.html#suggestions", {"suggestions": suggestions})


def _may_ask(cart: Cart) -> bool:
    return limits.count("geocoder", cart=str(cart.pk)).is_allowed


def _read_form(request: HttpRequest) -> CheckoutForm:
    """Bind what was typed, with the suggestion that was taken in its place."""
    return _make_form(take_suggestion(request.POST.dict()), is_bound=True)


def _make_form(typed: dict[str, str], *, is_bound: bool) -> CheckoutForm:
    """Make the form with the fields of the country that was chosen; unbound, nothing is judged."""
    countries = list_countries()
    country = choose_country(typed.get("country", ""), countries)
    values: dict[str, Any] = {"data": typed} if is_bound else {"initial": typed}
    return CheckoutForm(**values, country=country, countries=countries, offers=[])
