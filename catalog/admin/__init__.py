from catalog.admin import (
    attributes,
    categories,
    collections,
    imports,
    pictures,
    products,
    reviews,
    search,
    stock,
)

__all__ = [
    "attributes",
    "categories",
    "collections",
    "imports",
    "pictures",
    "products",
    "reviews",
    "search",
    "stock",
]
