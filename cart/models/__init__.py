from cart.models.cart import Cart, CartItem
from cart.models.shipping import ShippingBand, ShippingMethod, ShippingZone

__all__ = ["Cart", "CartItem", "ShippingBand", "ShippingMethod", "ShippingZone"]
