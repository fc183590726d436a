"""The catalogue in memory: which products there are, which are alike, and in what order they stand.

Every process holds its own, built from PostgreSQL when first needed and kept current by the journal
of changes. It answers which products and how many; what they look like is read by their ids.
"""

from catalog.index.following import current, reset
from catalog.index.snapshot import MAKERS, Attribute, Snapshot, Value

__all__ = ["MAKERS", "Attribute", "Snapshot", "Value", "current", "reset"]
