from accounts.models.address import Address
from accounts.models.audit import AuditEntry
from accounts.models.data_copy import DataCopy
from accounts.models.notifications import NotificationPreferences
from accounts.models.seller import Seller, SellerMember
from accounts.models.user import User

__all__ = [
    "Address",
    "AuditEntry",
    "DataCopy",
    "NotificationPreferences",
    "Seller",
    "SellerMember",
    "User",
]
