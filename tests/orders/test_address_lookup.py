"""Addresses are proposed while a street is typed, where the shop has a geocoder; else nothing is."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client

from bench.server import free_port
from shop.limits import ACTIONS, MINUTE, Action, Limit
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.forms import read_form
from tests.journeys.shopper import Shopper, words_of
from tests.orders.photon import Photon, address, running_photon

pytestmark = pytest.mark.django_db

ADDRESS = "/checkout/addresses/"


@pytest.fixture
def photon(settings: Any) -> Iterator[Photon]:
    with running_photon() as photon:
        settings.PHOTON_URL = photon.url
        photon.knows = [address("Unter den Linden", "1")]
        yield photon


@pytest.fixture
def shopper() -> Shopper:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory())
    return shopper


def ask(shopper: Shopper, street: str, **typed: str) -> Any:
    answer = shopper.client.post(
        ADDRESS, read_form(shopper.open_checkout(), "/checkout/") | {"street": street} | typed
    )
    assert answer.status_code == 200
    return answer


def proposals(answer: Any) -> list[str]:
    return [
        unescape(text) for text in re.findall(r"<button[^>]*>([^<]*)</button>", words_of(answer))
    ]


def test_addresses_in_the_chosen_country_are_proposed(shopper: Shopper, photon: Photon) -> None:
    photon.knows = [
        address("Unter den Linden", "1"),
        address("Unter den Linden", "1"),
        address("Unter den Linden", "1", countrycode="AT", postcode="1010", city="Wien"),
        address("Rue de Rivoli", "1", countrycode="FR", postcode="75001", city="Paris"),
        address("Nowhere", "1", city=""),
        {"type": "Feature", "properties": None},
        "nonsense",
    ]

    answer = ask(shopper, "Unter den", city="Berlin")

    assert proposals(answer) == ["Unter den Linden 1, 10117 Berlin"]
    assert "1 address found, it follows." in words_of(answer)
    assert photon.asked == ["Unter den Berlin"]
    assert proposals(ask(shopper, "Rue de", country="FR")) == ["1 Rue de Rivoli, 75001 Paris"]


def test_the_number_that_was_typed_stays_when_only_the_street_is_known(
    shopper: Shopper, photon: Photon
) -> None:
    photon.knows = [address("Unter den Linden")]

    assert proposals(ask(shopper, "Unter den Lin 12a")) == ["Unter den Linden 12a, 10117 Berlin"]


def test_the_address_that_is_picked_comes_back_in_its_fields(
    shopper: Shopper, photon: Photon
) -> None:
    values = re.search(r'hx-vals="([^"]*)"', words_of(ask(shopper, "Unter den")))
    assert values
    picked = json.loads(unescape(values[1]))

    page = shopper.client.post(
        ADDRESS, read_form(shopper.open_checkout(), "/checkout/") | picked | {"name": "Ada"}
    )

    found = dict(re.findall(r'name="(\w+)" value="([^"]*)"', words_of(page)))
    assert (found["street"], found["postcode"], found["city"]) == (
        "Unter den Linden 1", "10117", "Berlin",
    )  # fmt: skip
    assert re.search(r'name="street"[^>]*autofocus', words_of(page))


@pytest.mark.parametrize("street", ["", "Unt", "12 3", "  a b c "])
def test_nobody_is_asked_about_less_than_four_letters(
    shopper: Shopper, photon: Photon, street: str
) -> None:
    assert proposals(ask(shopper, street)) == []
    assert photon.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 302},
        {"body": b"<html>"},
        {"body": b"[]"},
        {"body": b'{"features": 7}'},
        {"body": b'{"features": []}' + b" " * 200_000},
        {"seconds": 2.4},
    ],
    ids=["error", "redirect", "no JSON", "no object", "no list", "endless", "slow"],
)
def test_a_geocoder_that_fails_costs_nothing_but_its_proposals(
    shopper: Shopper, photon: Photon, fault: dict[str, Any]
) -> None:
    for name, value in fault.items():
        setattr(photon, name, value)
    start = time.monotonic()

    answer = ask(shopper, "Unter den")

    assert answer.content.strip() == b""
    assert time.monotonic() - start < 3.5


def test_a_geocoder_that_failed_is_left_alone_for_a_while(shopper: Shopper, photon: Photon) -> None:
    photon.status = 500
    ask(shopper, "Unter den")
    photon.status = 200

    assert proposals(ask(shopper, "Unter den")) == []
    assert len(photon.asked) == 1


def test_a_geocoder_that_is_away_is_no_fault(shopper: Shopper, settings: Any) -> None:
    settings.PHOTON_URL = f"http://127.0.0.1:{free_port()}"

    assert proposals(ask(shopper, "Unter den")) == []


def test_one_cart_asks_only_so_often(
    shopper: Shopper, photon: Photon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACTIONS, "geocoder", Action((Limit("cart", 2, MINUTE),)))

    found = [len(proposals(ask(shopper, "Unter den"))) for _ in range(3)]

    assert found == [1, 1, 0]
    assert len(photon.asked) == 2


def test_nobody_without_a_cart_is_answered(photon: Photon) -> None:
    answer = Client().post(ADDRESS, {"street": "Unter den Linden"})

    assert answer.content == b""
    assert photon.asked == []


def test_what_was_typed_is_written_to_no_log(
    shopper: Shopper, photon: Photon, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        ask(shopper, "Unter den")
        photon.body = b"?"
        ask(shopper, "Unter den Lin")

    told = [record for record in caplog.records if not record.name.startswith("django.db")]
    assert not [record for record in told if "Unter" in record.getMessage()]


def test_a_shop_without_a_geocoder_has_nothing_of_it(shopper: Shopper) -> None:
    page = words_of(shopper.open_checkout())

    assert "lookahead" not in page
    assert ADDRESS not in page
    assert shopper.client.post(ADDRESS, shopper.fill()).status_code == 404
