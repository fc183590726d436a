"""Who is signed in may let the provider keep a card; the shop sees four digits, and only theirs."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from orders.access import order_url
from orders.models import Order
from orders.services import payment
from payments.models import Customer, PaymentAttempt
from payments.services import customers
from payments.simulator import customers as their_customers
from payments.simulator.running import Simulator
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.forms import submit
from tests.journeys.shopper import attempt_of, session_of
from tests.outbox import deliver_outbox
from tests.shared import shared

pytestmark = pytest.mark.django_db
PAGE = "/account/cards/"


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator) -> Iterator[None]:
    yield
    simulator.provider.faults.clear()


def sign_in(person: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def start(person: User | None) -> Order:
    order = place_order(VariantFactory(stock=3), user=person)
    payment.start(order)
    return order


def save_a_card(simulator: Simulator, person: User) -> str:
    """Pay signed in, and let the provider keep the card; return its id there."""
    order = start(person)
    simulator.approve(session_of(order), saves_card=True)
    payment.check(order)
    deliver_outbox()
    return customers.list_cards(person)[0].card_id


def session(simulator: Simulator, order: Order) -> dict[str, Any]:
    found = simulator.provider.store.get("checkout.session", session_of(order))
    assert found is not None
    return found


def test_a_guest_is_not_made_a_customer(simulator: Simulator) -> None:
    opened = session(simulator, start(None))

    assert (opened["customer"], opened["saved_payment_method_options"]) == (None, None)
    assert opened["customer_email"] == "ada@example.com"
    assert not Customer.objects.exists()


def test_somebody_signed_in_is_made_one_customer_and_asked_whether_to_save(
    simulator: Simulator,
) -> None:
    person = UserFactory(email="ada@example.com")

    first, second = (session(simulator, start(person)) for _ in range(2))

    customer = Customer.objects.get()
    assert first["customer"] == second["customer"] == customer.provider_id
    assert first["saved_payment_method_options"]["payment_method_save"] == "enabled"
    assert first["customer_email"] is None
    theirs = simulator.provider.store.get("customer", customer.provider_id)
    assert theirs is not None
    assert (theirs["email"], theirs["metadata"]) == ("ada@example.com", {"key": customer.key})


def test_paypal_keeps_no_cards_for_the_shop(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3), user=UserFactory(), provider="paypal")
    payment.start(order)

    assert attempt_of(order).customer is None


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "error_500_after"])
def test_a_customer_whose_making_was_not_answered_is_made_once(
    simulator: Simulator, kind: str
) -> None:
    before = len(list_customers(simulator))
    order = place_order(VariantFactory(stock=3), user=UserFactory())
    simulator.add_fault("customers.create", kind, seconds=0.01)
    with pytest.raises(Exception, match="does not answer"):
        payment.start(order)

    payment.start(order)

    assert len(list_customers(simulator)) == before + 1
    assert session(simulator, order)["customer"] == Customer.objects.get().provider_id


def list_customers(simulator: Simulator) -> list[dict[str, Any]]:
    return simulator.provider.store.list_documents("customer", [], limit=1000)


def test_a_customer_deleted_at_the_provider_can_still_pay(simulator: Simulator) -> None:
    person = UserFactory()
    start(person)
    gone = Customer.objects.get()
    their_customers.delete(simulator.provider, gone.provider_id)

    order = start(person)

    assert session(simulator, order)["customer"] is None
    assert not Customer.objects.exists()
    assert session(simulator, start(person))["customer"] not in (None, gone.provider_id)


def test_the_page_shows_the_card_and_nothing_that_could_be_paid_with(simulator: Simulator) -> None:
    person = UserFactory()
    card_id = save_a_card(simulator, person)

    answer = sign_in(person).get(PAGE)

    page = " ".join(answer.content.decode().split())
    assert "Visa •••• 4242" in page
    assert "valid until 12/2034" in page
    assert f"{PAGE}{card_id}/remove/" in page
    assert '<meta name="robots" content="noindex">' in page
    assert not re.search(r"\d{12,}", re.sub(r'value="[^"]*"|pm_\w+', "", page))


def test_a_card_that_nobody_wanted_to_save_is_not_kept(simulator: Simulator) -> None:
    person = UserFactory()
    order = start(person)
    simulator.approve(session_of(order))

    page = sign_in(person).get(PAGE).content.decode()

    assert "No saved cards" in page
    payment.check(order)
    deliver_outbox()


def test_a_card_is_removed_by_a_form_and_by_its_owner_only(simulator: Simulator) -> None:
    owner, stranger = UserFactory(), UserFactory()
    card_id = save_a_card(simulator, owner)
    path = f"{PAGE}{card_id}/remove/"
    client = sign_in(owner)
    page = client.get(PAGE)

    assert client.get(path).status_code == 405
    assert client.post(path).status_code == 403
    other = Client()
    other.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    assert other.post(path).status_code == 404
    assert other.post(f"{PAGE}pm_nothing/remove/").status_code == 404
    assert Client().post(path).status_code == 302
    assert len(customers.list_cards(owner)) == 1

    submit(client, page, path)

    assert "The card is removed." in client.get(PAGE).content.decode()
    assert customers.list_cards(owner) == []
    assert submit(client, page, path).status_code == 404


def test_while_the_provider_is_away_the_page_says_so(simulator: Simulator) -> None:
    person = UserFactory()
    card_id = save_a_card(simulator, person)
    client = sign_in(person)
    page = client.get(PAGE)

    simulator.add_fault("payment_methods.list", "error_500_before", times=2)
    away = client.get(PAGE)
    failed = submit(client, page, f"{PAGE}{card_id}/remove/")

    assert away.status_code == 200
    assert "the payment provider does not answer" in away.content.decode()
    assert failed.status_code == 302
    shown = client.get(PAGE).content.decode()
    assert "The card could not be removed just now." in shown
    assert "4242" in shown


def test_a_stranger_is_asked_to_sign_in_first(client: Client) -> None:
    assert client.get(PAGE).url == f"/accounts/login/?next={PAGE}"  # type: ignore[attr-defined]


def test_an_attempt_goes_on_as_it_was_begun(simulator: Simulator) -> None:
    """The first answer was lost: asked again, the page is the same, though a user came by now."""
    order = place_order(VariantFactory(stock=3))
    simulator.add_fault("checkout.sessions.create", "timeout_after", seconds=0.01)
    with pytest.raises(Exception, match="does not answer"):
        payment.start(order)
    Order.objects.filter(pk=order.pk).update(user=UserFactory())
    order.refresh_from_db()

    payment.start(order)

    assert PaymentAttempt.objects.get().customer is None
    assert session(simulator, order)["customer"] is None


def test_who_only_has_the_orders_link_does_not_come_to_the_buyers_cards(
    simulator: Simulator,
) -> None:
    order = start(UserFactory())
    friend = Client()
    page = friend.get(order_url(order.number, language="en"), follow=True)
    assert page.status_code == 200

    answer = friend.post(f"/orders/{order.number}/pay/", follow=True)

    assert "Please sign in to pay for this order." in answer.content.decode()
    assert answer.redirect_chain[-1][0] == f"/orders/{order.number}/"


def test_what_is_sent_stands_in_stripes_own_description() -> None:
    path = shared("data/payments/stripe/spec3-2020-08-27-reduced.json.gz")
    spec = json.loads(gzip.decompress(path.read_bytes()))
    forms = "application/x-www-form-urlencoded"

    def members(address: str) -> set[str]:
        body = spec["paths"][address]["post"]["requestBody"]["content"][forms]
        return set(body["schema"]["properties"])

    assert {"customer", "customer_email"} <= members("/v1/checkout/sessions")
    assert {"email", "metadata"} <= members("/v1/customers")
    listed = spec["paths"]["/v1/payment_methods"]["get"]["parameters"]
    assert {"customer", "type", "limit"} <= {each["name"] for each in listed}
    assert "/v1/payment_methods/{payment_method}/detach" in spec["paths"]
