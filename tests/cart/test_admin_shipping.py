from __future__ import annotations

from decimal import Decimal

import pytest

from cart.demo import add_delivery
from cart.models import ShippingBand, ShippingMethod, ShippingZone
from shop.demo import add_tax_rates
from tests.admin_forms import address, errors, sign_in, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> ShippingZone:
    """The demo shop's delivery; this is its home zone."""
    add_tax_rates()
    add_delivery()
    return ShippingZone.objects.get(name="Germany")


def test_country_belongs_to_one_zone_only(home: ShippingZone) -> None:
    answer = submit(
        sign_in(), address("cart_shippingzone", "change", home.pk), countries=["DE", "FR", "AT"]
    )

    assert errors(answer) == ["European Union delivers there already: AT, FR."]
    home.refresh_from_db()
    assert home.countries == ["DE"]


def test_zone_is_widened(home: ShippingZone) -> None:
    answer = submit(
        sign_in(), address("cart_shippingzone", "change", home.pk), countries=["JP", "DE"]
    )

    assert answer.status_code == 302, errors(answer)
    home.refresh_from_db()
    assert home.countries == ["DE", "JP"]


def test_price_of_a_band_is_changed(home: ShippingZone) -> None:
    standard = ShippingMethod.objects.get(zone=home, code="standard")

    answer = submit(
        sign_in(), address("cart_shippingmethod", "change", standard.pk), bands__0__price="5.90"
    )

    assert answer.status_code == 302, errors(answer)
    bands = ShippingBand.objects.filter(method=standard).values_list("minimum", "price")
    assert list(bands) == [(Decimal(0), Decimal("5.90")), (Decimal(80), Decimal(0))]


def test_small_parcels_always_have_a_price(home: ShippingZone) -> None:
    standard = ShippingMethod.objects.get(zone=home, code="standard")

    answer = submit(
        sign_in(), address("cart_shippingmethod", "change", standard.pk), bands__0__minimum="10"
    )

    assert errors(answer) == ["One band must begin at 0, or small parcels would have no price."]


def test_list_shows_prices_in_the_shops_currency(home: ShippingZone) -> None:
    page = sign_in().get(address("cart_shippingmethod", "changelist")).content.decode()

    assert "0: €4.90; 80: €0.00" in page
