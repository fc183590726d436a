"""Requests that are made to take long are refused early, or answered as cheaply as any."""

from __future__ import annotations

import json
import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from payments.models import ProviderEvent
from payments.simulator.running import Simulator
from payments.simulator.webhooks import signature_header
from tests.factories.catalog import BuyableProductFactory, CategoryFactory
from tests.payments.events import WEBHOOK
from tests.payments.simulated import WEBHOOK_SECRET

pytestmark = pytest.mark.django_db

PAGES = ["1000000000", "9" * 400, "-1", "0", "1e9", "%00"]
BOMBS = {
    "a thousand values": "&".join(f"colour=c{number}" for number in range(1000)),
    "a thousand filters": "&".join(f"f{number}=x" for number in range(1000)),
    "a long value": "colour=" + "x" * 7000,
    "a long search": "q=" + "a" * 7000,
    "many words": "q=" + "+".join(["cup"] * 1500),
    "wild words": "q=" + "%25_%5C" * 500,
    "a price of digits": "price_min=" + "9" * 5000,
}

MOST_MORE = 8
"""A search that finds nothing asks how its words may have been meant; the words are bounded."""


@pytest.fixture
def listing() -> str:
    category = CategoryFactory()
    BuyableProductFactory(category=category)
    return f"/categories/{category.path}/"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_beyond_the_last_costs_what_any_page_costs(listing: str, page: str) -> None:
    browser = Client()
    browser.get(listing)
    with CaptureQueriesContext(connection) as usual:
        browser.get(listing)

    for path in (listing, "/search/"):
        with CaptureQueriesContext(connection) as asked:
            answer = browser.get(f"{path}?page={page}")

        assert answer.status_code in (200, 301, 302, 404)
        assert len(asked) <= len(usual) + 2


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_heap_of_filters_is_answered_with_the_usual_statements(listing: str, bomb: str) -> None:
    browser = Client()
    for path, usual in ((listing, "colour=moss"), ("/search/", "q=nowhere")):
        browser.get(f"{path}?{usual}")
        with CaptureQueriesContext(connection) as known:
            browser.get(f"{path}?{usual}")
        with CaptureQueriesContext(connection) as asked:
            answer = browser.get(f"{path}?{BOMBS[bomb]}")

        assert answer.status_code in (200, 301, 302, 400, 404, 414)
        assert len(asked) <= len(known) + MOST_MORE
        assert len(answer.content) < 200_000


def test_a_form_with_more_fields_than_any_of_ours_is_refused_unread() -> None:
    browser = Client()

    many = browser.post("/cart/add/", {f"field-{number}": "1" for number in range(2001)})
    large = browser.post("/cart/add/", {"variant": "1" * 3_000_000})

    assert (many.status_code, large.status_code) == (400, 400)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 100_000, 400),
        ('{"a":' * 100_000, 400),
        ('{"id": "evt_deep", "type": "a", "data": ' + "[" * 70 + "]" * 70 + "}", 400),
        ('{"id": "evt_1", "n": ' + "9" * 100_000 + "}", 400),
        (" " * 600_000, 413),
    ],
    ids=["lists", "objects", "deeper than any event", "a number", "half a megabyte and more"],
)
def test_a_signed_body_that_is_made_to_hurt_is_refused_and_not_kept(
    simulator: Simulator, body: str, status: int
) -> None:
    began_at = time.monotonic()

    answer = Client().post(
        WEBHOOK,
        body,
        content_type="application/json",
        headers={"Stripe-Signature": signature_header(body, WEBHOOK_SECRET, at=int(time.time()))},
    )

    assert answer.status_code == status
    assert ProviderEvent.objects.count() == 0
    assert time.monotonic() - began_at < 5


def test_a_signature_of_other_bytes_is_refused(simulator: Simulator) -> None:
    body = json.dumps({"id": "evt_1", "type": "charge.refunded", "data": {"object": {}}})
    signature = signature_header(body, WEBHOOK_SECRET, at=int(time.time()))

    for changed in (body.replace("evt_1", "evt_2"), body + " ", body[:-1], body.upper()):
        answer = Client().post(
            WEBHOOK, changed, content_type="application/json",
            headers={"Stripe-Signature": signature},
        )  # fmt: skip
        assert answer.status_code == 400
    for wrong_type in ("text/html", "multipart/form-data; boundary=x", "application/xml"):
        answer = Client().post(
            WEBHOOK, body, content_type=wrong_type, headers={"Stripe-Signature": "t=1,v1=00"}
        )
        assert answer.status_code == 400

    assert ProviderEvent.objects.count() == 0
