"""The form in which somebody says which mails they want."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class NotificationForm(forms.Form):
    """What comes beside the mails about orders; a box without a tick is a no."""

    restock = forms.BooleanField(
        label=_("When something is back in stock"),
        help_text=_("Only for what you asked us to tell you about."),
        required=False,
    )
    reviews = forms.BooleanField(
        label=_("About my reviews"),
        help_text=_("When a review of yours is published, or answered."),
        required=False,
    )
    news = forms.BooleanField(
        label=_("News from the shop"),
        help_text=_("Off unless you turn it on."),
        required=False,
    )
