"""Whatever is in two carts, signing in makes one of them that has it all, once."""

from __future__ import annotations

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from cart.models import Cart, CartItem
from cart.queries import get_cart_view
from cart.services import carts
from catalog.models import ProductVariant
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory

pytestmark = pytest.mark.django_db

LIMIT = 9
STOCK = (0, 3, 50)
CONTENTS = st.dictionaries(st.sampled_from(range(len(STOCK))), st.integers(1, LIMIT))


@pytest.fixture
def variants() -> list[ProductVariant]:
    return [VariantFactory(stock=pieces) for pieces in STOCK]


@pytest.fixture
def user() -> User:
    return UserFactory()


def fill(cart: Cart, variants: list[ProductVariant], contents: dict[int, int]) -> None:
    CartItem.objects.bulk_create(
        CartItem(cart=cart, variant=variants[place], quantity=quantity, seen_price=1)
        for place, quantity in contents.items()
    )


@override_settings(SHOP_ORDER_QUANTITY_LIMIT=LIMIT)
@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(mine=CONTENTS, guests=CONTENTS, has_cart=st.booleans(), times=st.integers(1, 3))
def test_merging_loses_nothing_and_doubles_nothing(
    variants: list[ProductVariant],
    user: User,
    mine: dict[int, int],
    guests: dict[int, int],
    has_cart: bool,
    times: int,
) -> None:
    Cart.objects.all().delete()
    mine = mine if has_cart else {}
    if has_cart:
        fill(carts.open_cart(user), variants, mine)
    guest = carts.open_cart(None)
    fill(guest, variants, guests)

    merged = [carts.merge_at_sign_in(guest_cart_id=guest.pk, user=user) for _ in range(times)]

    cart = Cart.objects.get(user=user)
    assert {each.pk for each in merged} == {cart.pk}
    held = {item.variant_id: item.quantity for item in cart.items.all()}
    assert held == {
        variants[place].pk: min(mine.get(place, 0) + guests.get(place, 0), LIMIT)
        for place in mine.keys() | guests.keys()
    }
    guest.refresh_from_db()
    assert not guest.is_open
    # What is more than there is stays in the cart, which says so and is not ordered as it stands.
    view = get_cart_view(cart.pk)
    assert [line.can_be_bought for line in view.lines] == [
        line.quantity <= STOCK[[each.pk for each in variants].index(line.variant_id)]
        for line in view.lines
    ]
