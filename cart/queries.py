"""Reads of the cart: its lines with today's prices and stock, and how it can be delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.queries import Picture, list_variant_pictures, product_url
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Seller
from cart.models import CartItem, ShippingBand, ShippingMethod
from cart.pricing.bands import Band, price_for
from cart.pricing.quote import DeliveryOffer
from catalog.models import Product
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
        if not self.can_be_bought:
            return ngettext(
                "Only %(count)d piece is left. Please lower the quantity.",
                "Only %(count)d pieces are left. Please lower the quantity.",
                self.max_quantity,
            ) % {"count": self.max_quantity}
        return ""

    @property
    def has_new_price(self) -> bool:
        return self.unit_price != self.seen_price


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart as its page, drawer and review show it."""

    lines: list[CartLine]
    currency: str
    notice: str = ""

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


_LINE_FIELDS = (
    "id",
    "variant_id",
    "variant__product_id",
    "variant__product__seller_id",
    "variant__product__tax_class_id",
    "variant__product__slug",
    "variant__product__title",
    "variant__label",
    "variant__sku",
    "variant__price",
    "seen_price",
    "quantity",
    "variant__weight_grams",
    "variant__tracks_stock",
    "variant__stock_level__on_hand",
    "variant__stock_level__allocated",
    "variant__is_active",
    "variant__product__status",
    "variant__product__seller__status",
    "variant__image_id",
)


def list_lines(cart_id: int | None) -> list[CartLine]:
    """Return a cart's lines, re-priced, in the order in which they were put in; two statements."""
    if cart_id is None:
        return []
    rows = list(CartItem.objects.filter(cart_id=cart_id).order_by("id").values_list(*_LINE_FIELDS))
    pictures = list_variant_pictures({row[1]: (row[2], row[19]) for row in rows})
    return [_line(row, pictures) for row in rows]


def get_cart_view(cart_id: int | None, *, notice: str = "") -> CartView:
    """Return the cart as it is shown; an unknown cart is an empty one."""
    return CartView(lines=list_lines(cart_id), currency=settings.SHOP_CURRENCY, notice=notice)


def count_pieces(cart_id: int | None) -> int:
    """Return how many pieces the cart holds."""
    if cart_id is None:
        return 0
    quantities = CartItem.objects.filter(cart_id=cart_id).values_list("quantity", flat=True)
    return sum(quantities)


def list_countries() -> list[str]:
    """Return the country codes to which something is delivered."""
    methods = ShippingMethod.objects.filter(is_active=True).values_list(
        "zone__countries", flat=True
    )
    return sorted({country for countries in methods for country in countries})


def list_delivery_offers(lines: Iterable[CartLine], *, country: str) -> list[DeliveryOffer]:
    """Return the ways to deliver these lines to a country, cheapest of a price by position."""
    lines = list(lines)
    currency = settings.SHOP_CURRENCY
    weight = Decimal(sum(line.weight_grams * line.quantity for line in lines))
    value = total((line.total for line in lines), currency).amount
    measures = {
        ShippingMethod.Kind.FLAT: Decimal(0),
        ShippingMethod.Kind.WEIGHT: weight,
        ShippingMethod.Kind.PRICE: value,
    }
    bands: dict[ShippingMethod, list[Band]] = defaultdict(list)
    rows = (
        ShippingBand.objects.filter(
            method__is_active=True, method__zone__countries__contains=[country]
        )
        .select_related("method")
        .order_by("method__position", "method_id", "minimum")
    )
    for row in rows:
        bands[row.method].append(Band(row.minimum, row.price))
    offers = []
    for method, method_bands in bands.items():
        price = price_for(measures[ShippingMethod.Kind(method.kind)], method_bands)
        if price is not None:
            offers.append(_offer(method, Money(price, currency)))
    return offers


def _line(row: tuple[Any, ...], pictures: dict[int, Picture]) -> CartLine:
    currency = settings.SHOP_CURRENCY
    (
        item_id, variant_id, product_id, seller_id, tax_class_id, slug, title, label, sku, price,
        seen_price, quantity, weight_grams, tracks_stock, on_hand, allocated, is_active, status,
        seller_status, _image_id,
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
        available=max((on_hand or 0) - (allocated or 0), 0) if tracks_stock else None,
        is_for_sale=is_active
        and status == Product.Status.ACTIVE
        and seller_status == Seller.Status.ACTIVE,
        picture=pictures.get(variant_id),
    )


def _offer(method: ShippingMethod, price: Money) -> DeliveryOffer:
    return DeliveryOffer(
        code=method.code,
        label=method.name,
        description=method.description,
        price=price,
        tax_class_id=method.tax_class_id,
        days_min=method.days_min,
        days_max=method.days_max,
    )
