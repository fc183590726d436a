from catalog.models.attribute import Attribute, AttributeValue
from catalog.models.category import Category
from catalog.models.media import ImageAsset
from catalog.models.product import Product, ProductImage
from catalog.models.search import SearchRecord, Synonym, Word
from catalog.models.variant import (
    Option,
    OptionValue,
    ProductVariant,
    StockLevel,
    StockMovement,
)

__all__ = [
    "Attribute",
    "AttributeValue",
    "Category",
    "ImageAsset",
    "Option",
    "OptionValue",
    "Product",
    "ProductImage",
    "ProductVariant",
    "SearchRecord",
    "StockLevel",
    "StockMovement",
    "Synonym",
    "Word",
]
