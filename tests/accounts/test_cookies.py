"""What the shop leaves in a browser is on the list, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client

from accounts.cookies import Place, list_traces
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.forms import submit
from tests.journeys.shopper import Shopper

pytestmark = pytest.mark.django_db
SCRIPTS = sorted((Path(settings.BASE_DIR) / "static" / "js").rglob("*.js"))


def test_a_whole_visit_sets_exactly_the_cookies_on_the_list() -> None:
    make_delivery()
    variant = VariantFactory(stock=3)
    shopper = Shopper()
    client = shopper.client
    person = UserFactory()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    lives = {}

    def look(answer: object) -> None:
        for name, cookie in answer.cookies.items():  # type: ignore[attr-defined]
            if cookie.value:
                lives[name] = cookie["max-age"]

    for path in ("/", "/search/?q=mug", f"/products/{variant.product.slug}/", "/cookies/"):
        assert not client.get(path).cookies
    look(shopper.put(variant))
    look(client.get("/cart/"))
    look(shopper.place())
    look(client.post("/wishlists/save/", {"variant": variant.pk}))
    page = client.get("/accounts/login/")
    look(page)
    typed = {"login": person.email, "password": "a long enough password"}
    look(submit(client, page, "/accounts/login/", typed))
    look(client.get("/account/privacy/"))
    look(submit(client, client.get("/accounts/logout/"), "/accounts/logout/"))

    listed = {each.name for each in list_traces() if each.place == Place.COOKIE}
    assert lives.keys() == listed
    assert lives[settings.SESSION_COOKIE_NAME] == settings.SESSION_COOKIE_AGE
    assert lives[settings.CSRF_COOKIE_NAME] == settings.CSRF_COOKIE_AGE
    assert lives["messages"] == ""


def test_scripts_write_nothing_into_the_browser_that_is_not_on_the_list() -> None:
    written = set()
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        assert "document.cookie" not in text
        assert "indexedDB" not in text
        written |= {f"localStorage.{name}" for name in re.findall(r"localStorage\.(\w+) =", text)}
        written |= set(re.findall(r"sessionStorage\.setItem\(\w+", text))
        written |= {f"caches {name}" for name in re.findall(r"CACHE = `(\w+-)", text)}

    assert written == {"localStorage.viewed", "sessionStorage.setItem(here", "caches offline-"}
    names = [each.name for each in list_traces() if each.place == Place.BROWSER]
    assert names == ["viewed", "the address of a list", "offline-*"]


def test_the_page_names_each_of_them_and_says_why_nobody_is_asked(client: Client) -> None:
    page = client.get("/cookies/")
    text = page.content.decode()

    for trace in list_traces():
        assert f"<strong>{trace.name}</strong>" in text
    assert "30 days" in text
    assert "no banner" in text
    assert "Do not sell or share" in text
    assert "Global Privacy Control" in text


def test_global_privacy_control_is_honoured_and_changes_nothing(client: Client) -> None:
    signal = Client(headers={"Sec-GPC": "1"})

    assert client.get("/.well-known/gpc.json").json()["gpc"] is True
    assert signal.get("/").content == client.get("/").content
