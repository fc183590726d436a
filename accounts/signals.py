"""News of people and sellers, for the floors above."""

from __future__ import annotations

from django.dispatch import Signal

seller_renamed = Signal()
"""A seller has another name. Argument: seller. Sent inside the transaction that says so."""
