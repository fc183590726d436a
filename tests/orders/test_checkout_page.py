"""The checkout page: seven fields, a review that can be trusted, and nothing typed is ever lost."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cart.models import Cart, CartItem, ShippingBand, ShippingMethod, ShippingZone
from catalog.models import Product, StockLevel
from orders.models import Order, OrderAddress
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from shop.models import TaxRate
from tests.factories.accounts import UserFactory
from tests.factories.catalog import TaxClassFactory, VariantFactory
from tests.factories.orders import TYPED, make_delivery
from tests.forms import read_form
from tests.journeys.seller import reprice
from tests.journeys.shopper import Shopper, session_of, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shopper(simulator: Simulator) -> Shopper:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3, price=Decimal("24.00"), product__title="Dune mug"))
    return shopper


def assert_nothing_happened() -> None:
    assert Order.objects.count() == 0
    assert PaymentAttempt.objects.count() == 0
    assert StockLevel.objects.get().allocated == 0
    assert Cart.objects.get().is_open


def visible_fields(page: Any) -> list[str]:
    """Name the fields that a person fills in, in their order on the page."""
    form = words_of(page).partition('id="checkout"')[2]
    found = re.findall(r"<(?:input|select)[^>]*>", form)
    names = [
        re.search(r'name="(\w+)"', tag)[1]  # type: ignore[index]
        for tag in found
        if 'type="hidden"' not in tag and "name=" in tag
    ]
    return list(dict.fromkeys(names))


def deliver_everywhere(*countries: str) -> None:
    ShippingZone.objects.update(countries=["DE", *countries])


def test_a_guest_in_germany_fills_in_seven_fields_and_may_give_a_phone(shopper: Shopper) -> None:
    page = shopper.open_checkout()

    assert visible_fields(page) == [
        "homepage",  # Hidden from people: for programs that fill in all there is.
        *("email", "country", "name", "street", "postcode", "city", "phone"),
        *("shipping_method", "payment_method"),
    ]
    chosen = read_form(page, "/checkout/")
    assert (chosen["shipping_method"], chosen["payment_method"]) == ("standard", "stripe")


@pytest.mark.parametrize(
    ("country", "fields", "label"),
    [
        ("DE", ["postcode", "city"], "Postcode"),
        ("US", ["postcode", "city", "region"], "ZIP code"),
        ("GB", ["postcode", "city"], "Postcode"),
        ("IE", ["postcode", "city"], "Eircode"),
        ("HK", ["city", "region"], "Street and house number"),
    ],
)
def test_the_address_is_shaped_by_its_country(
    shopper: Shopper, country: str, fields: list[str], label: str
) -> None:
    deliver_everywhere(country)

    page = shopper.client.post(
        "/checkout/", shopper.fill() | {"country": country, "action": "update"}
    )

    shaped = [name for name in visible_fields(page) if name in ("postcode", "city", "region")]
    assert shaped == fields
    assert label in words_of(page)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ({"country": "GB", "postcode": "sw1a1aa", "city": "London"}, ("SW1A 1AA", "London", "")),
        (
            {"country": "US", "postcode": "94103", "city": "San Francisco", "region": "CA"},
            ("94103", "San Francisco", "CA"),
        ),
        ({"country": "HK", "city": "Central", "region": "Hong Kong Island"}, ("", "Central", None)),
        ({"country": "IE", "postcode": "d02af30", "city": "Dublin"}, ("D02 AF30", "Dublin", "")),
        ({"country": "IE", "postcode": "", "city": "Dublin"}, ("", "Dublin", "")),
        ({"country": "DE", "postcode": "D-10117", "city": "Berlin"}, ("10117", "Berlin", "")),
    ],
)
def test_addresses_of_other_countries_are_taken_and_tidied(
    shopper: Shopper, address: dict[str, str], kept: tuple[str, str, str | None]
) -> None:
    deliver_everywhere(address["country"])
    country = {"country": address["country"], "action": "update"}
    page = shopper.client.post("/checkout/", shopper.fill() | country)

    answer = shopper.place(page, **address)

    assert answer.status_code == 302, words_of(answer)
    found = OrderAddress.objects.get()
    assert (found.postcode, found.city) == kept[:2]
    assert kept[2] is None or found.region == kept[2]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"email": ""}, "Enter your email, so that we can send you the receipt."),
        ({"email": "ada@"}, "Enter an email like name@example.com."),
        ({"name": "  "}, "Enter the name for the parcel."),
        ({"street": ""}, "Enter the street and house number."),
        ({"postcode": ""}, "Enter the postcode."),
        ({"postcode": "1011"}, "Enter a postcode as it is written in Germany"),
        ({"city": ""}, "Enter the city or town."),
        ({"phone": "call me"}, "Enter a phone number such as +49 30 1234567."),
        ({"shipping_method": "carrier-pigeon"}, "This delivery is not offered for your address."),
    ],
)
def test_a_mistake_is_told_in_words_and_everything_typed_is_kept(
    shopper: Shopper, typed: dict[str, str], told: str
) -> None:
    answer = shopper.place(**{"name": "Ada <Lovelace>", **typed})

    page = words_of(answer)
    fields = read_form(answer, "/checkout/")
    assert answer.status_code == 200
    assert told in page
    for name, value in (TYPED | {"name": "Ada <Lovelace>"} | typed).items():
        if name not in ("shipping_method",):
            assert fields[name].strip() == value.strip()
    assert "Ada <Lovelace>" not in page
    assert_nothing_happened()


def test_what_was_typed_survives_a_detour(shopper: Shopper) -> None:
    shopper.place(email="ada@", name="Ada King")

    fields = read_form(shopper.open_checkout(), "/checkout/")

    assert (fields["email"], fields["name"]) == ("ada@", "Ada King")


def test_another_country_shows_its_delivery_and_total_before_anything_is_ordered(
    shopper: Shopper,
) -> None:
    zone = ShippingZone.objects.create(name="Far", countries=["CH"])
    method = ShippingMethod.objects.create(
        zone=zone, code="far", name="Far away", tax_class=TaxClassFactory()
    )
    ShippingBand.objects.create(method=method, minimum=0, price=Decimal("19.90"))

    page = shopper.client.post("/checkout/", shopper.fill() | {"country": "CH", "action": "update"})

    assert "Far away" in words_of(page)
    assert "Order and pay €43.90" in words_of(page)
    assert read_form(page, "/checkout/")["shipping_method"] == "far"
    assert_nothing_happened()


def test_a_country_that_is_not_delivered_to_cannot_be_chosen(shopper: Shopper) -> None:
    answer = shopper.place(country="KP")

    assert answer.status_code == 200
    assert "Choose a country from the list." in words_of(answer)
    assert_nothing_happened()


def test_placing_an_order_leads_to_the_provider(shopper: Shopper, simulator: Simulator) -> None:
    answer = shopper.place()

    order = Order.objects.get()
    assert answer.url == f"{simulator.url}/pay/{session_of(order)}"
    assert (order.total, order.email, order.status) == (
        Decimal("28.9000"),
        "ada@example.com",
        "pending",
    )


@pytest.mark.parametrize(
    "extra",
    [
        {"price": "0.01"},
        {"total": "0.01", "items_total": "0.01", "unit_price": "0.01"},
        {"currency": "JPY"},
        {"status": "placed", "payment_status": "paid", "paid_at": "2026-01-01"},
        {"user": "1", "user_id": "1", "number": "AAAAAAAA"},
        {"discount_total": "28.90", "quantity": "-5", "tax_total": "0"},
    ],
)
def test_fields_that_the_form_does_not_have_change_nothing(
    shopper: Shopper, extra: dict[str, str]
) -> None:
    shopper.place(**extra)

    order = Order.objects.get()
    assert (order.total, order.currency, order.status, order.payment_status) == (
        Decimal("28.9000"),
        "EUR",
        "pending",
        "pending",
    )
    assert (order.user, order.discount_total, order.tax_total) == (
        None,
        Decimal("0.0000"),
        Decimal("4.6100"),
    )
    assert order.lines.get().quantity == 1


@pytest.mark.parametrize("seen", ["0.01", "28.89", "28.91", "-28.90", "0", "2890"])
def test_a_total_that_was_tampered_with_is_shown_right_and_nothing_is_ordered(
    shopper: Shopper, seen: str
) -> None:
    answer = shopper.place(seen_total=seen)

    assert answer.status_code == 409
    assert "The total has changed since you saw it. Please check it again." in words_of(answer)
    assert "Order and pay €28.90" in words_of(answer)
    assert Decimal(read_form(answer, "/checkout/")["seen_total"]) == Decimal("28.90")
    assert_nothing_happened()


@pytest.mark.parametrize("seen", ["", "NaN", "Infinity", "1e400", "28,90", "€28.90"])
def test_a_total_that_is_no_number_orders_nothing(shopper: Shopper, seen: str) -> None:
    answer = shopper.place(seen_total=seen)

    assert answer.status_code == 200
    assert Decimal(read_form(answer, "/checkout/")["seen_total"]) == Decimal("28.90")
    assert_nothing_happened()


def test_a_price_that_changed_meanwhile_is_told_and_asked_about_once(shopper: Shopper) -> None:
    page = shopper.open_checkout()
    reprice("26.00")

    told = shopper.place(page)
    assert told.status_code == 409
    assert "Order and pay €30.90" in words_of(told)
    assert_nothing_happened()

    assert shopper.place(told).status_code == 302
    assert Order.objects.get().total == Decimal("30.9000")


def test_a_new_price_that_the_checkout_told_is_no_news_on_the_next_answer(
    shopper: Shopper,
) -> None:
    reprice("26.00")

    page = shopper.open_checkout()
    answer = shopper.place(page, email="ada@")

    assert "changed from €24.00 to €26.00" in words_of(page)
    assert "changed from €" not in words_of(answer)


def test_an_item_that_another_tab_swapped_for_one_of_the_same_price_is_not_ordered_unseen(
    shopper: Shopper, simulator: Simulator
) -> None:
    form = shopper.fill()
    shopper.client.post(f"/cart/items/{CartItem.objects.get().pk}/", {"quantity": "0"})
    shopper.put(VariantFactory(price=Decimal("24.00"), product__title="Rille vase"))

    told = shopper.client.post("/checkout/", form)

    assert told.status_code == 409
    assert "Your cart is not the one you saw here. Please check it again." in words_of(told)
    assert "Rille vase" in words_of(told)
    assert not Order.objects.exists()
    assert not StockLevel.objects.exclude(allocated=0).exists()
    assert shopper.place(told).status_code == 302
    assert Order.objects.get().lines.get().title == "Rille vase"


def test_an_address_is_not_kept_for_the_next_person_once_it_was_ordered_to(
    shopper: Shopper, simulator: Simulator
) -> None:
    shopper.place(name="Ada King")
    shopper.put(VariantFactory())

    assert read_form(shopper.open_checkout(), "/checkout/")["name"] == ""


def test_somebody_who_gives_an_order_up_finds_the_checkout_filled_in(
    shopper: Shopper, simulator: Simulator
) -> None:
    shopper.place(name="Ada King")
    order = Order.objects.get()

    page = shopper.client.get(f"/orders/{order.number}/")
    shopper.press(page, f"/orders/{order.number}/cancel/")

    fields = read_form(shopper.open_checkout(), "/checkout/")
    assert (fields["email"], fields["name"]) == ("ada@example.com", "Ada King")


def test_a_delivery_price_that_changed_meanwhile_is_told_too(shopper: Shopper) -> None:
    page = shopper.open_checkout()
    ShippingBand.objects.update(price=Decimal("6.90"))

    assert shopper.place(page).status_code == 409
    assert_nothing_happened()


def test_a_tax_rate_that_changed_meanwhile_changes_no_gross_price(shopper: Shopper) -> None:
    page = shopper.open_checkout()
    TaxRate.objects.update(percent=Decimal("16"))

    assert shopper.place(page).status_code == 302
    order = Order.objects.get()
    assert (order.total, order.tax_total) == (Decimal("28.9000"), Decimal("3.9900"))


def test_a_form_of_somebody_elses_cart_orders_nothing(shopper: Shopper) -> None:
    other = Cart.objects.create()

    for key in (str(other.submit_key), str(uuid4())):
        answer = shopper.place(submit_key=key)

        assert answer.status_code == 409
        assert "Your cart is not the one you saw here. Please check it again." in words_of(answer)
    other.delete()
    assert_nothing_happened()


def test_a_key_that_is_no_key_orders_nothing(shopper: Shopper) -> None:
    answer = shopper.place(submit_key="' OR 1=1 --")

    assert answer.status_code == 200
    assert read_form(answer, "/checkout/")["submit_key"] == str(Cart.objects.get().submit_key)
    assert_nothing_happened()


def test_without_a_token_nothing_is_ordered(shopper: Shopper) -> None:
    fields = shopper.fill()
    fields.pop("csrfmiddlewaretoken")

    assert shopper.client.post("/checkout/", fields).status_code == 403
    assert_nothing_happened()


def test_an_empty_cart_has_nothing_to_check_out(client: Any) -> None:
    answer = client.get("/checkout/", follow=True)

    assert answer.redirect_chain == [("/cart/", 302)]
    assert "Your cart is empty, so there is nothing to check out yet." in words_of(answer)


def test_a_session_that_expired_on_the_checkout_page_orders_nothing(shopper: Shopper) -> None:
    fields = shopper.fill()
    Session.objects.all().delete()

    answer = shopper.client.post("/checkout/", fields, follow=True)

    assert answer.redirect_chain == [("/cart/", 302)]
    assert_nothing_happened()


def test_pieces_that_somebody_else_took_lead_back_to_the_cart_which_says_so(
    shopper: Shopper,
) -> None:
    fields = shopper.fill()
    CartItem.objects.update(quantity=3)
    StockLevel.objects.update(on_hand=1)

    answer = shopper.client.post("/checkout/", fields, follow=True)

    assert answer.redirect_chain == [("/cart/", 302)]
    assert "Only 1 piece is left. Please lower the quantity." in words_of(answer)
    assert_nothing_happened()
    StockLevel.objects.update(on_hand=3)


def test_a_product_hidden_meanwhile_leads_back_to_the_cart_which_says_so(
    shopper: Shopper,
) -> None:
    fields = shopper.fill()
    Product.objects.update(status=Product.Status.DRAFT)

    answer = shopper.client.post("/checkout/", fields, follow=True)

    assert answer.redirect_chain == [("/cart/", 302)]
    assert "This is no longer for sale. Please take it out." in words_of(answer)
    assert_nothing_happened()


def test_somebody_signed_in_finds_their_email_and_name_filled_in(simulator: Simulator) -> None:
    make_delivery()
    shopper = Shopper()
    shopper.client.force_login(UserFactory(email="ada@example.com", name="Ada King"))
    shopper.put(VariantFactory())

    fields = read_form(shopper.open_checkout(), "/checkout/")

    assert (fields["email"], fields["name"]) == ("ada@example.com", "Ada King")
    shopper.place()
    assert Order.objects.get().user.email == "ada@example.com"


@pytest.mark.parametrize("count", [1, 200])
def test_checkout_and_placement_need_the_same_statements_whatever_the_cart_holds(
    simulator: Simulator, count: int
) -> None:
    make_delivery()
    # From somewhere that is counted: one statement, and one more asks for the alarm.
    shopper = Shopper(Client(enforce_csrf_checks=True, REMOTE_ADDR="203.0.113.7"))
    shopper.put(VariantFactory())
    cart = Cart.objects.get()
    CartItem.objects.bulk_create(
        CartItem(cart=cart, variant=variant, quantity=1, seen_price=variant.price)
        for variant in (VariantFactory() for _ in range(count - 1))
    )
    fields = shopper.fill()
    with CaptureQueriesContext(connection) as showing:
        page = shopper.open_checkout()
    with CaptureQueriesContext(connection) as placing:
        answer = shopper.client.post("/checkout/", fields)

    assert page.status_code == 200
    assert answer.url.startswith(f"{simulator.url}/pay/")
    order = Order.objects.get()
    assert (order.lines.count(), order.total) == (count, Decimal(24 * count) + Decimal("4.90"))
    assert (_statements(showing), _statements(placing)) == (7, 31)


def _statements(queries: CaptureQueriesContext) -> int:
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])
