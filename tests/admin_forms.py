"""Fills in the admin's forms as a person would: what is on the page, with some fields changed."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.factories.accounts import UserFactory


def sign_in(user: User | None = None) -> Client:
    """Return a browser in which somebody is signed in; the shop's boss unless told who."""
    browser = Client()
    browser.force_login(user or UserFactory(is_staff=True, is_superuser=True))
    return browser


def submit(browser: Client, url: str, **changes: Any) -> HttpResponse:
    """Open a form of the admin, change some fields, and save it.

    Field names are those of the page; `images__0__upload` stands for `images-0-upload`.
    """
    page = browser.get(url)
    assert page.status_code == 200, page.status_code
    values: dict[str, Any] = {}
    collect(page.context["adminform"].form, values)
    for formset in page.context["inline_admin_formsets"]:
        collect(formset.formset.management_form, values)
        for form in formset.formset.initial_forms:
            collect(form, values)
    values |= {name.replace("__", "-"): value for name, value in changes.items()}
    return browser.post(url, {name: value for name, value in values.items() if value is not None})


def collect(form: BaseForm, values: dict[str, Any]) -> None:
    for field in form:
        value = field.value()
        prepared = field.field.prepare_value(value)
        if isinstance(prepared, list | tuple) and prepared and hasattr(prepared[0], "pk"):
            prepared = [row.pk for row in prepared]
        values[field.html_name] = None if prepared is False else prepared


def errors(page: HttpResponse) -> list[str]:
    """List every complaint of a form that came back."""
    assert page.status_code == 200, "the form was saved"
    found = [text for texts in page.context["adminform"].form.errors.values() for text in texts]
    for formset in page.context["inline_admin_formsets"]:
        found += formset.formset.non_form_errors()
        found += [
            text for form in formset.formset.errors for texts in form.values() for text in texts
        ]
    return found


def address(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:{model}_{page}", args=args)
