"""How often somebody may send a form."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest

from shop.services.limits import Verdict
from shop.views.limited import ask, say_when


def may_send(request: HttpRequest, form: forms.Form, *, action: str) -> Verdict:
    """Count a form; beyond its limit the form says so, with all that was typed."""
    person = str(request.user.pk) if request.user.is_authenticated else ""
    verdict = ask(request, action, person=person)
    if not verdict.is_allowed:
        form.add_error(None, say_when(verdict))
    return verdict
