from orders.models.ledger import Account, LedgerEntry, LedgerTransaction
from orders.models.line import OrderLine, TaxLine
from orders.models.order import Order, OrderAddress, OrderEvent, OrderPayment
from orders.models.refund import OrderRefund, OrderRefundLine, OrderRefundPayment
from orders.models.seller_order import SellerOrder, Shipment, ShipmentLine

__all__ = [
    "Account",
    "LedgerEntry",
    "LedgerTransaction",
    "Order",
    "OrderAddress",
    "OrderEvent",
    "OrderLine",
    "OrderPayment",
    "OrderRefund",
    "OrderRefundLine",
    "OrderRefundPayment",
    "SellerOrder",
    "Shipment",
    "ShipmentLine",
    "TaxLine",
]
