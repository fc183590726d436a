from accounts.models.seller import Seller, SellerMember
from accounts.models.user import User

__all__ = ["Seller", "SellerMember", "User"]
