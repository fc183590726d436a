"""The simulator's hosted page, as a shopper's browser without scripts meets it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
import stripe

from payments.simulator.running import Simulator, running_simulator
from tests.payments.simulated import CANCEL_URL, client_of, mug, session_parameters


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> stripe.StripeClient:
    return client_of(simulator)


@pytest.fixture
def session(client: stripe.StripeClient) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(params=session_parameters())


def status_of(client: stripe.StripeClient, session: stripe.checkout.Session) -> tuple[str, str]:
    known = client.v1.checkout.sessions.retrieve(session.id)
    return known.status, known.payment_status


def test_the_page_shows_shop_items_and_total(session: stripe.checkout.Session) -> None:
    page = httpx.get(session.url)

    assert page.status_code == 200
    assert "Emporium" in page.text
    assert "Stoneware mug, moss" in page.text
    assert "2 × €18.50" in page.text
    assert "€37.00" in page.text
    assert "no money moves" in page.text


def test_the_page_speaks_the_locale_of_the_session(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(params=session_parameters(locale="de"))

    assert "37,00\xa0€" in httpx.get(session.url).text


def test_a_currency_without_decimals_is_shown_without(client: stripe.StripeClient) -> None:
    line = mug(quantity=1, unit_amount=1850, currency="jpy")
    session = client.v1.checkout.sessions.create(params=session_parameters(line_items=[line]))

    assert "¥1,850" in httpx.get(session.url).text


def test_the_page_has_no_scripts_and_a_policy_that_allows_the_way_back(
    simulator: Simulator, session: stripe.checkout.Session
) -> None:
    page = httpx.get(session.url)

    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; form-action 'self' http://shop.example; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert re.search(r"<script|style=|\son\w+=", page.text) is None
    assert (
        httpx.get(f"{simulator.url}/simulator.css").headers["Content-Type"].startswith("text/css")
    )


def test_approving_sends_the_shopper_back_paid(
    client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    answer = httpx.post(session.url, data={"choice": "approve"})

    assert answer.status_code == 303
    assert answer.headers["Location"] == (
        f"http://shop.example/orders/E-1001/?session={session.id}"
    )
    assert status_of(client, session) == ("complete", "paid")


def test_approving_twice_pays_once(
    client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    answers = [httpx.post(session.url, data={"choice": "approve"}) for _click in range(2)]

    assert {answer.status_code for answer in answers} == {303}
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    paid = client.v1.events.list(params={"type": "charge.succeeded"}).data
    assert len(paid) == 1


def test_a_declined_card_is_told_and_can_be_tried_again(
    client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    page = httpx.post(session.url, data={"choice": "decline"}, follow_redirects=True)

    assert "Your card was declined." in page.text
    assert "Nothing was charged." in page.text
    assert status_of(client, session) == ("open", "unpaid")
    httpx.post(session.url, data={"choice": "approve"})
    assert status_of(client, session) == ("complete", "paid")


def test_three_d_secure_is_confirmed_on_a_page_of_its_own(
    client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    page = httpx.post(
        session.url, data={"choice": "challenge", "webhook": "never"}, follow_redirects=True
    )

    assert page.url.path.endswith("/challenge")
    assert 'name="webhook" value="never"' in page.text
    known = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]})
    assert known.payment_intent.status == "requires_action"
    answer = httpx.post(f"{session.url}/challenge", data={"choice": "approve"})
    assert answer.headers["Location"].startswith("http://shop.example/orders/E-1001/")
    assert status_of(client, session) == ("complete", "paid")
    intent = client.v1.payment_intents.retrieve(
        known.payment_intent.id, params={"expand": ["latest_charge"]}
    )
    card = intent.latest_charge.payment_method_details.card
    assert card.three_d_secure.result == "authenticated"


def test_a_failed_three_d_secure_leads_back_to_the_choices(
    client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    httpx.post(session.url, data={"choice": "challenge"})

    page = httpx.post(f"{session.url}/challenge", data={"choice": "decline"}, follow_redirects=True)

    assert "could not confirm that it is you" in page.text
    assert status_of(client, session) == ("open", "unpaid")


def test_cancelling_leads_back_to_the_shop_and_keeps_the_session_open(
    client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    answer = httpx.post(session.url, data={"choice": "cancel"})

    assert (answer.status_code, answer.headers["Location"]) == (303, CANCEL_URL)
    assert status_of(client, session) == ("open", "unpaid")


def test_a_paid_session_says_so_instead_of_asking_again(
    simulator: Simulator, session: stripe.checkout.Session
) -> None:
    simulator.approve(session.id)

    page = httpx.get(session.url)

    assert "€37.00 paid to Emporium" in page.text
    assert "<form" not in page.text


def test_an_expired_session_cannot_be_paid(
    simulator: Simulator, client: stripe.StripeClient, session: stripe.checkout.Session
) -> None:
    simulator.expire(session.id)

    page = httpx.post(session.url, data={"choice": "approve"}, follow_redirects=True)

    assert "This payment page is closed" in page.text
    assert status_of(client, session) == ("expired", "unpaid")


def test_an_unknown_payment_is_told_kindly(simulator: Simulator) -> None:
    page = httpx.get(f"{simulator.url}/pay/cs_test_nothing")

    assert page.status_code == 404
    assert "There is no payment at this address" in page.text


def test_a_product_name_cannot_smuggle_markup(client: stripe.StripeClient) -> None:
    line = mug()
    line["price_data"]["product_data"]["name"] = "<script>alert(1)</script>"
    session = client.v1.checkout.sessions.create(params=session_parameters(line_items=[line]))

    assert "<script>" not in httpx.get(session.url).text
