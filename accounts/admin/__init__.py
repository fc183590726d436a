from accounts.admin import people, sellers

__all__ = ["people", "sellers"]
