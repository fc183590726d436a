"""What payments have to tell the shop itself by mail."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop.emails import RenderedMail, render_mail


def tell_of_declines(*, declined: int, paid: int) -> RenderedMail:
    """Tell the shop that somebody may be trying stolen cards, in its own language."""
    with translation.override(settings.LANGUAGE_CODE):
        headline = ngettext(
            "%(count)d payment was declined within an hour",
            "%(count)d payments were declined within an hour",
            declined,
        ) % {"count": declined}
        went_through = ngettext("%(count)d went through.", "%(count)d went through.", paid) % {
            "count": paid
        }
        notice = {
            "headline": headline,
            "text": " ".join(
                (
                    went_through,
                    _("That many are declined when somebody tries out stolen cards."),
                    _("Until it is over, one internet address may pay six times an hour."),
                    _("Look at the attempts, and at what your payment provider says of them."),
                )
            ),
            "button": _("Look at the attempts"),
            "reason": _("You get this mail because it is the shop's own address."),
        }
        url = f"{settings.SHOP_URL}{reverse('admin:payments_paymentattempt_changelist')}"
        context = {"notice": notice, "url": url, "picture": None}
        return render_mail("notice", subject=headline, context=context)
