"""The one admin site, for staff and sellers, with a content policy of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from csp.decorators import csp_update
from django.conf import settings
from unfold.sites import UnfoldAdminSite


class EmporiumAdminSite(UnfoldAdminSite):
    """django-unfold needs inline styles and `unsafe-eval` (Alpine); the shop's pages never do."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        wrapped = super().admin_view(view, cacheable)
        return csp_update(settings.ADMIN_CONTENT_SECURITY_POLICY)(wrapped)

    def login(self, request: Any, extra_context: dict[str, Any] | None = None) -> Any:
        """Send strangers to the shop's own sign-in page, which limits how often one may guess."""
        return secure_admin_login(super().login)(request, extra_context)
