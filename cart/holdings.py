"""What the tables of this app know of people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.privacy import CONTRACT, Erasure, declare, declare_impersonal

CARTS = _("Your cart and former ones")

declare(
    "cart.Cart",
    "user device",
    title=CARTS,
    purpose="What somebody is about to buy",
    kept="`RETENTION_CART_DAYS` after the last change, guests' `RETENTION_GUEST_CART_DAYS`; 90 days once ordered",
    ground=CONTRACT,
    section="carts",
    erasure=Erasure.DELETED,
)
declare(
    "cart.CartItem",
    "cart variant",
    title=CARTS,
    purpose="What somebody is about to buy",
    kept="As long as the cart",
    ground=CONTRACT,
    section="carts",
    erasure=Erasure.DELETED,
)
declare_impersonal("what delivery costs where",
    "cart.ShippingZone", "cart.ShippingMethod", "cart.ShippingBand",
)  # fmt: skip
