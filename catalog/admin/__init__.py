from catalog.admin import attributes, categories, pictures, products, search, stock

__all__ = ["attributes", "categories", "pictures", "products", "search", "stock"]
