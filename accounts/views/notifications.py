"""Which mails somebody gets: chosen in the account, or ended by the link in a mail."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import read_unsubscribe_key
from accounts.notification_form import NotificationForm
from accounts.queries import get_notification_choices
from accounts.services import notifications


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """Show what the person chose, or write it down anew."""
    assert request.user.pk is not None  # signed in
    if request.method == "POST":
        form = NotificationForm(request.POST)
        if form.is_valid():
            notifications.choose(request.user.pk, **form.cleaned_data)
            messages.success(request, _("We keep to that from now on."))
            return redirect("accounts:notifications")
    else:
        form = NotificationForm(initial=get_notification_choices(request.user.pk))
    return render(request, "accounts/notifications.html", {"form": form})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, key: str) -> HttpResponse:
    """End mails of one kind by the link of a mail; looking at it alone changes nothing.

    Mail programs post here for their readers, without a cookie or a token (RFC 8058); the key alone
    says who it is. Programs that look through mails open every link, so GET only asks.
    """
    asked = read_unsubscribe_key(key)
    is_done = request.method == "POST" and asked is not None and notifications.unsubscribe(*asked)
    state = "done" if is_done else "asked" if asked and request.method != "POST" else "nothing"
    return render(request, "accounts/unsubscribe.html", {"state": state})
