"""The cart changes in one tab while the other pays: the order is what was shown, or there is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cart.models import Cart, CartItem
from catalog.models import StockLevel
from orders.models import Order
from orders.services import placement
from payments.simulator.running import Simulator
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.journeys.shopper import Shopper
from tests.races.threads import meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

DELIVERY = Decimal("4.90")


class Anything:
    """Equals whatever it is compared with, as if nobody compared."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


@pytest.fixture
def shopper() -> Shopper:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=9, price=Decimal("20.00")))
    return shopper


def change_to(tab: Shopper, quantity: int) -> Any:
    item = CartItem.objects.get()
    return tab.client.post(f"/cart/items/{item.pk}/", {"quantity": quantity})


def test_what_another_tab_changed_is_asked_about_and_not_ordered(
    simulator: Simulator, shopper: Shopper
) -> None:
    shown = shopper.fill()
    change_to(shopper.other_tab(), 3)

    answer = shopper.client.post("/checkout/", shown)

    assert answer.status_code == 409
    assert not Order.objects.exists()
    assert StockLevel.objects.get().allocated == 0
    accepted = shopper.place(answer)
    assert accepted.status_code == 302
    assert Order.objects.get().total == Decimal("60.00") + DELIVERY


def test_control_without_comparing_the_shopper_pays_what_was_never_shown(
    simulator: Simulator, shopper: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = shopper.fill()
    change_to(shopper.other_tab(), 3)
    place = placement._place
    blind = {"seen_total": Anything(), "seen_lines": Anything()}
    monkeypatch.setattr(placement, "_place", lambda cart, **rest: place(cart, **(rest | blind)))

    answer = shopper.client.post("/checkout/", shown)

    assert answer.status_code == 302
    assert Decimal(shown["seen_total"]) == Decimal("20.00") + DELIVERY
    assert Order.objects.get().total == Decimal("60.00") + DELIVERY


def test_paying_and_changing_at_the_same_moment_orders_what_was_shown_or_nothing(
    simulator: Simulator, shopper: Shopper
) -> None:
    shown = shopper.fill()
    tab, other = shopper.other_tab(), shopper.other_tab()

    answers = meeting_at(
        Cart.objects.all(),
        lambda: tab.client.post("/checkout/", shown),
        lambda: change_to(other, 3),
    )

    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    placed = answers[0].status_code == 302
    assert answers[0].status_code in (302, 409)
    assert Order.objects.count() == placed
    if placed:
        assert Order.objects.get().total == Decimal("20.00") + DELIVERY
        assert Order.objects.get().lines.get().quantity == 1
    assert StockLevel.objects.get().allocated == placed
