"""The least that a purchase needs: somewhere to deliver to, something to pay with."""

from __future__ import annotations

from decimal import Decimal

from accounts.models import User
from cart.models import Cart, ShippingBand, ShippingMethod, ShippingZone
from cart.queries import get_cart_view
from cart.services import lines
from catalog.models import ProductVariant
from orders.models import Order
from orders.services import placement
from orders.services.placement import Address
from shop.models import TaxRate
from shop.money import Money
from tests.factories.catalog import TaxClassFactory

BERLIN = Address(
    name="Ada Lovelace",
    street="Unter den Linden 1",
    postcode="10117",
    city="Berlin",
    region="",
    country="DE",
)
TYPED = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "street": "Unter den Linden 1",
    "postcode": "10117",
    "city": "Berlin",
    "country": "DE",
    "shipping_method": "standard",
}


def make_delivery(*, price: str = "4.90", countries: tuple[str, ...] = ("DE", "FR")) -> None:
    """Offer one flat delivery, and tax standard goods with German VAT."""
    tax_class = TaxClassFactory()
    TaxRate.objects.get_or_create(
        tax_class=tax_class, country="DE", defaults={"name": "VAT", "percent": Decimal(19)}
    )
    zone, _ = ShippingZone.objects.get_or_create(
        name="Nearby", defaults={"countries": list(countries)}
    )
    method, is_new = ShippingMethod.objects.get_or_create(
        zone=zone, code="standard", defaults={"name": "Standard", "tax_class": tax_class}
    )
    if is_new:
        ShippingBand.objects.create(method=method, minimum=0, price=Decimal(price))


def make_cart(*variants: ProductVariant, quantity: int = 1) -> Cart:
    cart = Cart.objects.create()
    for variant in variants:
        lines.add(cart, variant_id=variant.pk, quantity=quantity)
    return cart


def place_order(
    *variants: ProductVariant,
    quantity: int = 1,
    provider: str = "stripe",
    user: User | None = None,
) -> Order:
    """Place an order for Berlin, with the flat delivery of `make_delivery`."""
    make_delivery()
    goods = sum((variant.price * quantity for variant in variants), Decimal(0))
    cart = make_cart(*variants, quantity=quantity)
    return placement.place(
        cart,
        email="ada@example.com",
        address=BERLIN,
        delivery_code="standard",
        submit_key=cart.submit_key,
        seen_total=Money(goods + Decimal("4.90"), "EUR"),
        seen_lines=get_cart_view(cart.pk).fingerprint,
        language="en",
        provider=provider,
        user=user,
    )
