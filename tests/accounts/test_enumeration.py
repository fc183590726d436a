"""No answer tells whether somebody has an account: known and unknown addresses side by side.

`make bench ARGS="--enumeration"` compares how long the answers take.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.test import Client

from orders.models import Order
from payments.simulator.running import Simulator
from shop.models import Mail
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.forms import submit

pytestmark = pytest.mark.django_db

KNOWN, UNKNOWN = "known@example.com", "other@example.com"
PASSWORD = "difference engine 1842"
CHANGING = re.compile(
    r'name="(?:csrfmiddlewaretoken|submit_key)" value="[^"]*"|N\d{9,}|cs_test_\w+|\b\w{3,4}-\w{3,4}\b'
)
Way = Callable[[str], Any]


@pytest.fixture(autouse=True)
def _somebody_has_an_account() -> None:
    person = UserFactory(email=KNOWN, password=PASSWORD)
    person.emailaddress_set.create(email=KNOWN, verified=True, primary=True)


def send(address: str, **typed: str) -> Any:
    cache.clear()
    client = Client()
    return submit(client, client.get(address), address, typed, follow=True)


def sign_in(email: str) -> Any:
    return send("/accounts/login/", login=email, password="not the password")


def sign_up(email: str) -> Any:
    return send("/accounts/signup/", email=email, password1=PASSWORD)


def ask_for_a_new_password(email: str) -> Any:
    return send("/accounts/password/reset/", email=email)


def buy_as_a_guest(email: str) -> Any:
    client = Client()
    make_delivery()
    client.post("/cart/add/", {"variant": VariantFactory(stock=5).pk})
    typed = {
        "email": email, "name": "Ada Lovelace", "street": "Unter den Linden 1",
        "postcode": "10117", "city": "Berlin", "country": "DE",
    }  # fmt: skip
    return submit(client, client.get("/checkout/"), "/checkout/", typed)


def show(answer: Any, email: str) -> str:
    """Return what is seen of an answer, without what is random in every one."""
    steps = [*getattr(answer, "redirect_chain", []), answer.headers.get("Location", "")]
    seen = f"{answer.status_code} {steps} {answer.content.decode()}"
    return CHANGING.sub("", seen).replace(email, "EMAIL")


@pytest.mark.parametrize("way", [sign_in, sign_up, ask_for_a_new_password])
def test_the_answer_to_a_known_address_is_that_to_an_unknown_one(way: Way) -> None:
    known, unknown = way(KNOWN), way(UNKNOWN)

    assert show(known, KNOWN) == show(unknown, UNKNOWN)
    mails = list(Mail.objects.values_list("recipient", flat=True))
    assert mails.count(KNOWN) == mails.count(UNKNOWN) <= 1


def test_a_guest_may_buy_with_any_address(simulator: Simulator) -> None:
    known, unknown = buy_as_a_guest(KNOWN), buy_as_a_guest(UNKNOWN)

    assert known.status_code == unknown.status_code == 302
    assert known.headers["Location"].startswith(simulator.url)
    assert show(known, KNOWN) == show(unknown, UNKNOWN)
    assert set(Order.objects.values_list("email", "user")) == {(KNOWN, None), (UNKNOWN, None)}


@pytest.mark.parametrize("way", [sign_in, sign_up])
def test_a_password_is_hashed_as_often_for_either(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    hash_ = Argon2PasswordHasher.encode
    verify = Argon2PasswordHasher.verify

    def count(method: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            counts[-1] += 1
            return method(*args, **kwargs)

        return counted

    monkeypatch.setattr(Argon2PasswordHasher, "encode", count(hash_))
    monkeypatch.setattr(Argon2PasswordHasher, "verify", count(verify))
    for email in (KNOWN, UNKNOWN):
        counts.append(0)
        way(email)

    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(
    ("way", "name"),
    [(sign_up, "account_signup"), (ask_for_a_new_password, "account_reset_password")],
)
def test_neither_is_answered_before_the_other(
    way: Way, name: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FORMS_ANSWER_AFTER_SECONDS = {name: 30}
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=slept.append)
    monkeypatch.setattr("accounts.middleware.waiting.time", clock)

    for email in (KNOWN, UNKNOWN):
        way(email)

    assert [round(seconds, -1) for seconds in slept if seconds] == [30, 30]


def test_too_many_tries_are_refused_alike() -> None:
    def try_often(email: str) -> str:
        cache.clear()
        client = Client()
        page = client.get("/accounts/login/")
        typed = {"login": email, "password": "not the password"}
        answers = [submit(client, page, "/accounts/login/", typed) for _try in range(7)]
        assert answers[0].content != answers[-1].content
        return show(answers[-1], email)

    assert try_often(KNOWN) == try_often(UNKNOWN)
