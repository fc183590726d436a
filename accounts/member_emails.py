"""Mails about working for a seller."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import SellerMember
from shop.emails import RenderedMail, render_mail


@dataclass(frozen=True, slots=True)
class Notice:
    """What `emails/notice` says; this one has no picture and quotes nobody."""

    headline: str
    text: str
    button: str
    reason: str
    note: str = ""
    quote: str = ""
    picture: None = None


def render_joined(member: SellerMember) -> RenderedMail:
    """Tell somebody that they work for a seller now; the same words with and without an account."""
    seller = member.seller.name
    notice = Notice(
        headline=_("You now work for %(seller)s") % {"seller": seller},
        text=_("Sign in with this email address to get to the back office. Your role: %(role)s.")
        % {"role": member.get_role_display()},
        button=_("Go to the back office"),
        note=_("If you have no password yet, choose “Forgot your password?” on that page."),
        reason=_("You get this mail because somebody at %(seller)s entered your address.")
        % {"seller": seller},
    )
    context = {
        "notice": notice,
        "picture": "",
        "url": f"{settings.SHOP_URL}{reverse('admin:index')}",
    }
    return render_mail("notice", subject=notice.headline, context=context)
