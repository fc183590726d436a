"""What a request says about who sends it, beyond being signed in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

View = TypeVar("View", bound=Callable[..., HttpResponse])


def needs_recent_proof(view: View) -> View:
    """Ask who moves money, roles or payouts to prove anew that it is them, every few minutes.

    A device that somebody left open then gives nothing away. Only where second factors are demanded
    (ADMIN_SECOND_FACTOR): a trial shop is in nobody's way. A form is asked about when it is opened,
    so that nothing typed is lost but by whoever takes longer than ACCOUNT_REAUTHENTICATION_TIMEOUT.
    """

    @wraps(view)
    def ask(*args: Any, **kwargs: Any) -> HttpResponse:
        # The views of an admin class that is decorated as a method come with `self` before it.
        request = next(arg for arg in args if isinstance(arg, HttpRequest))
        if settings.ADMIN_SECOND_FACTOR and not did_recently_reauthenticate(request):
            return _lead_to_proof(request)
        return view(*args, **kwargs)

    return ask  # type: ignore[return-value]


def _lead_to_proof(request: HttpRequest) -> HttpResponse:
    methods = get_adapter().get_reauthentication_methods(request.user)
    where = methods[0]["url"] if methods else reverse("account_login")
    return HttpResponseRedirect(f"{where}?{urlencode({'next': _way_back(request)})}")


def _way_back(request: HttpRequest) -> str:
    """Return the page that was asked for; after a form, the one on which it stood."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    former = urlsplit(request.headers.get("Referer", ""))
    if former.netloc == request.get_host() and former.path.startswith("/"):
        return former.path
    return reverse("admin:index")
