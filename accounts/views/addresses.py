"""The address book of whoever is signed in; another person's addresses are simply not there."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries
from accounts.address_form import AddressForm
from accounts.addressing import list_countries
from accounts.models import Address, User
from accounts.services import addresses
from shop.errors import ShopError

PURPOSES: dict[str, addresses.Purpose] = {
    "delivery": "delivery",
    "billing": "billing",
    "no_billing": "no_billing",
}


@require_safe
@never_cache
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """List the book; each address with what can be done with it."""
    book = queries.list_addresses(_me(request))
    return render(request, "accounts/addresses.html", {"addresses": book})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def add(request: HttpRequest) -> HttpResponse:
    """Take a new address, in the fields that its country has."""
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def change(request: HttpRequest, address_id: int) -> HttpResponse:
    """Write one of the person's own addresses anew."""
    address = queries.find_address(_me(request), address_id)
    if address is None:
        raise Http404
    return _edit(request, address)


@require_POST
@never_cache
@login_required
def remove(request: HttpRequest, address_id: int) -> HttpResponse:
    """Take one of the person's own addresses out of the book."""
    if queries.find_address(_me(request), address_id) is None:
        raise Http404
    try:
        addresses.remove(_me(request), address_id)
    except ShopError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The address is removed. Orders keep their copy of it."))
    return redirect("accounts:addresses")


@require_POST
@never_cache
@login_required
def make_default(request: HttpRequest, address_id: int) -> HttpResponse:
    """Make one of the person's own addresses the one for parcels, or for bills."""
    purpose = PURPOSES.get(request.POST.get("purpose", ""))
    if queries.find_address(_me(request), address_id) is None:
        raise Http404
    if purpose is None:
        return HttpResponseBadRequest()
    try:
        addresses.make_default(_me(request), address_id, purpose=purpose)
    except ShopError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your checkout will begin with it."))
    return redirect("accounts:addresses")


def _edit(request: HttpRequest, address: Address | None) -> HttpResponse:
    """Show the form, shape it anew for another country, or keep what was typed."""
    known = address.postal.as_fields() if address else {}
    typed = request.POST.dict() if request.method == "POST" else {}
    user = cast(User, request.user)
    first = known or {"country": settings.SHOP_COUNTRY, "name": user.name}
    values = {name: str(value) for name, value in (first | typed).items()}
    countries = list_countries()
    country = values["country"] if values["country"] in countries else settings.SHOP_COUNTRY
    if typed and typed.get("action") != "update":
        form = AddressForm(typed, country=country, countries=countries)
        if form.is_valid():
            try:
                return _keep(request, form, address)
            except ShopError as refusal:
                form.add_error(None, str(refusal))
    else:
        form = AddressForm(
            initial=values | {"country": country}, country=country, countries=countries
        )
    return render(request, "accounts/address.html", {"form": form, "address": address})


def _keep(request: HttpRequest, form: AddressForm, address: Address | None) -> HttpResponse:
    user_id = _me(request)
    if address:
        addresses.change(user_id, address.pk, form.to_address())
    else:
        addresses.add(user_id, form.to_address())
    messages.success(request, _("The address is in your address book."))
    return redirect("accounts:addresses")


def _me(request: HttpRequest) -> int:
    assert request.user.pk is not None  # signed in
    return request.user.pk
