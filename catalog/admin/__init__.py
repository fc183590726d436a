from catalog.admin import attributes, categories, pictures, products, stock

__all__ = ["attributes", "categories", "pictures", "products", "stock"]
