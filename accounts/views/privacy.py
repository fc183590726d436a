"""The page about one's own data: a copy of it, and erasing it."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import ErasureRefused
from accounts.forms import EraseForm
from accounts.models import DataCopy, User
from accounts.person import person_of
from accounts.privacy import Erasure, list_titles
from accounts.services import erasing, exporting
from shop.clock import now
from shop.errors import ShopError


@require_safe
@never_cache
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """Say what can be done with one's own data, and show the copy that is there or being made."""
    copies = DataCopy.objects.filter(user=request.user.pk).defer("content")
    latest = copies.exclude(lapses_at__lt=now()).first()
    return render(request, "accounts/privacy.html", {"copy": latest})


@require_POST
@never_cache
@login_required
@reauthentication_required
def ask_for_copy(request: HttpRequest) -> HttpResponse:
    """Have a copy made; who is not known for certain shows first who they are."""
    exporting.ask(cast(User, request.user), language=get_language() or settings.LANGUAGE_CODE)
    return redirect("accounts:privacy")


@require_safe
@never_cache
@login_required
@reauthentication_required
def download(request: HttpRequest, copy_id: int) -> HttpResponse:
    """Hand out a copy to whom it is about, and to nobody else."""
    copy = DataCopy.objects.filter(
        pk=copy_id, user=request.user.pk, ready_at__isnull=False, lapses_at__gt=now()
    ).first()
    if copy is None:
        raise Http404
    name = f"my-data-{copy.asked_at:%Y-%m-%d}.zip"
    return HttpResponse(
        bytes(copy.content),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@reauthentication_required
def erase(request: HttpRequest) -> HttpResponse:
    """Say what goes and what stays, and erase the account once its address is typed."""
    user = cast(User, request.user)
    person = person_of(user)
    form = EraseForm(request.POST or None, email=user.email)
    obstacles: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            erasing.erase(person, language=get_language() or settings.LANGUAGE_CODE)
        except ErasureRefused as refusal:
            obstacles = refusal.obstacles
        except ShopError as error:
            messages.error(request, str(error))
        else:
            request.session.flush()
            request.user = AnonymousUser()
            return redirect("accounts:erased")
    else:
        obstacles = erasing.list_obstacles(person)
    context = {
        "form": form,
        "obstacles": obstacles,
        "goes": [*list_titles(Erasure.DELETED), *list_titles(Erasure.EMPTIED)],
        "stays": list_titles(Erasure.KEPT),
        "years": settings.RETENTION_ORDER_YEARS,
    }
    return render(request, "accounts/erase.html", context)


@require_safe
@never_cache
def erased(request: HttpRequest) -> HttpResponse:
    """Say that it is done; anybody may read it."""
    return render(request, "accounts/erased.html", {"years": settings.RETENTION_ORDER_YEARS})
