"""Wishlists: one's own, with what can be done to them, and a shared one to read."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.forms import SaveForm, WishlistForm
from catalog.queries.wishlists import (
    WishlistPage,
    get_shared_page,
    get_wishlist_page,
    name_of,
)
from catalog.services import wishlists
from catalog.sessions import find_holder, remember
from shop.errors import ShopError
from shop.requests import HtmxRequest
from shop.views.same_origin import same_origin_required

RENAMING = "new"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """Show the list that was used last, or start another one."""
    holder = find_holder(request)
    form = WishlistForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            wishlist = wishlists.create(holder, name=form.cleaned_data["name"])
        except ShopError as refusal:
            form.add_error("name", str(refusal))
        else:
            remember(request, wishlist)
            return redirect("catalog:wishlist", wishlist.pk)
    return _show(request, get_wishlist_page(holder.lists, None), form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def detail(request: HttpRequest, list_id: int) -> HttpResponse:
    """Show one of the visitor's lists, or change its name, or delete it."""
    holder = find_holder(request)
    page = get_wishlist_page(holder.lists, list_id)
    if page is None:
        raise Http404
    renaming = WishlistForm(request.POST or None, prefix=RENAMING)
    if request.method == "POST" and request.POST.get("action") == "delete":
        return _do(request, lambda: wishlists.delete(holder, list_id))
    if request.method == "POST" and renaming.is_valid():
        try:
            wishlists.rename(holder, list_id, name=renaming.cleaned_data["name"])
            return redirect("catalog:wishlist", list_id)
        except ShopError as refusal:
            renaming.add_error("name", str(refusal))
    return _show(request, page, renaming=renaming if renaming.is_bound else None)


@require_POST
def sharing(request: HttpRequest, list_id: int) -> HttpResponse:
    """Give a list its secret link, or take it back."""
    holder = find_holder(request)
    is_wanted = request.POST.get("action") != "stop"
    change = wishlists.share if is_wanted else wishlists.stop_sharing
    return _do(request, lambda: change(holder, list_id), then=list_id)


@require_POST
def item(request: HttpRequest, item_id: int) -> HttpResponse:
    """Take a thing from its list, or put it on another."""
    holder = find_holder(request)
    to = request.POST.get("to", "")
    back = request.POST.get("list", "")
    then = int(back) if _is_number(back) else None
    if to:
        if not _is_number(to):
            raise Http404
        return _do(request, lambda: wishlists.move(holder, item_id, to=int(to)), then=then)
    return _do(request, lambda: wishlists.remove(holder, item_id), then=then)


@require_POST
@same_origin_required
def save(request: HtmxRequest) -> HttpResponse:
    """Put a variant on the visitor's list, then show the list, or to htmx that it is there."""
    form = SaveForm(request.POST)
    context: dict[str, object] = {"variant_id": form.data.get("variant", "")}
    try:
        variant_id = form.cleaned_data["variant"] if form.is_valid() else 0
        wishlist = wishlists.save(find_holder(request), variant_id=variant_id)
    except ShopError as refusal:
        context["refusal"] = str(refusal)
        if not request.htmx:
            messages.error(request, str(refusal))
            return redirect("catalog:wishlists")
    else:
        remember(request, wishlist)
        if not request.htmx:
            return redirect("catalog:wishlist", wishlist.pk)
        context |= {"saved_in": name_of(wishlist), "list_id": wishlist.pk}
    return render(request, "components/save.html", context)


@require_safe
@never_cache
def shared(request: HttpRequest, key: str) -> HttpResponse:
    """Show somebody's list to whoever has its link; nothing of it can be changed here."""
    page = get_shared_page(key)
    if page is None:
        raise Http404
    return render(request, "catalog/shared_wishlist.html", {"page": page})


def _show(
    request: HttpRequest,
    page: WishlistPage | None,
    *,
    form: WishlistForm | None = None,
    renaming: WishlistForm | None = None,
) -> HttpResponse:
    if page and renaming is None:
        renaming = WishlistForm(initial={"name": page.shown.name}, prefix=RENAMING)
    context = {"page": page, "form": form or WishlistForm(), "renaming": renaming}
    return render(request, "catalog/wishlist.html", context)


def _do(
    request: HttpRequest, change: Callable[[], object], *, then: int | None = None
) -> HttpResponse:
    """Make a change, say why not if it cannot be, and go on to a list."""
    try:
        change()
    except ShopError as refusal:
        messages.error(request, str(refusal))
    return redirect("catalog:wishlist", then) if then else redirect("catalog:wishlists")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
