"""The twelve most typical slips in the checkout, on the page: nothing typed is lost, nobody is
asked twice, and who is told that something is wrong is told how to mend it.
"""

from __future__ import annotations

from decimal import Decimal
from html import unescape

import pytest

from cart.models import ShippingZone
from orders.models import Order, OrderAddress
from payments.simulator.running import Simulator
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.forms import read_form
from tests.journeys.shopper import Shopper, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shopper(simulator: Simulator) -> Shopper:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(price=Decimal("24.00")))
    return shopper


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"email": "ada@gmail,com"}, {"email": "ada@gmail.com"}),
        ({"email": " ada @gmail.com."}, {"email": "ada@gmail.com"}),
        ({"email": "ada@@gmail.com"}, {"email": "ada@gmail.com"}),
        ({"email": "\u200bada＠gmail.com\ufeff"}, {"email": "ada@gmail.com"}),
        ({"postcode": "1O117"}, {"postcode": "10117"}),
        ({"postcode": "D-101 17"}, {"postcode": "10117"}),
        ({"postcode": "10117 Berlin", "city": ""}, {"postcode": "10117", "city": "Berlin"}),
        ({"postcode": "", "city": "10117 Berlin"}, {"postcode": "10117", "city": "Berlin"}),
        ({"name": " ADA\u200b  LOVELACE "}, {"name": "ADA LOVELACE"}),
        ({"phone": "Tel. (030) 1234-567"}, {"phone": "(030) 1234-567"}),
    ],
)
def test_what_can_mean_only_one_thing_is_mended_without_a_word(
    shopper: Shopper, typed: dict[str, str], kept: dict[str, str]
) -> None:
    answer = shopper.place(**typed)

    assert answer.status_code == 302, words_of(answer)
    order, address = Order.objects.get(), OrderAddress.objects.get()
    found = {"email": order.email} | {
        name: getattr(address, name) for name in ("name", "postcode", "city", "phone")
    }
    assert {name: found[name] for name in kept} == kept


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"email": "ada.gmail.com"}, "There is no @ in it. Enter an email like name@example.com."),
        ({"email": "ada@home@gmail.com"}, "There is more than one @ in it."),
        ({"email": "ada@example"}, "The ending is missing, such as .com."),
        ({"name": "ada@gmail.com"}, "This looks like an email. Enter the name of whoever gets"),
        ({"name": "12345"}, "Enter a name with letters in it."),
        ({"street": "12"}, "Enter the street, too, not only the number."),
        ({"postcode": "1011"}, "Enter a postcode as it is written in Germany, such as 26133."),
        ({"postcode": "80331", "city": "10117 Berlin"}, "Enter the city alone: another postcode"),
        ({"city": "10117"}, "Enter the name of the city or town."),
        ({"phone": "030 CALL ME 12"}, "Enter a phone number such as +49 30 1234567."),
        ({"phone": "123"}, "Enter a phone number such as +49 30 1234567."),
    ],
)
def test_what_is_wrong_is_told_with_how_to_mend_it_and_kept_as_it_was_typed(
    shopper: Shopper, typed: dict[str, str], told: str
) -> None:
    answer = shopper.place(**typed)

    fields = read_form(answer, "/checkout/")
    assert told in unescape(words_of(answer))
    assert {name: fields[name] for name in typed} == typed
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ({"email": "ada@gmial.com"}, "Did you mean ada@gmail.com?"),
        ({"email": "ada@gmail.con"}, "Did you mean ada@gmail.com?"),
        ({"email": "ada@hotmail.co"}, "Did you mean ada@hotmail.com?"),
        ({"street": "Unter den Linden"}, "Is there a house number? Add it if there is one."),
    ],
)
def test_what_is_doubtful_is_asked_once_and_then_taken_as_it_is(
    shopper: Shopper, typed: dict[str, str], asked: str
) -> None:
    question = shopper.place(**typed)
    words = words_of(question)

    assert question.status_code == 200
    assert words.count(asked) == 2, "first on the page, and beside its field"
    assert "Error:" not in words
    assert Order.objects.count() == 0

    assert shopper.place(question, **typed).status_code == 302
    order = Order.objects.get()
    assert {"email": order.email, "street": order.addresses.get().street}.items() >= typed.items()


def test_another_doubtful_value_is_asked_about_anew(shopper: Shopper) -> None:
    question = shopper.place(email="ada@gmial.com")

    other = shopper.place(question, email="ada@gmail.con")

    assert other.status_code == 200
    assert "Is this right?" in words_of(other)


def test_a_question_that_was_asked_is_remembered_over_a_fault_elsewhere(shopper: Shopper) -> None:
    question = shopper.place(email="ada@gmial.com")
    fault = shopper.place(question, email="ada@gmial.com", city="")

    assert "Enter the city or town." in words_of(fault)
    assert shopper.place(fault, email="ada@gmial.com").status_code == 302


def test_a_suggestion_is_taken_by_its_button_and_orders_nothing(shopper: Shopper) -> None:
    question = shopper.place(email="ada@gmial.com", name="Ada King")
    sent = shopper.fill(question, email="ada@gmial.com", name="Ada King") | {"take": "email"}
    del sent["action"]

    page = shopper.client.post("/checkout/", sent)

    fields = read_form(page, "/checkout/")
    assert (fields["email"], fields["name"]) == ("ada@gmail.com", "Ada King")
    assert Order.objects.count() == 0
    assert shopper.place(page, email=fields["email"]).status_code == 302


def test_an_email_without_its_ending_comes_with_a_suggestion_too(shopper: Shopper) -> None:
    answer = shopper.place(email="ada@gmail")

    assert "The ending is missing, such as .com." in words_of(answer)
    assert "Use ada@gmail.com" in words_of(answer)


def test_the_region_is_not_lost_when_the_delivery_is_updated(shopper: Shopper) -> None:
    ShippingZone.objects.update(countries=["DE", "US"])
    typed = {"country": "US", "region": "CA", "postcode": "94103", "action": "update"}

    page = shopper.client.post("/checkout/", shopper.fill() | typed)

    assert read_form(page, "/checkout/")["region"] == "CA"
