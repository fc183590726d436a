"""What the tables of this app know of people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.privacy import CONTRACT, LAW, Erasure, declare, declare_impersonal

ORDERS = _("What was ordered and paid, by number, without your email")
INVOICE = _("Name and address on the invoices of paid orders")
BOOKS = _("The books: amounts that moved, without your name")
PARCELS = _("Tracking numbers of parcels")
NOTES = _("What staff wrote about your orders")

declare(
    "orders.Order",
    "user email number",
    title=ORDERS,
    purpose="To sell, deliver and answer for what was sold",
    kept="`RETENTION_ORDER_YEARS` from the end of the year; `RETENTION_UNPAID_DAYS` when never paid",
    ground=CONTRACT,
    section="orders",
    erasure=Erasure.KEPT,
    remark="amounts, dates, numbers and country stay; account and email go",
    rest="language currency shipping_method shipping_label",
)
declare(
    "orders.OrderAddress",
    "order name street postcode city region country phone",
    title=INVOICE,
    purpose="Where the order goes, and whom the invoice names",
    kept="`RETENTION_ORDER_YEARS` from the end of the year; `RETENTION_UNPAID_DAYS` when never paid",
    ground=LAW,
    section="orders",
    erasure=Erasure.KEPT,
    remark="of paid orders the address of the invoice, without the phone; of others only the country",
)
declare(
    "orders.OrderLine",
    "order",
    title=ORDERS,
    purpose="What was bought",
    kept="As long as the books",
    ground=LAW,
    section="orders",
    erasure=Erasure.KEPT,
    remark="it names goods and amounts",
    rest="sku title variant_label",
)
declare(
    "orders.OrderEvent",
    "order message actor",
    title=NOTES,
    purpose="What happened to an order, for whoever must explain it",
    kept="As long as the address on the order",
    ground=CONTRACT,
    section="orders",
    erasure=Erasure.EMPTIED,
    remark="what kind of thing happened and when stays; the copy does not say who of the staff did it",
    rest="kind",
)
declare(
    "orders.OrderRefund",
    "order reason actor",
    title=NOTES,
    purpose="What was given back and why",
    kept="As long as the books; the reason as long as the address",
    ground=LAW,
    section="orders",
    erasure=Erasure.EMPTIED,
    remark="pieces and amounts stay",
    rest="key",
)
declare(
    "orders.LedgerTransaction",
    "order reason actor",
    title=BOOKS,
    purpose="The books: what moved money",
    kept="As long as the books; the reason as long as the address",
    ground=LAW,
    erasure=Erasure.KEPT,
    remark="amounts stay, reasons go. Not in the copy: it is the shop's books, the order is there",
    rest="key currency",
)
declare(
    "orders.Shipment",
    "tracking_number tracking_url",
    title=PARCELS,
    purpose="To follow a parcel",
    kept="As long as the address on the order",
    ground=CONTRACT,
    section="orders",
    erasure=Erasure.EMPTIED,
    remark="that and when it left stays",
    rest="carrier",
)
declare_impersonal("amounts, pieces and numbers that belong to an order",
    "orders.LedgerEntry", "orders.OrderPayment", "orders.OrderRefundLine",
    "orders.OrderRefundPayment", "orders.SellerOrder", "orders.ShipmentLine", "orders.TaxLine",
)  # fmt: skip
