"""Every text field of the shop and of the admin takes every naughty string, and gives it back as typed.

The fields are found, not listed: each form class of ours, each form of the admin and its rows. Each
string goes through each kind of field alone; then forms are filled in and sent as a browser would.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from itertools import cycle
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.forms import BaseForm
from django.test import Client, RequestFactory

from accounts.address_form import TidyField
from accounts.models import User
from tests.admin_forms import collect, sign_in
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.matrix.routes import ROWS
from tests.matrix.test_strangers import places  # noqa: F401  # the same things, under the same names
from tests.shared import naughty_strings

pytestmark = pytest.mark.django_db

OURS = ("shop.", "accounts.", "catalog.", "cart.", "payments.", "orders.")
WRITES_IT_ANEW = (
    forms.EmailField, forms.URLField, forms.JSONField, forms.UUIDField, forms.SlugField,
    forms.GenericIPAddressField, TidyField,
)  # fmt: skip
TYPED = ("text", "email", "tel", "url", "search", "password", "hidden")
TOGETHER = 40
"""So many strings are drawn in one widget at once."""


def list_forms(boss: User) -> Iterator[tuple[str, Any]]:
    """Every form class of ours, and those that the admin makes."""
    known: set[type] = set()

    def walk(kind: type) -> Iterator[tuple[str, Any]]:
        for each in kind.__subclasses__():
            if each not in known:
                known.add(each)
                if each.__module__.startswith(OURS):
                    yield f"{each.__module__}.{each.__qualname__}", each
                yield from walk(each)

    yield from walk(BaseForm)
    request = RequestFactory().get("/admin/")
    request.user = boss
    for model, page in admin.site._registry.items():
        label = model._meta.label
        if page.has_add_permission(request) or page.has_change_permission(request):
            yield f"admin {label}", page.get_form(request)
            for inline in page.get_inline_instances(request):
                yield f"admin {label} {inline.model.__name__}", inline.get_formset(request).form


def list_text_fields(boss: User) -> dict[Any, tuple[str, forms.CharField]]:
    """Give one field of each kind, and where it is from."""
    found: dict[Any, tuple[str, forms.CharField]] = {}
    for place, form in list_forms(boss):
        for name, field in getattr(form, "base_fields", {}).items():
            if isinstance(field, forms.CharField):
                kind = (
                    type(field), type(field.widget), field.max_length, field.strip,
                    tuple(sorted(type(each).__name__ for each in field.validators)),
                )  # fmt: skip
                found.setdefault(kind, (f"{place}.{name}", field))
    return found


class _ValueReader(HTMLParser):
    """Reads what a browser would have in a field."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[str] = []
        self.tags: list[str] = []
        self.is_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "input":
            self.values.append(dict(attrs).get("value") or "")
        elif tag == "textarea":
            self.values.append("")
            self.is_text = True

    def handle_endtag(self, tag: str) -> None:
        self.is_text = self.is_text and tag != "textarea"

    def handle_data(self, data: str) -> None:
        if self.is_text:
            self.values[-1] += data


def read_values(html: str) -> _ValueReader:
    reader = _ValueReader()
    reader.feed(html)
    reader.close()
    return reader


def test_every_kind_of_field_takes_every_string_and_gives_it_back() -> None:
    fields = list_text_fields(UserFactory(is_staff=True, is_superuser=True))
    texts = naughty_strings()
    wrong: list[Any] = []

    for place, field in fields.values():
        for text in texts:
            try:
                cleaned = field.clean(text)
            except ValidationError:
                continue
            is_kept = isinstance(cleaned, str) and not isinstance(field, WRITES_IT_ANEW)
            if is_kept and cleaned != (text.strip() if field.strip else text):
                wrong.append((place, text, cleaned))
        if isinstance(field.widget, forms.PasswordInput):
            continue  # What was typed there is never shown again.
        plain_tags = read_values(field.widget.render("field", "plain", {})).tags
        for start in range(0, len(texts), TOGETHER):
            together = " | ".join(text for text in texts[start : start + TOGETHER])
            shown = read_values(field.widget.render("field", together, {}))
            if shown.tags != plain_tags:
                wrong.append((place, "more tags than before", start))
            if together.lstrip("\n") not in [value.lstrip("\n") for value in shown.values]:
                wrong.append((place, "not shown as typed", start))

    assert len(fields) > 15
    assert not wrong, wrong[:10]


class _FormsReader(HTMLParser):
    """Reads the forms of a page: where they are posted to, and what stands in them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str], list[str]]] = []
        self.is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = given.get("method", "get").lower() == "post"
            if self.is_inside:
                self.forms.append((given.get("action", ""), {}, []))
        name = given.get("name", "")
        if not self.is_inside or not name or tag not in ("input", "textarea"):
            return
        _action, fields, texts = self.forms[-1]
        kind = given.get("type", "text") if tag == "input" else "text"
        fields.setdefault(name, given.get("value", ""))
        if kind in TYPED and name not in ("csrfmiddlewaretoken", "next"):
            texts.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False


def test_every_form_of_the_shop_takes_them(places: dict[str, Any]) -> None:  # noqa: F811
    texts = cycle(naughty_strings())
    browser = Client(raise_request_exception=False)
    variant = VariantFactory(stock=5)
    browser.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    browser.post("/cart/add/", {"variant": variant.pk})
    stranger = Client(raise_request_exception=False)
    known: set[Any] = set()
    broken = []

    for row in ROWS:
        if row.get != 200 and not row.route.startswith(("account", "wishlists", "checkout")):
            continue
        path = row.path.format(**places)
        for visitor in (stranger, browser):
            page = visitor.get(path)
            if "html" not in page.headers.get("Content-Type", "") or page.streaming:
                continue
            reader = _FormsReader()
            reader.feed(page.content.decode())
            for action, fields, names in reader.forms:
                if not names or (action, tuple(names)) in known or "logout" in action:
                    continue
                known.add((action, tuple(names)))
                for _time in range(4):
                    typed = {name: next(texts) for name in names}
                    answer = visitor.post(action or path, fields | typed)
                    if answer.status_code >= 500:
                        broken.append((action, answer.status_code, typed))
                    elif b"<script>alert" in answer.content:
                        broken.append((action, "unescaped", typed))

    assert len(known) > 8
    assert not broken, broken


def test_every_form_of_the_admin_takes_them_and_shows_them_again() -> None:
    boss = UserFactory(is_staff=True, is_superuser=True)
    browser = sign_in(boss)
    browser.raise_request_exception = False
    request = RequestFactory().get("/admin/")
    request.user = boss
    texts = cycle(naughty_strings())
    broken, sent = [], 0

    for model, page in admin.site._registry.items():
        if not page.has_add_permission(request):
            continue
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/add/"
        opened = browser.get(address)
        if opened.status_code != 200 or not opened.context or "adminform" not in opened.context:
            continue
        form = opened.context["adminform"].form
        names = [each.html_name for each in form if isinstance(each.field, forms.CharField)]
        values: dict[str, Any] = {}
        collect(form, values)
        for formset in opened.context["inline_admin_formsets"]:
            collect(formset.formset.management_form, values)
        values = {name: value for name, value in values.items() if value is not None}
        for _time in range(3 if names else 0):
            typed = {name: next(texts) for name in names}
            answer = browser.post(address, values | typed)
            sent += 1
            if answer.status_code >= 500:
                broken.append((address, answer.status_code, typed))
            elif answer.status_code == 200:
                shown = unescape(answer.content.decode())
                hidden = [
                    (address, name, text)
                    for name, text in typed.items()
                    if text.isprintable() and "password" not in name and text not in shown
                ]
                broken += hidden
                if b"<script>alert" in answer.content:
                    broken.append((address, "unescaped", typed))

    assert sent > 20
    assert not broken, broken[:5]
