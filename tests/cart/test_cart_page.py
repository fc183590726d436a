"""The cart page: put in, change, take out, and be told in words what cannot be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Seller
from cart.models import Cart, CartItem
from cart.services.lines import MOST_LINES
from catalog.models import ProductVariant, StockLevel
from tests.factories.catalog import ImageAssetFactory, ProductImageFactory, VariantFactory
from tests.factories.orders import make_cart
from tests.forms import submit
from tests.journeys.seller import hide_product, hide_variant, reprice
from tests.journeys.shopper import Shopper, words_of

pytestmark = pytest.mark.django_db

NOT_WHOLE = "Enter how many as a whole number, such as 1 or 2."


@pytest.fixture
def shopper() -> Shopper:
    return Shopper()


def cart_page(shopper: Shopper) -> str:
    return words_of(shopper.client.get("/cart/"))


def quantities() -> list[int]:
    return list(CartItem.objects.order_by("id").values_list("quantity", flat=True))


def change(shopper: Shopper, quantity: str, item: CartItem | None = None) -> str:
    item = item or CartItem.objects.get()
    return words_of(
        shopper.client.post(f"/cart/items/{item.pk}/", {"quantity": quantity}, follow=True)
    )


def test_looking_at_the_cart_starts_neither_cart_nor_session(client: Client) -> None:
    answer = client.get("/cart/")

    assert "It is still empty" in words_of(answer)
    assert "sessionid" not in answer.cookies
    assert not Cart.objects.exists()
    assert not Session.objects.exists()


def test_the_first_add_starts_a_cart_and_the_second_uses_it(shopper: Shopper) -> None:
    variant = VariantFactory(stock=9)

    shopper.put(variant, 2)
    shopper.put(variant, 3)

    assert Cart.objects.count() == 1
    assert quantities() == [5]


def test_adding_without_a_quantity_adds_one(shopper: Shopper) -> None:
    shopper.client.post("/cart/add/", {"variant": VariantFactory().pk})

    assert quantities() == [1]


@pytest.mark.parametrize("quantity", ["-1", "1.5", "1e9", "NaN", "two", "0x10", "1 000", "½", "²"])
def test_adding_a_quantity_that_is_no_whole_number_adds_nothing(
    shopper: Shopper, quantity: str
) -> None:
    shopper.put(VariantFactory(), quantity)

    assert quantities() == []
    assert NOT_WHOLE in cart_page(shopper)


def test_adding_nothing_at_all_adds_nothing(shopper: Shopper) -> None:
    shopper.put(VariantFactory(), "0")

    assert quantities() == []
    assert NOT_WHOLE in cart_page(shopper)


@pytest.mark.parametrize("quantity", ["٣", "３", " 3 ", "+3", "3.0"])
def test_a_whole_number_may_be_written_in_any_script(shopper: Shopper, quantity: str) -> None:
    shopper.put(VariantFactory(), quantity)

    assert quantities() == [3]


@pytest.mark.parametrize("quantity", ["1000001", "1000000000", "9" * 30])
def test_a_number_beyond_all_measure_is_refused(shopper: Shopper, quantity: str) -> None:
    shopper.put(VariantFactory(), quantity)

    assert quantities() == []
    assert "That is more than anybody has. Enter a smaller number." in cart_page(shopper)


def test_of_a_parameter_sent_twice_the_last_one_counts(shopper: Shopper) -> None:
    variant = VariantFactory()

    shopper.client.post("/cart/add/", {"variant": variant.pk, "quantity": ["7", "2"]})

    assert quantities() == [2]


def test_more_than_there_is_gives_all_there_is_and_says_so(shopper: Shopper) -> None:
    shopper.put(VariantFactory(stock=3, product__title="Dune mug"), 5)

    assert quantities() == [3]
    assert "There are only 3 pieces of Dune mug; all of them are in your cart." in cart_page(
        shopper
    )


def test_no_line_grows_beyond_the_shops_limit(shopper: Shopper, settings: Any) -> None:
    settings.SHOP_ORDER_QUANTITY_LIMIT = 4
    variant = VariantFactory(stock=50)

    shopper.put(variant, 3)
    shopper.put(variant, 3)

    assert quantities() == [4]
    assert "You can order up to 4 pieces of " in cart_page(shopper)


def test_pieces_that_did_not_fit_on_top_of_those_in_the_cart_are_told(shopper: Shopper) -> None:
    variant = VariantFactory(stock=5, product__title="Dune mug")

    shopper.put(variant, 3)
    shopper.put(variant, 4)

    assert quantities() == [5]
    assert "There are only 5 pieces of Dune mug; all of them are in your cart." in cart_page(
        shopper
    )


def test_exactly_the_pieces_that_are_left_go_in_without_a_word(shopper: Shopper) -> None:
    variant = VariantFactory(stock=5)

    shopper.put(variant, 3)
    shopper.put(variant, 2)

    assert quantities() == [5]
    assert "There are only" not in cart_page(shopper)


def test_a_line_beyond_the_shops_limit_is_not_said_to_be_short_of_stock(
    shopper: Shopper, settings: Any
) -> None:
    shopper.put(VariantFactory(stock=50), 9)
    settings.SHOP_ORDER_QUANTITY_LIMIT = 4

    page = cart_page(shopper)

    assert "You can order up to 4 pieces at a time. Please lower the quantity." in page
    assert "left" not in page.split("<main")[1].split("</main")[0]


def test_what_is_made_to_order_has_no_stock_limit(shopper: Shopper) -> None:
    shopper.put(VariantFactory(tracks_stock=False), 50)

    assert quantities() == [50]


def test_a_sold_out_variant_is_not_put_in_and_the_shopper_is_told(shopper: Shopper) -> None:
    shopper.put(VariantFactory(stock=0, product__title="Dune mug"))

    assert quantities() == []
    assert "Dune mug is sold out." in cart_page(shopper)


def suspend_seller(variant: ProductVariant) -> None:
    Seller.objects.update(status=Seller.Status.SUSPENDED)


VANISHING = [hide_variant, hide_product, suspend_seller]


@pytest.mark.parametrize("vanish", VANISHING)
def test_what_is_no_longer_for_sale_is_not_put_in(shopper: Shopper, vanish: Any) -> None:
    variant = VariantFactory()
    vanish(variant)

    shopper.put(variant)

    assert quantities() == []
    assert "This is no longer for sale." in cart_page(shopper)


@pytest.mark.parametrize("variant", ["999999", "9" * 18, "9" * 40, "0", "-1", "", "mug"])
def test_a_variant_that_never_was_is_told(shopper: Shopper, variant: str) -> None:
    answer = shopper.client.post("/cart/add/", {"variant": variant, "quantity": "1"}, follow=True)

    page = words_of(answer)
    assert answer.status_code == 200
    assert "This is no longer for sale." in page or "Choose what to put in the cart." in page
    assert quantities() == []


@pytest.mark.parametrize("vanish", VANISHING)
def test_what_vanished_from_the_shop_stays_visible_in_the_cart_with_a_word(
    shopper: Shopper, vanish: Any
) -> None:
    variant = VariantFactory(product__title="Dune mug")
    shopper.put(variant)
    vanish(variant)

    page = cart_page(shopper)

    assert "Dune mug" in page
    assert "This is no longer for sale. Please take it out." in page
    assert shopper.open_checkout().url == "/cart/"


def test_a_product_that_was_deleted_leaves_the_cart(shopper: Shopper) -> None:
    variant = VariantFactory(tracks_stock=False, stock=0)
    shopper.put(variant)
    variant.product.delete()

    assert "It is still empty" in cart_page(shopper)


def test_a_line_is_changed_and_taken_out(shopper: Shopper) -> None:
    shopper.put(VariantFactory(stock=9), 2)

    change(shopper, "7")
    assert quantities() == [7]
    change(shopper, "0")
    assert quantities() == []


@pytest.mark.parametrize("quantity", ["-1", "1.5", "1e9", "NaN", "", "two", "²"])
def test_a_wrong_quantity_leaves_the_line_as_it_was(shopper: Shopper, quantity: str) -> None:
    shopper.put(VariantFactory(stock=9), 2)

    page = change(shopper, quantity)

    assert NOT_WHOLE in page
    assert quantities() == [2]


def test_a_change_to_more_than_there_is_is_cut_down_and_told(shopper: Shopper) -> None:
    shopper.put(VariantFactory(stock=3, product__title="Dune mug"), 1)

    page = change(shopper, "9")

    assert quantities() == [3]
    assert "There are only 3 pieces of Dune mug; all of them are in your cart." in page


def test_nobody_changes_a_line_of_another_cart(shopper: Shopper) -> None:
    foreign = make_cart(VariantFactory(), quantity=2).items.get()
    shopper.put(VariantFactory())

    page = change(shopper, "0", foreign)

    foreign.refresh_from_db()
    assert foreign.quantity == 2
    assert "That was no longer in your cart." in page


@pytest.mark.parametrize("item_id", ["0", "999999", "9" * 40])
def test_a_line_that_never_was_is_told(shopper: Shopper, item_id: str) -> None:
    shopper.put(VariantFactory())

    page = shopper.client.post(f"/cart/items/{item_id}/", {"quantity": "5"}, follow=True)

    assert "That was no longer in your cart." in words_of(page)
    assert quantities() == [1]


def test_after_the_session_expired_the_cart_is_empty_and_everything_answers(
    shopper: Shopper,
) -> None:
    variant = VariantFactory()
    shopper.put(variant)
    item = CartItem.objects.get()
    Session.objects.all().delete()

    assert "That was no longer in your cart." in change(shopper, "5", item)
    assert "It is still empty" in cart_page(shopper)
    assert shopper.open_checkout().url == "/cart/"
    shopper.put(variant)
    assert variant.product.title in cart_page(shopper)


def test_a_price_from_the_browser_is_not_even_read(shopper: Shopper) -> None:
    variant = VariantFactory(price=Decimal("24.00"))

    shopper.client.post(
        "/cart/add/",
        {"variant": variant.pk, "quantity": "1", "price": "0.01", "unit_price": "0.01"},
    )

    assert "€24.00" in cart_page(shopper)
    assert "€0.01" not in cart_page(shopper)


def test_a_new_price_is_told_with_the_old_one(shopper: Shopper) -> None:
    variant = VariantFactory(price=Decimal("24.00"), product__title="Dune mug")
    shopper.put(variant)
    reprice("26.50")

    page = cart_page(shopper)

    assert "The price of Dune mug changed from €24.00 to €26.50." in page
    assert "€26.50" in page


def test_a_new_price_is_news_until_the_shopper_does_something_on_the_page_that_told_it(
    shopper: Shopper,
) -> None:
    mug = VariantFactory(product__title="Dune mug")
    shopper.put(mug)
    shopper.put(VariantFactory())
    reprice("26.50")
    other = CartItem.objects.exclude(variant=mug).get()

    page = shopper.client.get("/cart/")
    again = cart_page(shopper)
    after = submit(shopper.client, page, f"/cart/items/{other.pk}/", {"quantity": "2"}, follow=True)

    assert "The price of Dune mug changed" in words_of(page)
    assert "The price of Dune mug changed" in again
    assert "changed from €" not in words_of(after)


def test_a_new_price_that_came_after_the_page_was_shown_is_still_told(shopper: Shopper) -> None:
    mug = VariantFactory(product__title="Dune mug")
    shopper.put(mug)
    shopper.put(VariantFactory())
    other = CartItem.objects.exclude(variant=mug).get()

    page = shopper.client.get("/cart/")
    reprice("26.50")
    after = submit(shopper.client, page, f"/cart/items/{other.pk}/", {"quantity": "2"}, follow=True)

    assert "The price of Dune mug changed from €24.00 to €26.50." in words_of(after)


def test_a_piece_that_somebody_else_took_is_told(shopper: Shopper) -> None:
    shopper.put(VariantFactory(stock=3), 3)
    StockLevel.objects.update(on_hand=1)

    assert "Only 1 piece is left. Please lower the quantity." in cart_page(shopper)
    StockLevel.objects.update(on_hand=3)


def test_a_form_from_another_site_changes_nothing(shopper: Shopper) -> None:
    variant = VariantFactory()
    shopper.put(variant)
    item = CartItem.objects.get()

    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "https://evil.example/"},
    ):
        added = shopper.client.post("/cart/add/", {"variant": variant.pk}, headers=headers)
        changed = shopper.client.post(f"/cart/items/{item.pk}/", {"quantity": "0"}, headers=headers)
        assert (added.status_code, changed.status_code) == (403, 403)

    assert quantities() == [1]


def test_the_drawer_answers_to_an_add_and_the_badge_counts(shopper: Shopper) -> None:
    variant = VariantFactory(product__title="Dune mug")

    drawer = shopper.client.post(
        "/cart/add/", {"variant": variant.pk, "quantity": "2"}, headers={"HX-Request": "true"}
    )

    assert drawer.status_code == 200
    assert "Dune mug" in words_of(drawer)
    assert drawer["HX-Trigger"] == "cart-changed"
    assert "2" in words_of(shopper.client.get("/cart/badge/"))


def test_the_cart_takes_three_hundred_different_things_and_then_says_so(
    shopper: Shopper,
) -> None:
    first = VariantFactory()
    shopper.put(first)
    more = [VariantFactory(product=first.product) for _ in range(MOST_LINES)]
    cart = Cart.objects.get()
    CartItem.objects.bulk_create(
        CartItem(cart=cart, variant=variant, quantity=1, seen_price=variant.price)
        for variant in more[:-1]
    )

    shopper.put(more[-1])

    assert cart.items.count() == MOST_LINES
    assert "Your cart holds 300 different things, as many as it can." in cart_page(shopper)
    shopper.put(first)
    assert cart.items.get(variant=first).quantity == 2


@pytest.mark.parametrize("count", [1, 200])
def test_the_cart_page_needs_the_same_few_statements_whatever_it_holds(
    shopper: Shopper, count: int
) -> None:
    first = VariantFactory()
    shopper.put(first)
    ProductImageFactory(product=first.product, asset=ImageAssetFactory())
    fill(Cart.objects.get(), count - 1)
    cart_page(shopper)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = cart_page(shopper)

    assert page.count('class="line line--cart"') == count
    assert len(queries) == 4


@pytest.mark.parametrize("count", [1, 200])
def test_adding_needs_the_same_few_statements_whatever_the_cart_holds(
    shopper: Shopper, count: int
) -> None:
    variant = VariantFactory()
    shopper.put(variant)
    fill(Cart.objects.get(), count - 1)

    with CaptureQueriesContext(connection) as queries:
        shopper.put(variant)

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 6, statements


def fill(cart: Cart, count: int) -> None:
    """Put many different things in, each of a product of its own."""
    CartItem.objects.bulk_create(
        CartItem(cart=cart, variant=variant, quantity=1, seen_price=variant.price)
        for variant in (VariantFactory() for _ in range(count))
    )
