"""Services of others that the checkout asks."""
