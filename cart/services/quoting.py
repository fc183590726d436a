"""From a cart to a quote: today's prices, the place's taxes, the chosen delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from cart.pricing.fingerprint import fingerprint
from cart.pricing.quote import DeliveryOffer, PricedItem, Quote, compute_quote
from cart.queries import CartLine, list_delivery_offers
from shop.queries import get_tax_rates


@dataclass(frozen=True, slots=True)
class QuotedCart:
    """A quote with the lines and the delivery offers that it was made of."""

    lines: list[CartLine]
    offers: list[DeliveryOffer]
    quote: Quote

    @property
    def fingerprint(self) -> str:
        """Tell in a form which lines the shopper agrees to."""
        return fingerprint((line.variant_id, line.quantity, line.unit_price) for line in self.lines)


def quote_lines(
    lines: Iterable[CartLine], *, country: str, region: str = "", delivery_code: str = ""
) -> QuotedCart:
    """Price lines for a place; an unknown delivery code falls back to the first offer."""
    lines = list(lines)
    offers = list_delivery_offers(lines, country=country)
    chosen = next((offer for offer in offers if offer.code == delivery_code), None)
    if chosen is None and offers:
        chosen = offers[0]
    quote = compute_quote(
        (
            PricedItem(line.variant_id, line.tax_class_id, line.unit_price, line.quantity)
            for line in lines
        ),
        delivery=chosen,
        rates=get_tax_rates(country=country, region=region),
        currency=settings.SHOP_CURRENCY,
        prices_include_tax=settings.SHOP_PRICES_INCLUDE_TAX,
    )
    return QuotedCart(lines=lines, offers=offers, quote=quote)
