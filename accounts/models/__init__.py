from accounts.models.data_copy import DataCopy
from accounts.models.seller import Seller, SellerMember
from accounts.models.user import User

__all__ = ["DataCopy", "Seller", "SellerMember", "User"]
