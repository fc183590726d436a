"""News of people and sellers, for the floors above."""

from __future__ import annotations

from django.dispatch import Signal

seller_renamed = Signal()
"""A seller has another name. Argument: seller. Sent inside the transaction that says so."""

person_exporting = Signal()
"""Somebody asks for a copy of their data. Arguments: person, archive. Receivers add what they hold."""

person_leaving = Signal()
"""Somebody wants to be erased. Argument: erasure. Sent inside the transaction, twice: receivers lock
what they hold of the person, in the written order, and add what stands in the way."""

person_erasing = Signal()
"""Somebody is erased. Argument: erasure. Sent inside the transaction; receivers delete or empty what
they hold and count it."""
