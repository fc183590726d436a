from catalog.models.attribute import Attribute, AttributeValue
from catalog.models.bought_together import BoughtTogether
from catalog.models.category import Category
from catalog.models.collection import Collection, CollectionItem
from catalog.models.import_run import (
    ImportFinding,
    ImportPart,
    ImportPicture,
    ImportRun,
    PictureSource,
)
from catalog.models.media import ImageAsset
from catalog.models.price_history import FormerPrice
from catalog.models.product import Product, ProductImage
from catalog.models.purchase import Purchase
from catalog.models.relation import ProductRelation
from catalog.models.restock import RestockRequest
from catalog.models.review import HelpfulVote, Review, ReviewPhoto
from catalog.models.search import SearchRecord, Synonym, Word
from catalog.models.variant import (
    Option,
    OptionValue,
    ProductVariant,
    StockLevel,
    StockMovement,
)
from catalog.models.wishlist import Wishlist, WishlistItem

__all__ = [
    "Attribute",
    "AttributeValue",
    "BoughtTogether",
    "Category",
    "Collection",
    "CollectionItem",
    "FormerPrice",
    "HelpfulVote",
    "ImageAsset",
    "ImportFinding",
    "ImportPart",
    "ImportPicture",
    "ImportRun",
    "Option",
    "OptionValue",
    "PictureSource",
    "Product",
    "ProductImage",
    "ProductRelation",
    "ProductVariant",
    "Purchase",
    "RestockRequest",
    "Review",
    "ReviewPhoto",
    "SearchRecord",
    "StockLevel",
    "StockMovement",
    "Synonym",
    "Wishlist",
    "WishlistItem",
    "Word",
]
