"""How often somebody may send a form."""

from __future__ import annotations

from allauth.core import ratelimit
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _


def may_send(request: HttpRequest, form: forms.Form, *, action: str) -> bool:
    """Count a form by its line in ACCOUNT_RATE_LIMITS; beyond that the form says so."""
    if ratelimit.consume(request, action=action):
        return True
    form.add_error(None, _("That was often in a short time. Please try again in an hour."))
    return False
