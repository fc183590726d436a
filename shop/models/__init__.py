from shop.models.address import FormerAddress
from shop.models.change import Change
from shop.models.content import Page
from shop.models.limit import KeptValue, Tally
from shop.models.mail import Mail
from shop.models.outbox import OutboxMessage
from shop.models.tax import TaxClass, TaxRate

__all__ = [
    "Change",
    "FormerAddress",
    "KeptValue",
    "Mail",
    "OutboxMessage",
    "Page",
    "Tally",
    "TaxClass",
    "TaxRate",
]
