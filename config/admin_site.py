"""The one admin site, for staff and sellers, with a content policy of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from accounts import staff_sessions
from accounts.second_factor import lacks_second_factor


class EmporiumAdminSite(UnfoldAdminSite):
    """django-unfold needs style attributes; the shop's pages never do."""

    def each_context(self, request: Any) -> dict[str, Any]:
        """Leave out the colours, which django-unfold would write into the page as a style sheet.

        `static/css/admin/theme.css` has them.
        """
        return super().each_context(request) | {"colors": None}

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        wrapped = super().admin_view(_for_the_well_secured(view), cacheable)
        return csp_update(settings.ADMIN_CONTENT_SECURITY_POLICY)(wrapped)

    def login(self, request: Any, extra_context: dict[str, Any] | None = None) -> Any:
        """Send strangers to the shop's own sign-in page, which limits how often one may guess."""
        return secure_admin_login(super().login)(request, extra_context)


def _for_the_well_secured(view: Callable[..., Any]) -> Callable[..., Any]:
    """Send staff whose session is over to sign in, and those without a second factor to add one.

    Signing out stays open.
    """

    @wraps(view)
    def ask(request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_staff and staff_sessions.is_over(request):
            logout(request)
            messages.info(request, _("You were signed out, to be safe. Please sign in again."))
            return redirect_to_login(request.get_full_path())
        if lacks_second_factor(request.user) and getattr(view, "__name__", "") != "logout":
            messages.warning(
                request, _("Whoever works in the shop needs a second factor. Add one.")
            )
            return redirect("mfa_index")
        return view(request, *args, **kwargs)

    return ask
