"""The development mailbox: what the shop would have sent, readable in trial mode only."""

from __future__ import annotations

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shop.models import Mail


@require_safe
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    mails = Mail.objects.order_by("-id")[:100]
    return render(request, "shop/mailbox.html", {"mails": mails})


@require_safe
@never_cache
@csp_update({"style-src": [UNSAFE_INLINE]})  # type: ignore[arg-type]  # typed for argument-less views
def mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Show one mail; its HTML part keeps the inline styles that mail programs need."""
    mail = get_object_or_404(Mail, pk=mail_id)
    return render(request, "shop/mailbox_mail.html", {"mail": mail})
