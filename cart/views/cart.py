"""The cart page and what changes it; every change works as a plain form."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from cart import queries
from cart.errors import CartClosed, ChangedElsewhere
from cart.forms import AddForm, QuantityForm
from cart.models import Cart, CartItem
from cart.services import carts, lines
from cart.sessions import (
    find_cart,
    find_left_behind,
    find_or_create_cart,
    name_device,
    note_seen,
    remember,
)
from catalog.services import wishlists
from catalog.sessions import find_holder
from shop.errors import BusyError, ShopError
from shop.requests import HtmxRequest
from shop.views.same_origin import same_origin_required


@require_safe
@never_cache
def detail(request: HttpRequest) -> HttpResponse:
    """Show the cart at today's prices; say which of them changed, and whether another device was here."""
    cart = find_cart(request)
    cart = _take_along(request, cart) or cart
    notice = _("Your cart was changed on another device.") if note_seen(request, cart) else ""
    view = queries.get_cart_view(
        cart.pk if cart else None, notice=notice, version=cart.version if cart else 0
    )
    return render(request, "cart/cart.html", {"cart": view})


@require_POST
@same_origin_required
def add(request: HtmxRequest) -> HttpResponse:
    """Put a variant in the cart, then show the cart, or its drawer to htmx."""
    form = AddForm(request.POST)
    notice = ""
    if form.is_valid():
        try:
            notice = _add(request, form).notice
            if wish := form.cleaned_data["wish"]:
                wishlists.remove(find_holder(request), wish)
        except ShopError as error:
            notice = str(error)
    else:
        notice = _all_errors(form)
    if request.htmx:
        return _drawer(request, notice)
    if notice:
        messages.info(request, notice)
    return redirect("cart:detail")


@require_POST
@same_origin_required
def item(request: HttpRequest, item_id: int) -> HttpResponse:
    """Change how many pieces a line holds; a line of somebody else's cart is simply not there."""
    cart = find_cart(request)
    found = (
        CartItem.objects.select_related("variant__product__seller", "variant__stock_level")
        .filter(pk=item_id, cart=cart)
        .first()
        if cart
        else None
    )
    form = QuantityForm(request.POST)
    if found is None:
        messages.info(request, _("That was no longer in your cart."))
    elif not form.is_valid():
        messages.error(request, _all_errors(form))
    else:
        try:
            notice = lines.change(found, device=name_device(request), **form.cleaned_data).notice
            if not form.cleaned_data["quantity"]:
                product = found.variant.product.title
                notice = _("%(product)s is no longer in your cart.") % {"product": product}
        except ChangedElsewhere as error:
            notice = str(error)
            note_seen(request, find_cart(request))  # Told once is enough.
        except ShopError as error:
            notice = str(error)
        if notice:
            messages.info(request, notice)
    return redirect("cart:detail")


def _take_along(request: HttpRequest, own: Cart | None) -> Cart | None:
    """Merge a guest's cart that was locked while its owner signed in; rarely is there one."""
    left_id = find_left_behind(request, own)
    if left_id is None:
        return None
    with suppress(BusyError):
        cart = carts.merge_at_sign_in(
            guest_cart_id=left_id, user=cast(User, request.user), device=name_device(request)
        )
        remember(request, cart)
        return cart
    return None


def _add(request: HttpRequest, form: AddForm) -> lines.Outcome:
    wanted = {
        "variant_id": form.cleaned_data["variant"],
        "quantity": form.cleaned_data["quantity"],
        "device": name_device(request),
    }
    try:
        return lines.add(find_or_create_cart(request), **wanted)
    except CartClosed:  # Ordered in another tab this very moment: a new cart takes it.
        return lines.add(find_or_create_cart(request), **wanted)


def _all_errors(form: Form) -> str:
    return " ".join(str(message) for errors in form.errors.values() for message in errors)


def _drawer(request: HttpRequest, notice: str) -> HttpResponse:
    cart = find_cart(request)
    view = queries.get_cart_view(cart.pk if cart else None, notice=notice)
    response = render(request, "cart/_drawer.html", {"cart": view})
    response["HX-Trigger"] = "cart-changed"
    return response
