from accounts.admin import audit, closed_rooms, members, people, sellers

__all__ = ["audit", "closed_rooms", "members", "people", "sellers"]
