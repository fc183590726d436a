from shop.admin import content, outgoing, tax

__all__ = ["content", "outgoing", "tax"]
