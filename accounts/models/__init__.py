from accounts.models.audit import AuditEntry
from accounts.models.seller import Seller, SellerMember
from accounts.models.user import User

__all__ = ["AuditEntry", "Seller", "SellerMember", "User"]
