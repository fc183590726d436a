"""The order's page, for its owner or whoever holds its secret link."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from allauth.account.utils import complete_signup
from allauth.decorators import rate_limit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.forms import SignUpForm
from cart.errors import CartClosed
from cart.sessions import find_cart, find_or_create_cart, name_device, remember
from orders import queries
from orders.access import is_key
from orders.models import Order
from orders.services import cancellation, payment, reordering
from orders.services.reordering import Reordered
from orders.sessions import bring_draft_back, grant, may_see
from orders.views.checkout import may_go_to_provider, pay_within_limits
from shop.errors import ShopError
from shop.views.limited import ask, refuse

BACK_FROM_PROVIDER = "back_from_provider"
ASKED_A_MOMENT_AGO = timedelta(seconds=2)


@require_safe
@never_cache
@may_go_to_provider
def detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show where an order stands; a secret link lets this browser in and then vanishes."""
    if key := request.GET.get("key", ""):
        if is_key(number, key):
            grant(request, number)
            return redirect("orders:detail", number)
        verdict = ask(request, "order_link", order=number)
        if not verdict.is_allowed:
            return refuse(request, verdict)
    return _show(request, _get_order_or_404(request, number))


@require_safe
@never_cache
def status(request: HttpRequest, number: str) -> HttpResponse:
    """Give the page's status part alone, for a page that waits for the provider's word."""
    order = _get_order_or_404(request, number)
    return render(request, "orders/order.html#status", {"order": _view(request, order)})


@require_safe
@never_cache
def returned(request: HttpRequest, number: str) -> HttpResponse:
    """Take the shopper back from the provider: ask how it went, then show the order.

    What the provider cannot say yet is shown as "confirming"; its webhook or the sweeper tells.
    """
    if key := request.GET.get("key", ""):
        if is_key(number, key):
            grant(request, number)
        elif not (verdict := ask(request, "order_link", order=number)).is_allowed:
            return refuse(request, verdict)
    order = _get_order_or_404(request, number)
    request.session[BACK_FROM_PROVIDER] = number
    with suppress(ShopError):  # The page then says that the payment is being confirmed.
        payment.check(order, ended_too=True, unless_within=ASKED_A_MOMENT_AGO)
    return redirect("orders:detail", number)


@require_POST
@may_go_to_provider
def pay(request: HttpRequest, number: str) -> HttpResponse:
    """Go to the provider again, or pay in the other way that was chosen."""
    order = _get_order_or_404(request, number)
    request.session.pop(BACK_FROM_PROVIDER, None)
    return pay_within_limits(request, order, provider=request.POST.get("method", ""))


@require_POST
@never_cache
def again(request: HttpRequest, number: str) -> HttpResponse:
    """Put what an order held into the cart once more, and say what could not be."""
    order = _get_order_or_404(request, number)
    try:
        result = _buy_again(request, order)
    except ShopError as error:
        messages.error(request, str(error))
        return redirect("cart:detail")
    for note in result.notes:
        messages.info(request, note)
    if result.positions:
        messages.success(request, _("It is in your cart, at the prices of today."))
    return redirect("cart:detail")


@require_POST
@never_cache
@may_go_to_provider
@sensitive_post_parameters("password1")
@rate_limit(action="signup")
def make_account(request: HttpRequest, number: str) -> HttpResponse:
    """Make an account for an order's email, out of a password alone; its mailbox has to be proven.

    Whether there is an account already, nobody learns but by the mail that goes to this address.
    """
    order = _get_order_or_404(request, number)
    if request.user.is_authenticated:
        return redirect("orders:account")
    form = SignUpForm({"email": order.email, "password1": request.POST.get("password1", "")})
    if not form.is_valid():
        return _show(request, order, join=form)
    user, answer = form.try_save(request)
    if answer is None:
        answer = complete_signup(request, user, None, reverse("orders:account"))
    return answer


@require_POST
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Give an unpaid order up; its items go back into the cart."""
    order = _get_order_or_404(request, number)
    try:
        cart = cancellation.cancel_unpaid(
            order,
            by=request.user if request.user.is_authenticated else None,
            into=find_cart(request),
        )
    except ShopError as error:
        messages.error(request, str(error))
        return redirect("orders:detail", number)
    remember(request, cart)
    bring_draft_back(request, order)
    messages.success(request, _("The order is cancelled; everything is back in your cart."))
    return redirect("cart:detail")


def _get_order_or_404(request: HttpRequest, number: str) -> Order:
    order = queries.get_order(number)
    if order is None or not may_see(request, order):
        raise Http404
    return order


def _show(request: HttpRequest, order: Order, *, join: SignUpForm | None = None) -> HttpResponse:
    """Show an order; whoever is not signed in may make an account, has the email one or not."""
    if join is None and not request.user.is_authenticated:
        join = SignUpForm()
    return render(request, "orders/order.html", {"order": _view(request, order), "join": join})


def _buy_again(request: HttpRequest, order: Order) -> Reordered:
    device = name_device(request)
    try:
        return reordering.buy_again(order, find_or_create_cart(request), device=device)
    except CartClosed:  # Ordered in another tab this very moment: a new cart takes it.
        return reordering.buy_again(order, find_or_create_cart(request), device=device)


def _view(request: HttpRequest, order: Order) -> queries.OrderView:
    is_back = request.session.get(BACK_FROM_PROVIDER) == order.number
    return queries.get_order_view(order, is_back_from_provider=is_back)
