from cart.admin import shipping

__all__ = ["shipping"]
