"""Every field that a person fills in says what it is for, and brings the keyboard that fits."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.test import Client

from cart.models import ShippingZone
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.journeys.shopper import Shopper

pytestmark = pytest.mark.django_db

PLAIN = ("text", None)
# What autofill calls it, then the field's type and inputmode.
FITTING = {
    "email": {("email", None), ("email", "email")},
    "shipping name": {PLAIN},
    "shipping street-address": {PLAIN},
    "shipping postal-code": {PLAIN, ("text", "numeric")},
    "shipping address-level1": {PLAIN, ("select", None)},
    "shipping address-level2": {PLAIN},
    "shipping country": {("select", None)},
    "shipping tel": {("tel", "tel")},
    "current-password": {("password", None)},
    "new-password": {("password", None)},
}
NOT_TYPED = {"hidden", "radio", "checkbox", "submit"}


class Fields(HTMLParser):
    def __init__(self, page: Any) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(page.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        kind = given.get("type", "text") if tag == "input" else tag
        if tag in ("input", "select", "textarea") and kind not in NOT_TYPED and given.get("name"):
            self.found.append(given | {"type": kind})


def fields_of(page: Any) -> list[dict[str, str]]:
    assert page.status_code == 200
    return [field for field in Fields(page).found if field["name"] not in ("q", "homepage")]


def open_checkout(country: str) -> Any:
    make_delivery()
    ShippingZone.objects.update(countries=["DE", country])
    shopper = Shopper()
    shopper.put(VariantFactory())
    chosen = {"country": country, "action": "update"}
    return shopper.client.post("/checkout/", shopper.fill() | chosen)


def open_new_password() -> Any:
    person = UserFactory()
    key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
    return Client().get(f"/accounts/password/reset/key/{key}/", follow=True)


PAGES = {
    "checkout": lambda: open_checkout("DE"),
    "checkout with regions": lambda: open_checkout("US"),
    "sign in": lambda: Client().get("/accounts/login/"),
    "sign up": lambda: Client().get("/accounts/signup/"),
    "reset": lambda: Client().get("/accounts/password/reset/"),
    "new password": open_new_password,
}
COUNTS = {
    "checkout": 7, "checkout with regions": 8, "sign in": 2, "sign up": 2, "reset": 1,
    "new password": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_every_field_has_its_autofill_name_and_a_keyboard_that_fits(name: str) -> None:
    fields = fields_of(PAGES[name]())

    assert len(fields) == COUNTS[name]
    for field in fields:
        hints = (field["type"], field.get("inputmode"))
        assert hints in FITTING[field.get("autocomplete", "")], field


@pytest.mark.parametrize(
    ("country", "inputmode"), [("DE", "numeric"), ("PL", "numeric"), ("GB", None), ("NL", None)]
)
def test_a_postcode_of_digits_brings_the_keys_for_digits(
    country: str, inputmode: str | None
) -> None:
    [postcode] = [
        field for field in fields_of(open_checkout(country)) if field["name"] == "postcode"
    ]

    assert postcode.get("inputmode") == inputmode
    assert postcode["autocapitalize"] == ("off" if inputmode else "characters")


def test_nothing_corrects_an_email_or_a_postcode_behind_anybodys_back() -> None:
    fields = {field["name"]: field for field in fields_of(open_checkout("DE"))}

    for name in ("email", "postcode"):
        assert (fields[name]["autocapitalize"], fields[name]["spellcheck"]) == ("off", "false")
    typed = [field for field in fields.values() if field["type"] != "select"]
    assert [field["enterkeyhint"] for field in typed] == [
        *(["next"] * (len(typed) - 1)), "go",
    ]  # fmt: skip
