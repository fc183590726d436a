from orders.admin import order, seller_order

__all__ = ["order", "seller_order"]
