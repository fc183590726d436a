"""Reads of the cart: its lines with today's prices and stock, and how it can be delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cart.models import CartItem, ShippingMethod
from cart.pricing.bands import Band, price_for
from cart.pricing.fingerprint import fingerprint
from cart.pricing.quote import DeliveryOffer
from catalog.queries import Picture, list_variant_pictures, product_url
from catalog.queries.rows import fetch_rows
from shop.formatting import format_money
from shop.money import Money, total


@dataclass(frozen=True, slots=True)
class CartLine:
    """A cart item beside what the catalogue says of it now. `available` None: stock not counted."""

    item_id: int
    variant_id: int
    product_id: int
    seller_id: int
    tax_class_id: int
    slug: str
    title: str
    label: str
    sku: str
    unit_price: Money
    seen_price: Money
    quantity: int
    weight_grams: int
    available: int | None
    is_for_sale: bool
    picture: Picture | None

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def max_quantity(self) -> int:
        limit: int = settings.SHOP_ORDER_QUANTITY_LIMIT
        if not self.is_for_sale:
            return 0
        return limit if self.available is None else min(self.available, limit)

    @property
    def can_be_bought(self) -> bool:
        return self.quantity <= self.max_quantity

    @property
    def url(self) -> str:
        return product_url(self.slug, sku=self.sku)

    @property
    def options_label(self) -> str:
        return self.label

    @property
    def notice(self) -> str:
        """What the shopper should know about this line before paying, in words."""
        if not self.is_for_sale:
            return _("This is no longer for sale. Please take it out.")
        if self.max_quantity == 0:
            return _("Sold out since you put it in. Please take it out.")
        if self.can_be_bought:
            return ""
        if self.available is not None and self.available <= settings.SHOP_ORDER_QUANTITY_LIMIT:
            return ngettext(
                "Only %(count)d piece is left. Please lower the quantity.",
                "Only %(count)d pieces are left. Please lower the quantity.",
                self.max_quantity,
            ) % {"count": self.max_quantity}
        return ngettext(
            "You can order %(count)d piece at a time. Please lower the quantity.",
            "You can order up to %(count)d pieces at a time. Please lower the quantity.",
            self.max_quantity,
        ) % {"count": self.max_quantity}

    @property
    def has_new_price(self) -> bool:
        return self.unit_price != self.seen_price


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart as its page, drawer and review show it."""

    lines: list[CartLine]
    currency: str
    notice: str = ""
    version: int = 0

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def is_empty(self) -> bool:
        return not self.lines

    @property
    def can_be_ordered(self) -> bool:
        return bool(self.lines) and all(line.can_be_bought for line in self.lines)

    @property
    def subtotal(self) -> Money:
        return total((line.total for line in self.lines), self.currency)

    @property
    def fingerprint(self) -> str:
        """Tell in a form what its page showed."""
        return fingerprint((line.variant_id, line.quantity, line.unit_price) for line in self.lines)

    @property
    def has_new_prices(self) -> bool:
        return any(line.has_new_price for line in self.lines)

    @property
    def shipping_hint(self) -> str:
        return _("Delivery is added at checkout.")

    @property
    def notices(self) -> list[str]:
        """What happened just now, and which prices changed since they were last seen."""
        changed = [
            _("The price of %(product)s changed from %(old)s to %(new)s.")
            % {
                "product": line.title,
                "old": format_money(line.seen_price),
                "new": format_money(line.unit_price),
            }
            for line in self.lines
            if line.has_new_price
        ]
        return [self.notice, *changed] if self.notice else changed


_LINES = """
SELECT item.id, item.variant_id, variant.product_id, product.seller_id, product.tax_class_id,
       product.slug, product.title, variant.label, variant.sku, variant.price, item.seen_price,
       item.quantity, variant.weight_grams,
       CASE WHEN variant.tracks_stock
            THEN greatest(coalesce(level.on_hand - level.allocated, 0), 0) END,
       variant.is_active AND product.status = 'active' AND seller.status = 'active',
       variant.image_id
FROM cart_cartitem item
JOIN catalog_productvariant variant ON variant.id = item.variant_id
JOIN catalog_product product ON product.id = variant.product_id
JOIN accounts_seller seller ON seller.id = product.seller_id
LEFT JOIN catalog_stocklevel level ON level.variant_id = variant.id
WHERE item.cart_id = %(cart)s
ORDER BY item.id
"""


def list_lines(cart_id: int | None) -> list[CartLine]:
    """Return a cart's lines, re-priced, in the order in which they were put in; two statements."""
    if cart_id is None:
        return []
    rows = fetch_rows(_LINES, {"cart": cart_id})
    pictures = list_variant_pictures({row[1]: (row[2], row[-1]) for row in rows})
    return [_line(row, pictures) for row in rows]


def get_cart_view(cart_id: int | None, *, notice: str = "", version: int = 0) -> CartView:
    """Return the cart as it is shown; an unknown cart is an empty one."""
    return CartView(list_lines(cart_id), settings.SHOP_CURRENCY, notice, version)


def count_pieces(cart_id: int | None) -> int:
    """Return how many pieces the cart holds."""
    if cart_id is None:
        return 0
    quantities = CartItem.objects.filter(cart_id=cart_id).values_list("quantity", flat=True)
    return sum(quantities)


def list_countries() -> list[str]:
    """Return the country codes to which something is delivered."""
    rows = fetch_rows(
        "SELECT DISTINCT unnest(zone.countries) FROM cart_shippingzone zone "
        "JOIN cart_shippingmethod method ON method.zone_id = zone.id WHERE method.is_active"
    )
    return sorted(country for (country,) in rows)


_BANDS = """
SELECT method.id, method.code, method.name, method.description, method.tax_class_id,
       method.days_min, method.days_max, method.kind, band.minimum, band.price
FROM cart_shippingmethod method
JOIN cart_shippingzone zone ON zone.id = method.zone_id
JOIN cart_shippingband band ON band.method_id = method.id
WHERE method.is_active AND %(country)s = ANY(zone.countries)
ORDER BY method.position, method.id, band.minimum
"""


def list_delivery_offers(lines: Iterable[CartLine], *, country: str) -> list[DeliveryOffer]:
    """Return the ways to deliver these lines to a country, in the order in which staff put them."""
    lines = list(lines)
    currency = settings.SHOP_CURRENCY
    measures = {
        ShippingMethod.Kind.FLAT: Decimal(0),
        ShippingMethod.Kind.WEIGHT: Decimal(
            sum(line.weight_grams * line.quantity for line in lines)
        ),
        ShippingMethod.Kind.PRICE: total((line.total for line in lines), currency).amount,
    }
    bands: dict[tuple[Any, ...], list[Band]] = defaultdict(list)
    for *method, minimum, price in fetch_rows(_BANDS, {"country": country}):
        bands[tuple(method)].append(Band(minimum, price))
    offers = []
    for (_id, *facts, kind), method_bands in bands.items():
        price = price_for(measures[ShippingMethod.Kind(kind)], method_bands)
        if price is not None:
            offers.append(_offer(facts, Money(price, currency)))
    return offers


def _line(row: tuple[Any, ...], pictures: dict[int, Picture]) -> CartLine:
    currency = settings.SHOP_CURRENCY
    (
        item_id, variant_id, product_id, seller_id, tax_class_id, slug, title, label, sku, price,
        seen_price, quantity, weight_grams, available, is_for_sale, _image_id,
    ) = row  # fmt: skip
    return CartLine(
        item_id=item_id,
        variant_id=variant_id,
        product_id=product_id,
        seller_id=seller_id,
        tax_class_id=tax_class_id,
        slug=slug,
        title=title,
        label=label,
        sku=sku,
        unit_price=Money(price, currency),
        seen_price=Money(seen_price, currency),
        quantity=quantity,
        weight_grams=weight_grams,
        available=available,
        is_for_sale=is_for_sale,
        picture=pictures.get(variant_id),
    )


def _offer(facts: Sequence[Any], price: Money) -> DeliveryOffer:
    code, label, description, tax_class_id, days_min, days_max = facts
    return DeliveryOffer(
        code=code,
        label=label,
        description=description,
        price=price,
        tax_class_id=tax_class_id,
        days_min=days_min,
        days_max=days_max,
    )
