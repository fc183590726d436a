from orders.models.line import OrderLine, TaxLine
from orders.models.order import Order, OrderAddress, OrderEvent, OrderPayment
from orders.models.seller_order import SellerOrder, Shipment, ShipmentLine

__all__ = [
    "Order",
    "OrderAddress",
    "OrderEvent",
    "OrderLine",
    "OrderPayment",
    "SellerOrder",
    "Shipment",
    "ShipmentLine",
    "TaxLine",
]
